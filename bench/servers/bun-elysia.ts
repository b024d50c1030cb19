// Elysia, on a `Bun.serve` of its `fetch` or by its own `listen`. Arguments: `elysia` or `elysia-listen`, port.
import { app } from "./elysia-app.ts";

const [name, port] = process.argv.slice(2);
const options = { hostname: "127.0.0.1", port: Number(port), idleTimeout: 255, development: false };

if (name === "elysia-listen") app.listen(options);
else Bun.serve({ ...options, fetch: app.fetch });
