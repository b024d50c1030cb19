import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebSocketWire } from "../support/websocket.ts";
import { startServer } from "../support/server.ts";
import { dispatch } from "../../src/spec/index.ts";
import type { WebSocketHandler } from "../../src/spec/index.ts";
import type { Case } from "./autobahn/case.ts";
import { framing } from "./autobahn/1-framing.ts";
import { pings } from "./autobahn/2-pings.ts";
import { reservedBits } from "./autobahn/3-reserved-bits.ts";
import { opcodes } from "./autobahn/4-opcodes.ts";
import { fragmentation } from "./autobahn/5-fragmentation.ts";
import { utf8 } from "./autobahn/6-utf8.ts";
import { close } from "./autobahn/7-close.ts";
import { limits } from "./autobahn/9-limits.ts";
import { autoFragmentation } from "./autobahn/10-auto-fragmentation.ts";
import { compression } from "./autobahn/12-13-compression.ts";
import { play } from "./autobahn/play.ts";

const cases: readonly Case[] = [
  ...[framing, pings, reservedBits, opcodes, fragmentation, utf8, close].flat(),
  ...[limits, autoFragmentation, compression].flat(),
];

/** An echoing server. */
interface Target extends AsyncDisposable {
  readonly url: string;
}

/** Bun's own server, without ours. */
async function startBun(): Promise<Target> {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) =>
      self.upgrade(request) ? undefined : new Response("no WebSocket", { status: 400 }),
    websocket: {
      perMessageDeflate: true,
      maxPayloadLength: 1024 * 1024,
      message: (socket, message) => void socket.send(message, true),
    },
  });
  return { url: `ws://127.0.0.1:${server.port}/`, [Symbol.asyncDispose]: () => server.stop(true) };
}

const echo: WebSocketHandler = async (_scope, receive, send) => {
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.connect") await send({ type: "websocket.accept" });
    else if (event.type === "websocket.disconnect") return;
    else if (event.text === undefined) await send({ type: "websocket.send", bytes: event.bytes });
    else await send({ type: "websocket.send", text: event.text });
  }
};

/** Our server, with the limits that it has by default. */
async function startOurs(): Promise<Target> {
  const server = await startServer(dispatch({ websocket: echo }));
  return {
    url: `ws://${server.host}:${server.port}/`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const TARGETS = [
  { name: "Bun.serve", start: startBun },
  { name: "our server", start: startOurs },
] as const;

/** Where Bun's frames do other than Autobahn likes best. All of them are right by the RFC. */
const DEVIATIONS = [
  {
    cases: /^6\.4\.[12]$/,
    verdict: "non-strict",
    why: "UTF-8 is checked once the message is whole, which RFC 6455 section 8.1 leaves open",
  },
  {
    cases: /^13\.[35]\./,
    verdict: "declined",
    why: "a server_max_window_bits of 9 is declined, which RFC 7692 section 7.1.2.1 allows",
  },
] as const;

test("there are all cases of Autobahn's, each once", () => {
  const counts = new Map<string, number>();
  for (const { number } of cases) {
    const section = number.slice(0, number.indexOf("."));
    counts.set(section, (counts.get(section) ?? 0) + 1);
  }
  expect(new Set(cases.map(({ number }) => number)).size).toBe(cases.length);
  expect(Object.fromEntries(counts)).toEqual({
    ...{ 1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37 },
    ...{ 9: 54, 10: 1, 12: 90, 13: 126 },
  });
});

describe.each(TARGETS)("Autobahn's cases with $name", ({ start }) => {
  let target: Target;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
  });

  test("once permessage-deflate is agreed on, a large message comes back compressed", async () => {
    const offer = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    await using client = await WebSocketWire.open(target.url, offer);
    await client.sendText("a".repeat(4096));
    const reply = await client.nextFrame();
    expect(reply).toMatchObject({ opcode: "text", isCompressed: true });
    expect(reply?.payload.length).toBeLessThan(100);
  });

  for (const each of cases) {
    const deviation = DEVIATIONS.find((known) => known.cases.test(each.number));
    const note = deviation === undefined ? "" : ` (${deviation.verdict}: ${deviation.why})`;
    test(`${each.number}, ${each.title}${note}`, async () => {
      expect(await play(each, target.url)).toEqual({ verdict: deviation?.verdict ?? "strict", faults: [] });
    });
  }
});
