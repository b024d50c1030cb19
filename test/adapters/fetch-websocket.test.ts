import { describe, expect, test } from "bun:test";

import { fromFetch } from "../../adapters/fetch.ts";
import { response, server, webSocketScope } from "../support/fake-scope.ts";

describe("a websocket scope", () => {
  const scope = { ...webSocketScope(), scheme: "wss" } as const;
  const without = { ...scope, extensions: {} };

  test("is closed on servers that can send no other response", async () => {
    const side = server({ type: "websocket.connect" });
    let isCancelled = false;
    const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
    await fromFetch(() => new Response(body, { status: 426 }))(without, side.receive, side.send);
    expect(side.sent).toEqual([{ type: "websocket.close" }]);
    expect(isCancelled).toBe(true);
  });

  test("is refused with the handler's response, which sees the handshake as a request", async () => {
    const side = server({ type: "websocket.connect" });
    const seen: Request[] = [];
    await fromFetch((request) => {
      seen.push(request);
      return new Response("no sockets here", { status: 426, headers: { upgrade: "none" } });
    })(scope, side.receive, side.send);
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["GET https://example.org/"]);
    expect(side.sent.map((event) => event.type)).toEqual([
      "websocket.http.response.start",
      "websocket.http.response.body",
    ]);
    expect(response(side.sent)).toMatchObject({ status: 426, body: "no sockets here" });
  });

  test.each([{ at: scope }, { at: without }])(
    "aborts the request's signal when the client goes",
    async ({ at }) => {
      const side = server({ type: "websocket.connect" });
      const started = Promise.withResolvers<void>();
      const done = fromFetch(async ({ signal }) => {
        started.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw signal.reason;
      })(at, side.receive, side.send);
      await started.promise;
      side.put({ type: "websocket.disconnect", code: 1006, reason: "client_closed" });
      await done;
      expect(side.sent).toEqual([]);
    },
  );
});
