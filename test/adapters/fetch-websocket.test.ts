import { describe, expect, test } from "bun:test";

import { fromFetch } from "../../adapters/fetch.ts";
import type { WebSocketScope } from "../../src/spec/index.ts";
import { REQUEST, response, server } from "../support/fake-scope.ts";

describe("a websocket scope", () => {
  const scope: WebSocketScope = { ...REQUEST, type: "websocket", scheme: "wss", subprotocols: [] };

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

  test("aborts the request's signal when the client goes", async () => {
    const side = server({ type: "websocket.connect" });
    const started = Promise.withResolvers<void>();
    const done = fromFetch(async ({ signal }) => {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    })(scope, side.receive, side.send);
    await started.promise;
    side.put({ type: "websocket.disconnect", code: 1006, reason: "client_closed" });
    await done;
    expect(side.sent).toEqual([]);
  });
});
