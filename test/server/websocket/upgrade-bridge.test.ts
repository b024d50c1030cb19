import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import type { BridgeOptions } from "../../../src/server/websocket/upgrade-bridge.ts";
import {
  OPTIONS,
  Owner,
  closeBridges,
  hex,
  joined,
  loopTurns,
  openBridge,
  openBridged,
  writeAll,
} from "../../support/bridge.ts";
import { random } from "../../support/http1-rows.ts";
import { closePayload, frame, messageFrames } from "../../support/websocket.ts";
import { eventually } from "../../support/wire.ts";

afterEach(closeBridges);

// ── a bridged socket ──────────────────────────────────────────────────────────────────────────────────────────────────────────

describe("a bridged socket", () => {
  test("gives out messages, of text and of bytes, whole and in order", async () => {
    const { bridged, owner } = await openBridged();
    bridged.write(
      joined(
        { opcode: "text", payload: "räume ☃" },
        { opcode: "binary", payload: Uint8Array.of(1, 2, 255) },
        { opcode: "text", payload: "a", fin: false },
        { opcode: "continuation", payload: "b" },
        { opcode: "text" },
        { opcode: "binary" },
      ),
    );
    await eventually("all are there", () => owner.messages.length === 5);
    expect(owner.told).toEqual([
      ["message", "räume ☃"],
      ["message", "0102ff"],
      ["message", "ab"],
      ["message", ""],
      ["message", ""],
    ]);
    expect(owner.messages[1]).toBeInstanceOf(Uint8Array);
    expect(owner.messages[4]).toBeInstanceOf(Uint8Array);
  });

  test("tells of Pings in their place between messages, and takes Pongs for nothing", async () => {
    const { bridged, owner } = await openBridged();
    bridged.write(
      joined(
        { opcode: "pong", payload: "x" },
        { opcode: "ping", payload: "one" },
        { opcode: "text", payload: "a" },
        { opcode: "ping" },
        { opcode: "text", payload: "b", fin: false },
        { opcode: "ping", payload: new Uint8Array(125).fill(7) },
        { opcode: "continuation", payload: "c" },
      ),
    );
    await eventually("all are there", () => owner.told.length === 5);
    // Bun's own answers come out after that: they must not.
    bridged.endInput();
    await owner.tells("end");
    expect(
      owner.told.map(([what, value]) => [what, value instanceof Uint8Array ? hex(value) : value]),
    ).toEqual([
      ["ping", hex(Buffer.from("one"))],
      ["message", "a"],
      ["ping", ""],
      ["ping", "07".repeat(125)],
      ["message", "bc"],
      ["end", undefined],
    ]);
  });

  test("gives out payloads of Pings that stay as they are", async () => {
    const { bridged, owner } = await openBridged();
    for (let i = 0; i < 200; i++) {
      const payload = new Uint8Array(125).fill(i);
      await writeAll(bridged, owner, joined({ opcode: "ping", payload }, { opcode: "binary", payload }));
    }
    await eventually("all are there", () => owner.messages.length === 200);
    Bun.gc(true);
    const payloads = owner.told.flatMap(([what, value]) =>
      what === "ping" && value instanceof Uint8Array ? [value] : [],
    );
    expect(payloads.map(hex)).toEqual(
      Array.from({ length: 200 }, (_, at) => hex(new Uint8Array(125).fill(at))),
    );
    expect(owner.messages).toEqual(Array.from({ length: 200 }, (_, at) => new Uint8Array(125).fill(at)));
  });

  test("tells of the client's Close frame, gives out the answer, and ends", async () => {
    const { bridged, owner } = await openBridged();
    bridged.write(joined({ opcode: "close", payload: closePayload(4000, "bye ☃") }));
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["close frame", 4000, "bye ☃"],
      ["control", `88090fa0${hex(Buffer.from("bye ☃"))}`],
      ["end", 4000],
    ]);
  });

  test("tells of a Close frame without a code as 1005, and of no code at the end", async () => {
    const { bridged, owner } = await openBridged();
    bridged.write(joined({ opcode: "close" }));
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["close frame", 1005, ""],
      ["control", "8800"],
      ["end", undefined],
    ]);
  });

  test("closes, and does not tell of its own Close frame as if it were the client's", async () => {
    const { bridged, owner } = await openBridged();
    bridged.close(1001, "bye");
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["control", "880503e9627965"],
      ["end", 1001],
    ]);
  });

  const FAULTS: [about: string, bytes: Uint8Array, code: number][] = [
    ["a reserved opcode", joined({ opcode: 3 }), 1002],
    ["a frame without a mask", joined({ opcode: "text", payload: "a", mask: false }), 1002],
    ["bytes that are no UTF-8", joined({ opcode: "text", payload: Uint8Array.of(0xff) }), 1007],
    ["a message that is too long", joined({ opcode: "binary", length: OPTIONS.maxMessageSize + 1 }), 1009],
  ];
  test.each(FAULTS)("refuses %s with the code at its end", async (_about, bytes, code) => {
    const { bridged, owner } = await openBridged();
    bridged.write(bytes);
    await owner.tells("end");
    expect(owner.has("close frame")).toBe(false);
    const [control, end] = owner.told;
    expect(String(control?.[1])).toMatch(new RegExp(`^88..${code.toString(16).padStart(4, "0")}`));
    expect(end).toEqual(["end", code]);
    expect(owner.told).toHaveLength(2);
  });

  test("loses no Close frame when much more comes behind what is refused", async () => {
    const { bridged, owner } = await openBridged();
    const rest = new Uint8Array(100_000);
    for (let room = bridged.write(joined({ opcode: 3 })), i = 0; room && i < 100; i++)
      room = bridged.write(rest);
    await owner.tells("end");
    expect(owner.told.at(-1)).toEqual(["end", 1002]);
    expect(bridged.write(rest)).toBe(true); // nobody waits for what is over
  });

  test("ends once its input has, after all that was in it", async () => {
    const { bridged, owner } = await openBridged();
    bridged.write(
      joined({ opcode: "text", payload: "last" }, { opcode: "ping" }, { opcode: "text", fin: false }),
    );
    bridged.endInput();
    bridged.endInput();
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["message", "last"],
      ["ping", Buffer.alloc(0)],
      ["end", undefined],
    ]);
  });

  test("that is destroyed tells nothing more, and takes what it is given for nothing", async () => {
    const bridge = openBridge();
    const { bridged, owner } = await openBridged(bridge);
    bridged.write(joined({ opcode: "text", payload: "lost" }));
    bridged.destroy();
    expect(bridged.write(joined({ opcode: "text", payload: "late" }))).toBe(true);
    bridged.close(1000, "");
    bridged.endInput();
    bridged.destroy();
    // Another one opens and ends in the meantime.
    const other = await openBridged(bridge);
    other.bridged.close(1000, "");
    await other.owner.tells("end");
    expect(owner.told).toEqual([]);
  });

  const LAST = ["message", "ping", "open"] as const;
  test.each(LAST)("that is destroyed when it tells of %s tells nothing after that", async (last) => {
    const bridge = openBridge();
    const talk = joined(
      { opcode: "ping" },
      { opcode: "text", payload: "1" },
      { opcode: "ping" },
      { opcode: "text", payload: "2" },
      { opcode: "close", payload: closePayload(1000) },
    );
    for (let turns = 0; turns < 6; turns++) {
      const owner = new (class extends Owner {
        override onBridged(extensions: string): void {
          super.onBridged(extensions);
          if (last === "open") bridged.destroy();
        }
        override onMessage(message: string | Uint8Array): void {
          super.onMessage(message);
          if (last === "message") bridged.destroy();
        }
        override onPing(payload: Uint8Array): void {
          super.onPing(payload);
          if (last === "ping") bridged.destroy();
        }
      })();
      const bridged = bridge.open("", owner);
      await loopTurns(turns);
      bridged.write(talk);
      await owner.tells(last);
      const other = await openBridged(bridge);
      other.bridged.close(1000, "");
      await other.owner.tells("end");
      const kinds = owner.told.map(([what]) => what);
      expect(kinds.slice(kinds.indexOf(last))).toEqual([last]);
    }
  });

  test("that is destroyed at once never stands, and is not waited for", async () => {
    const bridge = openBridge();
    const owner = new Owner();
    const bridged = bridge.open("", owner);
    expect(bridge.expectedCount).toBe(1);
    bridged.destroy();
    expect(bridge.expectedCount).toBe(0);
    const other = await openBridged(bridge);
    other.bridged.close(1000, "");
    await other.owner.tells("end");
    expect(owner.told).toEqual([]);
  });

  test("does not mix with others", async () => {
    const bridge = openBridge();
    const owners = Array.from({ length: 50 }, () => new Owner());
    const opened = owners.map((owner) => bridge.open("", owner));
    expect(bridge.expectedCount).toBe(50);
    opened.forEach((bridged, at) => bridged.write(joined({ opcode: "text", payload: String(at) })));
    await eventually("all have their message", () => owners.every(({ messages }) => messages.length === 1));
    expect(owners.map(({ messages }) => messages[0])).toEqual(owners.map((_, at) => String(at)));
    expect(bridge.expectedCount).toBe(0);
  });
});

