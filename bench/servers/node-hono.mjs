// Hono on @hono/node-server, run by node. Arguments: scenario, port.
import { serve } from "@hono/node-server";
import { app } from "./hono-app.mjs";

serve({
  fetch: app.fetch,
  hostname: "127.0.0.1",
  port: Number(process.argv[3]),
  serverOptions: { keepAliveTimeout: 600_000 },
});
