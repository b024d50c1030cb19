import { afterEach, expect, test } from "bun:test";
import fs from "node:fs";

import { ListenError } from "../../src/errors.ts";
import { duplicate } from "../../src/listening/listening-socket.ts";
import type { ListenAddress } from "../../src/options/listen-address.ts";
import { Sockets } from "../../src/process/sockets.ts";
import type { InheritedSocket } from "../../src/process/inherited-socket.ts";
import { Folder } from "../support/program.ts";
import { eventually } from "../support/wire.ts";

const LOOPBACK: ListenAddress = { type: "tcp", host: "127.0.0.1", port: 0 };

const opened: Sockets[] = [];
afterEach(() => {
  for (const sockets of opened.splice(0)) sockets.close();
});

function open(addresses: ListenAddress[], reusePort: boolean, inherited: InheritedSocket[] = []): Sockets {
  const sockets = new Sockets({ addresses, settings: {}, reusePort }, inherited);
  opened.push(sockets);
  return sockets;
}

/** What another program would get. */
function handDown(sockets: Sockets): InheritedSocket[] {
  return sockets.all.map((each) => ({ ...each, fd: duplicate(each.fd) }));
}

const portsOf = (sockets: Sockets, slot: number, target: number): number[] =>
  sockets
    .forSlot(slot, target)
    .map(({ socket }) => (socket.address.type === "tcp" ? socket.address.port : 0));

test("every slot has a socket of its own at the port that the first has found, and keeps it", () => {
  const sockets = open([LOOPBACK], true);
  const [port = 0] = portsOf(sockets, 1, 3);
  expect(port).toBeGreaterThan(0);
  for (const slot of [1, 2, 3]) expect(portsOf(sockets, slot, 3)).toEqual([port]);
  const fds = sockets.all.map(({ fd }) => fd);
  expect(new Set(fds).size).toBe(3);
  for (const slot of [1, 2, 3]) sockets.forSlot(slot, 3);
  expect(sockets.all.map(({ fd }) => fd)).toEqual(fds);
});

test("the last slot's socket gets no new connection, then is closed; a slot that is used again gets it back", async () => {
  const sockets = open([LOOPBACK], true);
  for (const slot of [1, 2, 3]) sockets.forSlot(slot, 3);
  const counts = [0, 0, 0];
  const listeners = sockets.all.map(({ fd }, i) =>
    Bun.listen({
      ...{ fd: duplicate(fd), hostname: "", port: 0 },
      socket: {
        open(socket) {
          counts[i] = (counts[i] ?? 0) + 1;
          socket.end();
        },
        data() {},
      },
    }),
  );
  const [port = 0] = portsOf(sockets, 1, 3);
  const connectOften = async (): Promise<boolean[]> => {
    counts.fill(0);
    for (let i = 0; i < 60; i++) await connectTo(port);
    return counts.map((count) => count > 0);
  };
  expect(await connectOften()).toEqual([true, true, true]);
  sockets.closeSlot(3);
  sockets.closeSlot(2);
  expect(await connectOften()).toEqual([true, false, false]);
  const before = sockets.all.map(({ fd }) => fd);
  sockets.forSlot(2, 2);
  expect(sockets.all.map(({ fd }) => fd)).toEqual(before);
  expect(await connectOften()).toEqual([true, true, false]);
  await eventually("the third is closed", () => sockets.all.length === 2);
  listeners[2]?.stop();
  sockets.forSlot(3, 3);
  expect(sockets.all).toHaveLength(3);
  for (const listener of listeners) listener.stop();
});

async function connectTo(port: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bun.connect({ hostname: "127.0.0.1", port, socket: { close: () => resolve(), data() {} } });
  await promise;
}

test("without SO_REUSEPORT, and at a path, all slots share one", () => {
  using folder = new Folder();
  const path = folder.file("sock");
  const sockets = open([LOOPBACK, { type: "unix", path }], false);
  expect(sockets.forSlot(2, 2)).toEqual(sockets.forSlot(1, 2));
  expect(sockets.all).toHaveLength(2);
  const mixed = open([LOOPBACK, { type: "unix", path: folder.file("other") }], true);
  for (const slot of [1, 2]) expect(mixed.forSlot(slot, 2)).toHaveLength(2);
  expect(mixed.all.map(({ slot }) => slot).toSorted()).toEqual([0, 1, 2]);
});

test("an address that somebody serves is refused, SO_REUSEPORT or not", () => {
  const first = open([LOOPBACK], true);
  const [port = 0] = portsOf(first, 1, 1);
  for (const reusePort of [true, false])
    expect(() => open([{ ...LOOPBACK, port }], reusePort)).toThrow(
      new ListenError(
        `Port ${port} on 127.0.0.1 is in use. Choose another with --port, or stop what listens there.`,
      ),
    );
});

test("one address of several that cannot be had lets go of the others", () => {
  using folder = new Folder({ file: "" });
  const path = folder.file("sock");
  expect(() =>
    open(
      [
        { type: "unix", path },
        { type: "unix", path: folder.file("file") },
      ],
      true,
    ),
  ).toThrow("exists and is not a socket");
  expect(fs.existsSync(path)).toBe(false);
});

test("a successor takes every slot's socket over, and those that it has no slots for too", () => {
  const before = open([LOOPBACK], true);
  const [port = 0] = [1, 2, 3].flatMap((slot) => portsOf(before, slot, 3));
  const after = open([LOOPBACK], true, handDown(before));
  expect(after.all).toHaveLength(3);
  expect(after.forSlot(1, 2)).toHaveLength(2);
  expect(after.forSlot(2, 2)).toHaveLength(1);
  expect(portsOf(after, 4, 4)).toEqual([port]);
});

test("a socket of a server without workers is shared by all slots", () => {
  const before = open([LOOPBACK], false);
  const after = open([LOOPBACK], true, handDown(before));
  expect(after.forSlot(1, 2)).toEqual(after.forSlot(2, 2));
  expect(after.all).toHaveLength(1);
});

test("the file of a Unix socket is removed by the program that serves there last", () => {
  using folder = new Folder();
  const path = folder.file("sock");
  const before = open([{ type: "unix", path }], true);
  const failing = open([{ type: "unix", path }], true, handDown(before));
  failing.close();
  expect(fs.existsSync(path)).toBe(true);
  const after = open([{ type: "unix", path }], true, handDown(before));
  after.ownsFiles = true;
  before.ownsFiles = false;
  before.close();
  expect(fs.existsSync(path)).toBe(true);
  after.close();
  expect(fs.existsSync(path)).toBe(false);
});