describe("what is written before a bridged socket stands", () => {
  const TALK = joined(
    { opcode: "text", payload: "one" },
    { opcode: "text", payload: "tw", fin: false },
    { opcode: "continuation", payload: "o" },
    { opcode: "close", payload: closePayload(1000) },
  );
  const TOLD = [
    ["open", ""],
    ["message", "one"],
    ["message", "two"],
    ["close frame", 1000, ""],
    ["control", "880203e8"],
    ["end", 1000],
  ] as const;

  test("is kept, and false says to wait", async () => {
    const owner = new Owner();
    const { writable } = owner;
    const bridged = openBridge().open("", owner);
    expect(bridged.write(TALK.subarray(0, 5))).toBe(false);
    expect(bridged.write(TALK.subarray(5))).toBe(false);
    await writable;
    await owner.tells("end");
    expect(owner.told).toEqual([...TOLD]);
  });

  test("is kept byte by byte", async () => {
    const owner = new Owner();
    const bridged = openBridge().open("", owner);
    for (const byte of TALK) bridged.write(Uint8Array.of(byte));
    await owner.tells("end");
    expect(owner.told).toEqual([...TOLD]);
  });

  test("is kept in whatever turn it is written", async () => {
    const owner = new Owner();
    const bridged = openBridge().open("", owner);
    for (const byte of TALK) {
      bridged.write(Uint8Array.of(byte));
      await loopTurns(1);
    }
    await owner.tells("end");
    expect(owner.told).toEqual([...TOLD]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    "is kept when all of it is written %d turns later",
    async (turns) => {
      const owner = new Owner();
      const bridged = openBridge().open("", owner);
      await loopTurns(turns);
      bridged.write(TALK);
      await owner.tells("end");
      expect(owner.told).toEqual([...TOLD]);
    },
  );

  test("is kept when the input ends there too", async () => {
    const owner = new Owner();
    const bridged = openBridge().open("", owner);
    bridged.write(TALK.subarray(0, 9));
    bridged.endInput();
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["open", ""],
      ["message", "one"],
      ["end", undefined],
    ]);
  });

  test("is kept when it is more than a socket takes", async () => {
    const owner = new Owner(true);
    const bridged = openBridge({ maxMessageSize: 8_000_000 }).open("", owner);
    const { writable } = owner;
    bridged.write(joined({ opcode: "binary", payload: new Uint8Array(5_000_000) }, { opcode: "ping" }));
    await writable;
    await eventually("the Ping behind it is told", () => owner.pings === 1);
  });
});

