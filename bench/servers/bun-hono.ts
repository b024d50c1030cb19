// Hono on `Bun.serve`. Arguments: the application, port.
import type { Hono } from "hono";

const APPLICATIONS: Record<string, () => Promise<{ app: Hono }>> = {
  hono: () => import("./hono-app.mjs"),
  "toolkit-router-hono": () => import("./hono-router.ts"),
  "toolkit-upload-hono": () => import("./hono-upload.ts"),
};

const [name = "", port] = process.argv.slice(2);
const load = APPLICATIONS[name];
if (load === undefined) throw new Error(`unknown application '${name}'`);
const { app } = await load();

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 255,
  development: false,
  fetch: app.fetch,
});
