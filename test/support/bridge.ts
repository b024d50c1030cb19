import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { UpgradeBridge } from "../../src/server/websocket/upgrade-bridge.ts";
import type {
  BridgeOptions,
  BridgedSocket,
  BridgedSocketOwner,
} from "../../src/server/websocket/upgrade-bridge.ts";
import { frame } from "./websocket.ts";
import type { FrameOptions } from "./websocket.ts";
import { eventually } from "./wire.ts";

// The bridge to Bun's WebSocket by itself: no server, and an owner that only notes what it is told.

/** A message may have 1 MiB, and may be compressed. */
export const OPTIONS: BridgeOptions = { maxMessageSize: 1024 * 1024, compression: true };

/** The bytes of several frames. */
export const joined = (...frames: FrameOptions[]): Buffer => Buffer.concat(frames.map(frame));
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Notes what a bridged socket tells. */
export class Owner implements BridgedSocketOwner {
  /** Everything but `onBridgeWritable`, in order; control frames in hex. */
  readonly told: (readonly [what: string, ...rest: unknown[]])[] = [];
  pings = 0;
  messages: (string | Uint8Array)[] = [];
  readonly #isQuiet: boolean;
  #writable = Promise.withResolvers<void>();

  /** `isQuiet`: it does not keep messages, and only counts Pings. */
  constructor(isQuiet = false) {
    this.#isQuiet = isQuiet;
  }

  /** Resolves with the next `onBridgeWritable`. Ask for it before the write that it is about. */
  get writable(): Promise<void> {
    return this.#writable.promise;
  }

  has(what: string): boolean {
    return this.told.some(([each]) => each === what);
  }

  async tells(what: string): Promise<void> {
    await eventually(`the bridged socket tells of ${what}`, () => this.has(what));
  }

  onBridged(extensions: string): void {
    this.told.push(["open", extensions]);
  }
  onBridgeFailed(error: Error): void {
    this.told.push(["failed", error.message]);
  }
  onBridgeError(error: Error): void {
    this.told.push(["error", error.message]);
  }
  onMessage(message: string | Uint8Array): void {
    if (this.#isQuiet) return;
    this.messages.push(message);
    this.told.push(["message", typeof message === "string" ? message : hex(message)]);
  }
  onPing(payload: Uint8Array): void {
    this.pings++;
    if (!this.#isQuiet) this.told.push(["ping", payload]);
  }
  onControlFrames(frames: Uint8Array): void {
    this.told.push(["control", hex(frames)]);
  }
  onBridgeWritable(): void {
    this.#writable.resolve();
    this.#writable = Promise.withResolvers();
  }
  onCloseFrame(code: number, reason: string): void {
    this.told.push(["close frame", code, reason]);
  }
  onBridgeEnd(closeCode: number | undefined): void {
    this.told.push(["end", closeCode]);
  }
}

const bridges: UpgradeBridge[] = [];
const homes: string[] = [];

/** Opens a bridge that `closeBridges` closes. */
export function openBridge(options: Partial<BridgeOptions> = {}, isAbstract?: boolean): UpgradeBridge {
  const bridge = new UpgradeBridge({ ...OPTIONS, ...options }, isAbstract);
  bridges.push(bridge);
  return bridge;
}

/** A bridge in a folder, made in a folder of the test's own, for other processes make theirs in the usual one. */
export function openInFolder(): { bridge: UpgradeBridge; folder: string } {
  const home = mkdtempSync(join(tmpdir(), "bridge-test-"));
  homes.push(home);
  const usual = process.env["TMPDIR"];
  process.env["TMPDIR"] = home;
  try {
    const bridge = openBridge({}, false);
    const [name, ...others] = readdirSync(home);
    if (name === undefined || others.length > 0) throw new Error("the bridge made no folder, or several");
    return { bridge, folder: join(home, name) };
  } finally {
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
  }
}

/** Closes all bridges that tests have opened. Whatever they were about, no bridged socket may be waited for that cannot come. */
export async function closeBridges(): Promise<void> {
  for (const bridge of bridges.splice(0)) {
    bridge.close();
    await eventually("no bridged socket is waited for", () => bridge.expectedCount === 0);
  }
  for (const home of homes.splice(0)) rmSync(home, { recursive: true });
}

/** A bridged socket that stands. */
export async function openBridged(
  bridge = openBridge(),
  extensions = "",
  owner = new Owner(),
): Promise<{ bridged: BridgedSocket; owner: Owner }> {
  const bridged = bridge.open(extensions, owner);
  await owner.tells("open");
  owner.told.length = 0;
  return { bridged, owner };
}

/** Lets the event loop turn: what a bridged socket does on its way to standing takes several turns. */
export async function loopTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Writes, and waits until there is room for more. */
export async function writeAll(bridged: BridgedSocket, owner: Owner, bytes: Uint8Array): Promise<void> {
  const { writable } = owner;
  if (!bridged.write(bytes)) await writable;
}
