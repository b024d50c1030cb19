// Hono on `Bun.serve`. Arguments: scenario, port.
import { app } from "./hono-app.mjs";

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[3]),
  idleTimeout: 255,
  development: false,
  fetch: app.fetch,
});
