import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { readCached, sendCached } from "../../src/system/file-pages.ts";

const SIZE = 3_000_000;
const BYTES = Buffer.alloc(SIZE);
for (let i = 0; i < SIZE; i += 4) BYTES.writeUInt32LE(i, i);

let folder: string;
let file: number;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pagi-pages-"));
  fs.writeFileSync(path.join(folder, "file"), BYTES);
  file = fs.openSync(path.join(folder, "file"), "r");
});
afterAll(() => {
  fs.closeSync(file);
  fs.rmSync(folder, { recursive: true });
});

describe("readCached", () => {
  test("reads at a position, up to the end, and 0 behind it", () => {
    const buffer = Buffer.alloc(100);
    expect(readCached(file, buffer, 40, 1000)).toBe(40);
    expect(buffer.subarray(0, 40).equals(BYTES.subarray(1000, 1040))).toBe(true);
    expect(buffer.subarray(40).every((byte) => byte === 0)).toBe(true);
    expect(readCached(file, buffer, 100, SIZE - 7)).toBe(7);
    expect(readCached(file, buffer, 100, SIZE)).toBe(0);
  });

  test("a descriptor that is not open, and a pipe, which has no positions, give nothing", () => {
    expect(readCached(987_654, Buffer.alloc(10), 10, 0)).toBeUndefined();
    const fifo = path.join(folder, "fifo");
    Bun.spawnSync(["mkfifo", fifo]);
    const pipe = fs.openSync(fifo, "r+");
    expect(readCached(pipe, Buffer.alloc(10), 10, 0)).toBeUndefined();
    fs.closeSync(pipe);
  });
});

/** A socket whose other end reads nothing until it is asked to. */
async function socketPair() {
  const received: Buffer[] = [];
  const { promise: accepted, resolve } = Promise.withResolvers<Bun.Socket<undefined>>();
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => resolve(socket), data() {} },
  });
  const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: listener.port,
    socket: { data: (_socket, bytes) => void received.push(bytes), close: () => onClose() },
  });
  client.pause();
  const socket = await accepted;
  return {
    socket,
    client,
    async rest(): Promise<Buffer> {
      socket.shutdown();
      client.resume();
      await closed;
      return Buffer.concat(received);
    },
    [Symbol.dispose]() {
      client.terminate();
      socket.terminate();
      listener.stop(true);
    },
  };
}

describe("sendCached", () => {
  test("gives a part of the file to the socket", async () => {
    using pair = await socketPair();
    expect(sendCached(pair.socket.fd, file, 5000, 30_000)).toBe(30_000);
    expect((await pair.rest()).equals(BYTES.subarray(5000, 35_000))).toBe(true);
  });

  test("a socket that is full takes a part, and then nothing; nothing is lost or sent twice", async () => {
    using pair = await socketPair();
    let sent = 0;
    let taken = -1;
    while (taken !== 0) {
      taken = sendCached(pair.socket.fd, file, sent % (SIZE / 2), SIZE / 2 - (sent % (SIZE / 2))) ?? -1;
      expect(taken).toBeGreaterThanOrEqual(0);
      sent += taken;
    }
    expect(sent).toBeGreaterThan(0);
    const received = await pair.rest();
    expect(received.length).toBe(sent);
    for (let at = 0; at < sent; at += SIZE / 2) {
      const part = received.subarray(at, at + SIZE / 2);
      expect(part.equals(BYTES.subarray(0, part.length))).toBe(true);
    }
  });

  test("a part that reaches over the end is left to reading, and so is what is not open", async () => {
    using pair = await socketPair();
    expect(sendCached(pair.socket.fd, file, SIZE - 10, 11)).toBeUndefined();
    expect(sendCached(pair.socket.fd, 987_654, 0, 10)).toBeUndefined();
    expect((await pair.rest()).length).toBe(0);
  });

  test("a socket that is closed, or whose client has gone, takes nothing", async () => {
    using pair = await socketPair();
    pair.client.terminate();
    let taken: number | undefined;
    for (let i = 0; i < 100 && taken !== 0; i++) {
      await Bun.sleep(5);
      taken = pair.socket.fd < 0 ? 0 : sendCached(pair.socket.fd, file, 0, 1000);
    }
    expect(taken).toBe(0);
    expect(sendCached(-1, file, 0, 1000)).toBe(0);
  });
});