// ── much ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test("of 20 MB in pieces of any size nothing is lost, and write says when there is no room", async () => {
  const next = random(20);
  const frames: Uint8Array[] = [];
  const sent = createHash("sha256");
  let count = 0;
  for (let bytes = 0; bytes < 20_000_000; count++) {
    const length = Math.floor(next() ** 4 * 300_000);
    const payload = Buffer.alloc(length, `${count} and so on, `);
    sent.update(payload);
    frames.push(frame({ opcode: "binary", payload }));
    if (next() < 0.1) frames.push(frame({ opcode: "ping" }));
    bytes += length;
  }
  const all = Buffer.concat(frames);
  const got = createHash("sha256");
  let messages = 0;
  const owner = new (class extends Owner {
    override onMessage(message: string | Uint8Array): void {
      messages++;
      got.update(message);
    }
  })(true);
  const { bridged } = await openBridged(openBridge(), "", owner);
  let waits = 0;
  for (let at = 0; at < all.byteLength;) {
    const end = Math.min(all.byteLength, at + 1 + Math.floor(next() ** 3 * 1_000_000));
    const { writable } = owner;
    if (!bridged.write(all.subarray(at, end))) {
      waits++;
      await writable;
    }
    at = end;
  }
  await eventually("all messages are there", () => messages === count);
  expect(got.digest("hex")).toBe(sent.digest("hex"));
  expect(waits).toBeGreaterThan(0);
  bridged.endInput();
  await owner.tells("end");
});

