import { describe, expect, test } from "bun:test";
import { NORMAL, frame as step, text } from "./autobahn/case.ts";
import type { Case } from "./autobahn/case.ts";
import { play } from "./autobahn/play.ts";
import { WebSocketWire, frame, messageFrames, upgradeRequest } from "../support/websocket.ts";

const bytes = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");

/** The 101 to the default handshake. */
const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/** A server that answers the handshake, then every later packet with the same bytes, and ends after the last. */
function scripted(handshake: string, ...answers: string[]): { url: string } & Disposable {
  const listener = Bun.listen<{ at: number }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { at: 0 };
      },
      data(socket) {
        const { at } = socket.data;
        socket.data.at++;
        if (at === 0) socket.write(handshake);
        else socket.write(bytes(answers[at - 1] ?? ""));
        if (at === answers.length) socket.end();
      },
    },
  });
  return { url: `ws://127.0.0.1:${listener.port}/`, [Symbol.dispose]: () => void listener.stop(true) };
}

describe("the frames of a client", () => {
  test("the masked text of RFC 6455 section 5.7", () => {
    expect(frame({ opcode: "text", payload: "Hello" })).toEqual(bytes("81 85 37fa213d 7f9f4d5158"));
  });

  test("the unmasked fragments of RFC 6455 section 5.7", () => {
    expect(frame({ opcode: "text", payload: "Hel", fin: false, mask: false })).toEqual(bytes("01 03 48656c"));
    expect(frame({ opcode: "continuation", payload: "lo", mask: false })).toEqual(bytes("80 02 6c6f"));
  });

  test.each([
    [125, "82 7d"],
    [126, "82 7e 007e"],
    [65535, "82 7e ffff"],
    [65536, "82 7f 0000000000010000"],
  ])("a length of %d takes its shortest form", (length, head) => {
    const whole = frame({ opcode: "binary", payload: new Uint8Array(length), mask: false });
    expect(whole.subarray(0, whole.length - length)).toEqual(bytes(head));
  });

  test("frames that no client may send", () => {
    const mask = false;
    expect(frame({ opcode: 3, rsv: 7, mask })).toEqual(bytes("f3 00"));
    expect(frame({ opcode: "text", payload: "a", lengthForm: 16, mask })).toEqual(bytes("81 7e 0001 61"));
    expect(frame({ opcode: "text", payload: "a", lengthForm: 64, mask })).toEqual(
      bytes("81 7f 0000000000000001 61"),
    );
    expect(frame({ opcode: "text", payload: "a", length: 5, mask })).toEqual(bytes("81 05 61"));
    expect(frame({ opcode: "ping", length: 2n ** 63n, mask })).toEqual(bytes("89 7f 8000000000000000"));
    expect(frame({ opcode: "text", payload: "ab", maskKey: bytes("00000000") })).toEqual(
      bytes("81 82 00000000 6162"),
    );
  });

  test("the compressed text of RFC 7692 section 7.2.3.1, whole and in fragments", () => {
    const message = { type: "text", payload: "Hello", compressed: true } as const;
    const encode = (fragmentSize?: number): Buffer =>
      Buffer.concat(
        messageFrames({ ...message, ...(fragmentSize === undefined ? {} : { fragmentSize }) }).map((each) =>
          frame({ ...each, mask: false }),
        ),
      );
    expect(encode()).toEqual(bytes("c1 07 f248cdc9c90700"));
    expect(encode(3)).toEqual(bytes("41 03 f248cd 00 03 c9c907 80 01 00"));
  });

  test("a handshake with fields put over it, repeated and taken away", () => {
    const fields = { Upgrade: null, Connection: "keep-alive", Origin: ["http://a", "http://b"] };
    expect(upgradeRequest("/chat?a=1", fields).split("\r\n")).toEqual([
      "GET /chat?a=1 HTTP/1.1",
      "Host: a",
      "Connection: keep-alive",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Origin: http://a",
      "Origin: http://b",
      "",
      "",
    ]);
  });
});

