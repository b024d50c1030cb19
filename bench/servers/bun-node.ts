// Handlers for `node:http`, on Bun's own `node:http`. Arguments: the handler, port.
import { createServer, type RequestListener } from "node:http";
import { bare, expressApp, fastifyApp } from "./node-handlers.ts";

const [name = "", port] = process.argv.slice(2);
await fastifyApp.ready();
const HANDLERS: Record<string, RequestListener> = {
  "node-bare": bare,
  "node-express": expressApp,
  "node-fastify": fastifyApp.routing,
};
const handler = HANDLERS[name];
if (handler === undefined) throw new Error(`unknown handler '${name}'`);
createServer({ keepAliveTimeout: 600_000 }, handler).listen(Number(port), "127.0.0.1", 4096);