test("what is written although there is no room is kept, and in order", async () => {
  const COUNT = 300;
  const bridge = openBridge();
  let written = 0;
  let isFull = false;
  const writeNext = (): void => {
    const payload = new Uint8Array(10_000).fill(written);
    isFull = !bridged.write(frame({ opcode: "binary", payload })) || isFull;
    if (++written === COUNT) bridged.endInput(); // which waits for all of them as well
  };
  const owner = new (class extends Owner {
    override onMessage(message: string | Uint8Array): void {
      super.onMessage(message);
      // The far end has made room, which those have a right to that wait.
      if (written < COUNT) writeNext();
    }
  })();
  const { bridged } = await openBridged(bridge, "", owner);
  while (written < COUNT / 2) writeNext();
  expect(isFull).toBe(true);
  await owner.tells("end");
  expect(owner.messages.map((each) => each.length)).toEqual(Array<number>(COUNT).fill(10_000));
  expect(owner.messages.map((each) => each[9999])).toEqual(
    Array.from({ length: COUNT }, (_, at) => at & 0xff),
  );
});

test("a client that pings without end is told of every time, and its bridged socket goes on", async () => {
  const pings = Buffer.concat(
    Array<Uint8Array>(500).fill(frame({ opcode: "ping", payload: new Uint8Array(125) })),
  );
  const { bridged, owner } = await openBridged(openBridge(), "", new Owner(true));
  // Bun's own answers would be 62 MB, if anything kept them: more than Bun lets wait.
  for (let i = 0; i < 1000; i++) await writeAll(bridged, owner, pings);
  await eventually("all are told", () => owner.pings === 500_000);
  bridged.close(1000, "");
  await owner.tells("end");
  expect(owner.told).toEqual([
    ["control", "880203e8"],
    ["end", 1000],
  ]);
});

// ── extensions: RFC 7692 ────────────────────────────────────────────────────────────────────────────────────────────

describe("extensions", () => {
  const agreedOn = async (offered: string, options?: Partial<BridgeOptions>): Promise<unknown> => {
    const owner = new Owner();
    openBridge(options).open(offered, owner);
    await owner.tells("open");
    return owner.told[0]?.[1];
  };

  test.each([
    ["none", "", ""],
    ["one that is not known", "x-none; a=1", ""],
    ["one that is not spelt right", '; ,="', ""],
    [
      "one with any byte",
      `x; a="\t${String.fromCharCode(
        ...Array(128)
          .keys()
          .map((each) => each + 128),
      )}"`,
      "",
    ],
  ])("%s: nothing is agreed on", async (_about, offered, agreed) => {
    expect(await agreedOn(offered)).toBe(agreed);
  });

  test("permessage-deflate is agreed on, each message by itself", async () => {
    for (const offered of [
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",
      "x-none, permessage-deflate",
    ]) {
      const agreed = String(await agreedOn(offered)).split(/;\s*/);
      expect(agreed[0]).toBe("permessage-deflate");
      expect(agreed).toContain("server_no_context_takeover");
      expect(agreed).toContain("client_no_context_takeover");
    }
  });

  test("none is agreed on without compression", async () => {
    expect(await agreedOn("permessage-deflate", { compression: false })).toBe("");
  });

  test("an offer that is longer than Bun reads is left out", async () => {
    expect(await agreedOn(`permessage-deflate, ${"x".repeat(4000)}`)).toStartWith("permessage-deflate");
    expect(await agreedOn(`permessage-deflate, ${"\xff".repeat(4000)}`)).toStartWith("permessage-deflate");
    for (const length of [5000, 16_000, 17_000, 100_000])
      expect(await agreedOn(`permessage-deflate, ${"x".repeat(length)}`)).toBe("");
  });

  test("compressed messages come out inflated", async () => {
    const { bridged, owner } = await openBridged(openBridge(), "permessage-deflate");
    const payload = "again and again, ".repeat(1000);
    bridged.write(joined(...messageFrames({ type: "text", payload, compressed: true, fragmentSize: 20 })));
    await owner.tells("message");
    expect(owner.messages).toEqual([payload]);
  });

  test("one that is too long when it is inflated is refused", async () => {
    const { bridged, owner } = await openBridged(
      openBridge({ maxMessageSize: 10_000 }),
      "permessage-deflate",
    );
    const payload = new Uint8Array(10_001);
    bridged.write(joined(...messageFrames({ type: "binary", payload, compressed: true })));
    await owner.tells("end");
    expect(owner.messages).toEqual([]);
    expect(owner.told.at(-1)).toEqual(["end", 1009]);
  });
});
