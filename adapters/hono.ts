import type { GetConnInfo } from "hono/conninfo";
import { requireEnvironment } from "./hono/environment.ts";

// What a Hono application on a PAGI server imports: `import { upgradeWebSocket } from "pagi-server/hono"`.

export { hono } from "./hono/application.ts";
export type { HonoEnvironment, HonoLike } from "./hono/application.ts";
export { pagi } from "./hono/mount.ts";
export { serveStatic } from "./hono/static.ts";
export { upgradeWebSocket } from "./hono/web-socket.ts";
export type { UpgradeOptions } from "./hono/web-socket.ts";
export { stream, streamSSE, streamText } from "hono/streaming";

/**
 * Hono's helper for the client's address. `remote` is empty for a client on a Unix socket.
 *
 * @throws TypeError where another server than a PAGI server runs the application.
 */
export const getConnInfo: GetConnInfo = (c) => {
  const { client } = requireEnvironment(c, "getConnInfo()").scope;
  if (client === undefined) return { remote: {} };
  const [address, port] = client;
  return {
    remote: { address, port, addressType: address.includes(":") ? "IPv6" : "IPv4", transport: "tcp" },
  };
};
