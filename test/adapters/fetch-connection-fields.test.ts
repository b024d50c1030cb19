import { describe, expect, test } from "bun:test";
import { ADAPTERS, applicationOf } from "../support/fetch-adapters.ts";
import { startServer } from "../support/server.ts";
import { startUpstream } from "../support/upstream.ts";
import { get, request } from "../support/wire.ts";

// Fields about the connection on which a Response came to the application do not go out on that of its client: RFC 9110
// section 7.6.1.

const FROM_UPSTREAM = [
  ...["Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Connection: close"],
  ...["TE: trailers", "Trailer: X-T", "Upgrade: h2c", "X-Stay: 2"],
];
const SHOWN = /^(connection|keep-alive|proxy-connection|te|trailer|upgrade|x-hop|x-stay):/;

async function lines(adapter: (typeof ADAPTERS)[number], make: () => Response | Promise<Response>) {
  await using server = await startServer(applicationOf(adapter, make));
  const { head } = await request(server, get("/x"));
  return head.split("\r\n").filter((line) => SHOWN.test(line));
}

describe.each(ADAPTERS)("%s", (adapter) => {
  test("of a fetched Response", async () => {
    using source = await startUpstream(() => ({
      head: ["HTTP/1.1 200 OK", ...FROM_UPSTREAM, "Content-Length: 2"],
      pieces: [{ bytes: "ok" }],
    }));
    expect(await lines(adapter, () => fetch(source.url))).toEqual(["x-stay: 2"]);
  });

  test("of a Response that was made from a fetched one, which may still end the connection", async () => {
    using source = await startUpstream(() => ({
      head: ["HTTP/1.1 200 OK", ...FROM_UPSTREAM, "Content-Length: 2"],
      pieces: [{ bytes: "ok" }],
    }));
    const make = async () => {
      const from = await fetch(source.url);
      return new Response(from.body, from);
    };
    expect(await lines(adapter, make)).toEqual(["x-stay: 2", "connection: close"]);
  });

  test.each([
    ["Upgrade", { upgrade: "h2c" }, ["upgrade: h2c", "connection: upgrade"]],
    ["Upgrade, named", { upgrade: "h2c", connection: "Upgrade" }, ["upgrade: h2c", "connection: upgrade"]],
    ["Connection: close", { connection: "close" }, ["connection: close"]],
    ["Connection: keep-alive", { connection: "keep-alive", "keep-alive": "timeout=5" }, []],
  ] as [string, Record<string, string>, string[]][])(
    "of the application's own: %s",
    async (_, headers, expected) => {
      expect(await lines(adapter, () => new Response("ok", { status: 426, headers }))).toEqual(expected);
    },
  );
});
