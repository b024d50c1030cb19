import { describe, expect, test } from "bun:test";
import { EventError, StateError } from "../../src/errors.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { bytes, response, server, webSocketScope } from "../support/fake-scope.ts";
import { failureOf } from "../support/sse.ts";
import { CONNECT, accepted, make } from "../support/fake-websocket.ts";

describe("the handshake", () => {
  test("accept, with fields in any form", async () => {
    const { ws, side } = make();
    expect([ws.connectionState, ws.isConnected(), ws.isClosed()]).toEqual(["connecting", false, false]);
    await ws.accept({ headers: { "X-Room": 5 } });
    expect(side.sent).toEqual([
      { type: "websocket.accept", subprotocol: undefined, headers: [["x-room", "5"]] },
    ]);
    expect([ws.connectionState, ws.isConnected(), ws.isClosed()]).toEqual(["connected", true, false]);
    const again = await failureOf(ws.accept());
    expect(again).toBeInstanceOf(StateError);
  });

  test("the subprotocol: one, the first of a list that is offered, or what a function says", async () => {
    const offer = { subprotocols: ["chat", "json"] };
    const one = make(offer);
    await one.ws.accept({ subprotocol: "json", headers: [["x-a", "1"]] });
    expect([one.ws.subprotocol, one.ws.subprotocols]).toEqual(["json", ["chat", "json"]]);
    const list = make(offer);
    await list.ws.accept({ subprotocol: ["v2", "json", "chat"] });
    expect(list.side.sent[0]).toMatchObject({ subprotocol: "json" });
    const none = make(offer);
    await none.ws.accept({ subprotocol: ["v2"] });
    expect(none.ws.subprotocol).toBeUndefined();
    const chosen = make(offer);
    await chosen.ws.accept({ subprotocol: (offered) => offered.at(-1) });
    expect(chosen.ws.subprotocol).toBe("json");
  });

  test("a subprotocol that is not offered is refused with what is", async () => {
    const { ws, side } = make({ subprotocols: ["chat"] });
    const error = await failureOf(ws.accept({ subprotocol: "v2" }));
    expect(error).toBeInstanceOf(EventError);
    expect(String(error)).toContain("'v2', which is none that the client offers: chat");
    expect([side.sent.length, ws.connectionState]).toEqual([0, "connecting"]);
  });

  test("what the server refuses leaves it unanswered", async () => {
    const scope = webSocketScope();
    const ws = new PagiWebSocket(scope, server().receive, () => Promise.reject(new Error("no")));
    expect(String(await failureOf(ws.accept()))).toBe("Error: no");
    expect([ws.connectionState, ws.subprotocol]).toEqual(["connecting", undefined]);
  });

  test("what was closed while it was being accepted stays closed", async () => {
    const accepting = Promise.withResolvers<void>();
    const scope = webSocketScope();
    const ws = new PagiWebSocket(scope, server(CONNECT).receive, ({ type }) =>
      type === "websocket.accept" ? accepting.promise : Promise.resolve(),
    );
    const accepted = ws.accept();
    await ws.close(4000, "too late");
    accepting.reject(new Error("no"));
    expect(String(await failureOf(accepted))).toBe("Error: no");
    expect([ws.connectionState, ws.closeCode]).toEqual(["closed", 4000]);
  });

  test("deny with parts, a PagiResponse, and a Fetch Response", async () => {
    const plain = make();
    const heard: unknown[] = [];
    plain.ws.onClose(() => void heard.push("closed"));
    await plain.ws.deny({ status: 401, headers: { "WWW-Authenticate": "Bearer" }, body: "who?" });
    expect(response(plain.side.sent)).toEqual({
      status: 401,
      headers: [
        ["www-authenticate", "Bearer"],
        ["content-type", "text/plain; charset=utf-8"],
        ["content-length", "4"],
      ],
      body: "who?",
    });
    expect([plain.ws.isClosed(), plain.ws.closeCode, heard]).toEqual([true, undefined, []]);
    const made = make();
    await made.ws.deny(PagiResponse.json({ error: 1 }).status(429));
    expect(response(made.side.sent)).toMatchObject({ status: 429, body: '{"error":1}' });
    const fetched = make();
    await fetched.ws.deny(Response.json({ error: 2 }, { status: 400 }));
    expect(response(fetched.side.sent)).toMatchObject({ status: 400, body: '{"error":2}' });
    const bare = make();
    await bare.ws.deny();
    expect(response(bare.side.sent)).toMatchObject({ status: 403, body: "" });
    const binary = make();
    await binary.ws.deny({ body: bytes("x") });
    expect(response(binary.side.sent)).toMatchObject({ status: 403, body: "x" });
  });

  test("deny where the server can send no response, and after accept", async () => {
    const { ws, side } = make({ extensions: {} });
    expect(ws.supportsDenialResponse()).toBe(false);
    await ws.deny({ status: 401, body: "who?" });
    expect(side.sent).toEqual([{ type: "websocket.close", code: 1008 }]);
    expect([ws.isClosed(), ws.closeCode]).toEqual([true, 1008]);
    expect(make().ws.supportsDenialResponse()).toBe(true);
    const { ws: open, side: its } = await accepted();
    expect(await failureOf(open.deny())).toBeInstanceOf(StateError);
    expect(its.sent).toEqual([]);
  });

  test("nothing can be sent or received before it", async () => {
    const { ws, side } = make();
    expect(String(await failureOf(ws.sendText("a")))).toContain("accept() comes first");
    expect(String(await failureOf(ws.receive()))).toContain("accept() or deny()");
    expect(await failureOf(ws.run())).toBeInstanceOf(StateError);
    expect(await ws.trySendText("a")).toBe(false);
    expect(side.sent).toEqual([]);
  });

  test("close before accept refuses", async () => {
    const { ws, side } = make();
    await ws.close();
    expect(side.sent).toEqual([{ type: "websocket.close", code: 1000, reason: "" }]);
    expect(await ws.receive()).toBeUndefined();
  });
});