describe("the frames of a server", () => {
  test.each([
    ["81 85 37fa213d 7f9f4d5158", /masked/],
    ["83 00", /reserved opcode 3/],
    ["91 00", /RSV2 or RSV3/],
    ["c1 07 f248cdc9c90700", /RSV1/],
    ["09 00", /control frame/],
    ["89 7e 007e", /control frame/],
    ["81 7e 0001 61", /shortest form/],
    ["81 7f 0000000000000001 61", /shortest form/],
    ["80 00", /not there/],
    ["01 01 61 81 01 62", /broke off a message with text/],
    ["81 02 c328", /./],
    ["88 01 03", /half a close code/],
    ["81 05 61", /the connection ended/],
  ])("%s is refused", async (answer, message) => {
    using server = scripted(SWITCHING, answer);
    await using client = await WebSocketWire.open(server.url);
    await client.sendText("a");
    await expect(client.nextMessage()).rejects.toThrow(message);
  });

  test("a compressed message is inflated, fragments are joined, and the end is the end", async () => {
    const agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
    using server = scripted(
      SWITCHING.replace(/\r\n$/, agreed),
      "c1 07 f248cdc9c90700 02 01 00 80 01 ff 8a 01 61 88 04 03e8 6869",
    );
    await using client = await WebSocketWire.open(server.url, {
      "Sec-WebSocket-Extensions": "permessage-deflate",
    });
    await client.sendText("a");
    expect(await client.nextMessage()).toEqual({ type: "text", text: "Hello" });
    expect(client.compressedMessages).toBe(1);
    expect(await client.nextMessage()).toEqual({ type: "binary", bytes: Uint8Array.of(0x00, 0xff) });
    expect(await client.nextMessage()).toEqual({ type: "pong", bytes: Uint8Array.of(0x61) });
    expect(await client.nextMessage()).toEqual({ type: "close", code: 1000, reason: "hi" });
    expect(await client.nextMessage()).toBeNull();
    await client.end();
  });

  test.each([
    ["another status", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", /403[^]*no/],
    ["a wrong accept", SWITCHING.replace("s3pP", "xxxx"), /Sec-WebSocket-Accept/],
  ])("a handshake with %s is refused", async (_name, handshake, message) => {
    using server = scripted(handshake, "");
    await expect(WebSocketWire.open(server.url)).rejects.toThrow(message);
  });
});

describe("a case of Autobahn's", () => {
  const hello: Case = {
    number: "0.0.0",
    title: "a text",
    steps: [step("text", "Hello")],
    events: [text("Hello")],
    nonStrict: [],
    close: NORMAL,
  };
  const refused: Case = { ...hello, events: [], close: { by: "server", codes: [1002] } };

  test.each([
    ["an echo and a clean close are strict", hello, ["81 05 48656c6c6f", "88 02 03e8"], "strict", []],
    ["no echo is not strict", hello, ["88 02 03e8"], "non-strict", []],
    [
      "a wrong echo fails",
      hello,
      ["81 05 48656c6c70", "88 02 03e8"],
      "failed",
      [/expected \[text "Hello"\], but got/],
    ],
    [
      "a binary echo of a text fails",
      hello,
      ["82 05 48656c6c6f", "88 02 03e8"],
      "failed",
      [/but got \[binary/],
    ],
    [
      "a wrong close code fails",
      hello,
      ["81 05 48656c6c6f", "88 02 03ea"],
      "failed",
      [/the close code 1000, but got 1002/],
    ],
    ["a dropped connection fails", hello, ["81 05 48656c6c6f", ""], "failed", [/without a close frame/]],
    [
      "anything after the close frame fails",
      hello,
      ["81 05 48656c6c6f", "88 02 03e8 8a 00"],
      "failed",
      [/after the close frame/],
    ],
    ["a broken frame fails", hello, ["83 00"], "failed", [/reserved opcode/, /without a close frame/]],
    ["a right failure is strict", refused, ["88 02 03ea"], "strict", []],
    ["a dropped connection is a failure as well", refused, [""], "strict", []],
    [
      "an echo of what is wrong fails",
      refused,
      ["81 05 48656c6c6f 88 02 03ea"],
      "failed",
      [/expected \[\], but got \[text/],
    ],
    ["another code fails", refused, ["88 02 03e8"], "failed", [/the close code 1002, but got 1000/]],
  ] as const)("%s", async (_name, each, answers, verdict, faults) => {
    using server = scripted(SWITCHING, ...answers);
    const judged = await play(each, server.url);
    expect(judged.verdict).toBe(verdict);
    expect(judged.faults.length).toBe(faults.length);
    faults.forEach((fault, index) => expect(judged.faults[index]).toMatch(fault));
  });

  test("an offer that is not taken is declined", async () => {
    using server = scripted(SWITCHING, "");
    expect(await play({ ...hello, offer: "permessage-deflate" }, server.url)).toEqual({
      verdict: "declined",
      faults: [],
    });
  });
});
