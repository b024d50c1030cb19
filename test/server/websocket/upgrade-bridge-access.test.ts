import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";

import type { BridgedSocket, UpgradeBridge } from "../../../src/server/websocket/upgrade-bridge.ts";
import {
  Owner,
  closeBridges,
  joined,
  loopTurns,
  openBridge,
  openInFolder,
  openBridged,
} from "../../support/bridge.ts";
import { Wire, eventually } from "../../support/wire.ts";

afterEach(closeBridges);

// ── who else connects ───────────────────────────────────────────────────────────────────────────────────────────────

/** The names of the abstract sockets on which bridges of this process listen. Linux only. */
function abstractNames(): string[] {
  const names = readFileSync("/proc/net/unix", "latin1").match(/@pagi-\S+/g) ?? [];
  return [...new Set(names)].filter((name) => name.startsWith(`@pagi-${process.pid}-`));
}

/** A bridge and the path of its socket. */
function openFound(): { bridge: UpgradeBridge; path: string } {
  const before = abstractNames();
  const bridge = openBridge();
  const [name, ...others] = abstractNames().filter((each) => !before.includes(each));
  if (name === undefined || others.length > 0) throw new Error("the bridge's socket is not to be found");
  return { bridge, path: name.replace("@", "\0") };
}

async function openUnix(path: string): Promise<Wire> {
  const socket = connect({ path, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new Wire(socket);
}

/** The handshake that would open a bridged socket, if its path were right. */
const intruding = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: bridge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

function secretOf(bridged: BridgedSocket): string {
  if ("secret" in bridged && typeof bridged.secret === "string") return bridged.secret;
  throw new Error("the bridged socket has no secret");
}

describe.if(process.platform === "linux")("a stranger on the bridge's abstract socket", () => {
  const SECRET = crypto.randomUUID();
  const PATHS: [about: string, path: string][] = [
    ["no number", "/"],
    ["a number that is not waited for", `/7/${SECRET}`],
    ["the number that is waited for and a wrong secret", `/0/${SECRET}`],
    ["the number and no secret", "/0"],
    ["the number and an empty secret", "/0/"],
    ["the number and a secret of another length", `/0/${SECRET}x`],
    ["the number and a secret of as many chars and more bytes", `/0/${"é".repeat(SECRET.length)}`],
    ["a name that every object has", `/constructor/${SECRET}`],
  ];
  test.each(PATHS)(
    "with %s gets 404, and the bridged socket that was waited for stands",
    async (_about, path) => {
      const { bridge, path: name } = openFound();
      await using stranger = await openUnix(name);
      const owner = new Owner();
      const bridged = bridge.open("", owner);
      await stranger.send(intruding(path));
      expect((await stranger.response()).status).toBe(404);
      await owner.tells("open");
      bridged.write(joined({ opcode: "text", payload: "hi" }));
      await owner.tells("message");
      expect(owner.messages).toEqual(["hi"]);
      expect((await stranger.readToEnd()).length).toBe(0);
    },
  );

  test("with a secret that was used gets 404", async () => {
    const { bridge, path } = openFound();
    const { bridged, owner } = await openBridged(bridge);
    await using stranger = await openUnix(path);
    await stranger.send(intruding(`/0/${secretOf(bridged)}`));
    expect((await stranger.response()).status).toBe(404);
    bridged.write(joined({ opcode: "text", payload: "hi" }));
    await owner.tells("message");
    expect(owner.told).toEqual([["message", "hi"]]);
  });

  test("with the secret of a bridged socket that was destroyed gets 404", async () => {
    const { bridge, path } = openFound();
    await using stranger = await openUnix(path);
    const bridged = bridge.open("", new Owner());
    const secret = secretOf(bridged);
    bridged.destroy();
    await stranger.send(intruding(`/0/${secret}`));
    expect((await stranger.response()).status).toBe(404);
  });

  test("with the secret of another bridged socket gets 404", async () => {
    const { bridge, path } = openFound();
    await using stranger = await openUnix(path);
    const owners = [new Owner(), new Owner()] as const;
    bridge.open("", owners[0]);
    const other = bridge.open("", owners[1]);
    await stranger.send(intruding(`/0/${secretOf(other)}`));
    expect((await stranger.response()).status).toBe(404);
    for (const owner of owners) await owner.tells("open");
  });

  test("who asks for no WebSocket gets 404", async () => {
    const { path } = openFound();
    await using stranger = await openUnix(path);
    await stranger.send("GET / HTTP/1.1\r\nHost: bridge\r\n\r\n");
    expect((await stranger.response()).status).toBe(404);
  });

  test("every bridged socket has a secret of its own", () => {
    const bridge = openBridge();
    const secrets = Array.from({ length: 100 }, () => secretOf(bridge.open("", new Owner())));
    expect(new Set(secrets).size).toBe(100);
    expect(Math.min(...secrets.map(({ length }) => length))).toBe(36);
  });
});

// ── a folder instead of an abstract name ────────────────────────────────────────────────────────────────────────────

describe("a bridge in a folder", () => {
  test("works as the other one; nobody else may look into it, and it goes with the bridge", async () => {
    const { bridge, folder } = openInFolder();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toHaveLength(1);
    const { bridged, owner } = await openBridged(bridge);
    bridged.write(joined({ opcode: "text", payload: "hi" }, { opcode: "close" }));
    await owner.tells("end");
    expect(owner.told).toEqual([
      ["message", "hi"],
      ["close frame", 1005, ""],
      ["control", "8800"],
      ["end", undefined],
    ]);
    bridge.close();
    expect(existsSync(folder)).toBe(false);
    bridge.close(); // once more does no harm
  });

  test.if(process.platform === "linux")("has no abstract name", () => {
    const before = abstractNames();
    openInFolder();
    expect(abstractNames()).toEqual(before);
  });
});

// ── the end of a bridge ─────────────────────────────────────────────────────────────────────────────────────────────

describe("when a bridge is closed", () => {
  test("bridged sockets end; no Close frame of the client is told, for there was none", async () => {
    const bridge = openBridge();
    const opened = await Promise.all(Array.from({ length: 10 }, () => openBridged(bridge)));
    bridge.close();
    for (const { owner } of opened) {
      await owner.tells("end");
      expect(owner.has("close frame")).toBe(false);
      expect(owner.told.filter(([what]) => what === "end")).toHaveLength(1);
    }
  });

  test("bridged sockets that do not stand yet fail, once", async () => {
    const bridge = openBridge();
    const owner = new Owner();
    bridge.open("", owner);
    bridge.close();
    await owner.tells("failed");
    expect(owner.told).toHaveLength(1);
    expect(bridge.expectedCount).toBe(0);
  });

  test.each([true, false])(
    "a bridged socket that is opened after that fails (abstract: %p)",
    async (isAbstract) => {
      const bridge = openBridge({}, isAbstract);
      bridge.close();
      const owner = new Owner();
      const bridged = bridge.open("", owner);
      await owner.tells("failed");
      expect(owner.told).toHaveLength(1);
      expect(bridge.expectedCount).toBe(0);
      expect(bridged.write(Uint8Array.of(1))).toBe(true);
    },
  );

  test.if(process.platform === "linux")(
    "its descriptors are closed, those of its bridged sockets too",
    async () => {
      const count = (): number => readdirSync("/proc/self/fd").length;
      const { bridged } = await openBridged(); // what Bun opens once is open now
      bridged.destroy();
      const before = count();
      const bridge = openBridge();
      const opened = await Promise.all(Array.from({ length: 20 }, () => openBridged(bridge)));
      expect(count()).toBeGreaterThanOrEqual(before + 40);
      opened.forEach((each, at) => (at % 2 === 0 ? each.bridged.destroy() : each.bridged.close(1000, "")));
      await eventually("the bridged sockets are closed", () => count() <= before + 1);
      for (let i = 0; i < 20; i++) {
        const early = bridge.open("", new Owner());
        await loopTurns(i % 5);
        early.destroy();
      }
      await eventually("those that never stood are closed too", () => count() <= before + 1);
      bridge.close();
      await eventually("the listener is closed", () => count() <= before);
    },
  );
});

test("what an owner throws on a message costs its own bridged socket, and the process goes on", async () => {
  class Clumsy extends Owner {
    override onMessage(): void {
      throw new Error("clumsy");
    }
  }
  const bridge = openBridge();
  const clumsy = new Clumsy();
  const careful = new Owner();
  bridge.open("", clumsy).write(joined({ opcode: "text", payload: "a" }));
  await clumsy.tells("end");
  expect(clumsy.told.map(([what]) => what)).toEqual(["open", "error", "end"]);
  bridge.open("", careful).write(joined({ opcode: "text", payload: "b" }));
  await careful.tells("message");
});
