import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import type { HttpHandler, HttpSendEvent } from "../../../src/spec/index.ts";
import { pumpFile } from "../../../src/server/connection/send-file.ts";
import { WriteBuffer } from "../../../src/server/connection/write-buffer.ts";
import { loadFunctions } from "../../../src/system/c-library.ts";
import { Certificates } from "../../support/certificates.ts";
import { startHttp } from "../../support/server.ts";
import { Wire, eventually, get, request } from "../../support/wire.ts";

type BodyEvent = Extract<HttpSendEvent, { type: "http.response.body" }>;

let folder: string;
const inFolder = (name: string): string => path.join(folder, name);

/** 100 000 bytes, no two places alike: more than what is read at once. */
const LARGE = Buffer.from(Array.from({ length: 20_000 }, (_, i) => String(10_000 + i)).join(""));
const SMALL = Buffer.from("0123456789");

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pagi-files-"));
  fs.writeFileSync(inFolder("small"), SMALL);
  fs.writeFileSync(inFolder("large"), LARGE);
  fs.writeFileSync(inFolder("empty"), "");
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** An application that answers with a file, by length or in chunks. */
function sends(event: () => Omit<BodyEvent, "type">, headers: [string, string][] = []): HttpHandler {
  return async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", ...event() } as BodyEvent);
  };
}

const descriptors = (): number =>
  [...new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false })].length;

describe("PAGI Www, Response Body: file and fh", () => {
  const ranges: [string, { offset?: number; length?: number }][] = [
    ["whole", {}],
    ["from an offset", { offset: 7 }],
    ["of a length", { length: 5 }],
    ["from an offset, of a length", { offset: 3, length: 4 }],
    ["of a length beyond the end", { offset: 5, length: 1_000_000 }],
    ["from an offset beyond the end", { offset: 1_000_000 }],
    ["of no length", { length: 0 }],
  ];
  const files: [string, Buffer][] = [
    ["small", SMALL],
    ["large", LARGE],
    ["empty", Buffer.alloc(0)],
  ];
  const sources: [
    string,
    (
      name: string,
    ) =>
      | { value: Partial<BodyEvent>; close?: () => unknown }
      | Promise<{ value: Partial<BodyEvent>; close?: () => unknown }>,
  ][] = [
    ["file", (name) => ({ value: { file: inFolder(name) } })],
    [
      "FileHandle",
      async (name) => {
        const handle = await fs.promises.open(inFolder(name));
        return { value: { fh: handle }, close: () => handle.close() };
      },
    ],
    [
      "descriptor",
      (name) => {
        const descriptor = fs.openSync(inFolder(name), "r");
        return { value: { fh: descriptor }, close: () => fs.closeSync(descriptor) };
      },
    ],
    ["Bun.file", (name) => ({ value: { fh: Bun.file(inFolder(name)) } })],
    ["Blob", (name) => ({ value: { fh: new Blob([fs.readFileSync(inFolder(name))]) } })],
  ];
  for (const [sourceName, open] of sources) {
    test.each(ranges)(`${sourceName}: %s`, async (_name, range) => {
      for (const [name, bytes] of files) {
        const offset = range.offset ?? 0;
        const expected = bytes.subarray(
          offset,
          range.length === undefined ? undefined : offset + range.length,
        );
        for (const first of [
          get("/"),
          "GET / HTTP/1.0\r\n\r\n",
          get("/length"),
          "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        ]) {
          const { value, close } = await open(name);
          const headers: [string, string][] = first.includes("length")
            ? [["content-length", String(expected.length)]]
            : [];
          await using server = await startHttp(sends(() => ({ ...value, ...range }) as BodyEvent, headers));
          const response = await request(server, first);
          expect(response.status).toBe(200);
          expect(response.body === (first.startsWith("HEAD") ? "" : expected.toString("latin1"))).toBe(true);
          expect(server.logger.messages("error")).toEqual([]);
          await close?.();
        }
      }
    });
  }

  test.each([
    ["a slice", () => Bun.file(inFolder("large")).slice(10, 70_000), () => LARGE.subarray(10, 70_000)],
    [
      "a slice of a slice",
      () => Bun.file(inFolder("large")).slice(10, 80_000).slice(5, 60_000),
      () => LARGE.subarray(15, 60_010),
    ],
    ["a slice beyond the end", () => Bun.file(inFolder("small")).slice(4, 1000), () => SMALL.subarray(4)],
    ["a Blob's slice", () => new Blob([LARGE]).slice(10, 70_000), () => LARGE.subarray(10, 70_000)],
    ["a File", () => new File([LARGE], "name"), () => LARGE],
  ])("%s of a Blob", async (_name, blob, expected) => {
    await using server = await startHttp(sends(() => ({ fh: blob(), offset: 2, length: 60_000 })));
    const response = await request(server, get("/"));
    expect(response.body === expected().subarray(2, 60_002).toString("latin1")).toBe(true);
  });

  test("a file behind other chunks, `more` ignored, and trailers behind a file", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: true });
      await send({ type: "http.response.body", body: "before:", more: true });
      await send({ type: "http.response.body", file: inFolder("small"), more: true });
      await send({ type: "http.response.trailers", headers: [["x", "y"]] });
    });
    const response = await request(server, get("/"));
    expect(response.body).toBe("before:0123456789");
    expect(response.trailers).toEqual([["x", "y"]]);
  });

  test("an fh stays the application's: it is neither moved nor closed", async () => {
    const handle = await fs.promises.open(inFolder("small"));
    await using server = await startHttp(sends(() => ({ fh: handle })));
    for (let i = 0; i < 2; i++) expect((await request(server, get("/"))).body).toBe("0123456789");
    expect((await handle.read(Buffer.alloc(3), 0, 3)).bytesRead).toBe(3);
    await handle.close();
  });

  test("a pipe as fh is read to its end, and no further than a length", async () => {
    for (const [event, expected] of [
      [{}, "from a pipe".repeat(10_000)],
      [{ length: 6 }, "from a"],
    ] as const) {
      const fifo = inFolder(`fifo-${expected.length}`);
      Bun.spawnSync(["mkfifo", fifo]);
      fs.writeFileSync(inFolder("pipe-text"), "from a pipe".repeat(10_000));
      const source = Bun.spawn(["sh", "-c", 'cat "$0" >"$1"', inFolder("pipe-text"), fifo], {
        stderr: "ignore",
      });
      const handle = await fs.promises.open(fifo, "r");
      await using server = await startHttp(sends(() => ({ fh: handle, ...event })));
      expect((await request(server, get("/"))).body).toBe(expected);
      await handle.close();
      await source.exited;
    }
  });

  test("a regular file's offset is refused for a pipe", async () => {
    const fifo = inFolder("fifo-offset");
    Bun.spawnSync(["mkfifo", fifo]);
    const descriptor = fs.openSync(fifo, "r+");
    await using server = await startHttp(sends(() => ({ fh: descriptor, offset: 3 })));
    expect((await request(server, get("/"))).status).toBe(500);
    fs.closeSync(descriptor);
  });
});

describe("PAGI Www, Response Body: errors", () => {
  const failing: [string, () => Partial<BodyEvent>][] = [
    ["a missing file", () => ({ file: inFolder("missing") })],
    ["a path through a file", () => ({ file: `${inFolder("small")}/x` })],
    ["a directory", () => ({ file: folder })],
    ["a missing Bun.file", () => ({ fh: Bun.file(inFolder("missing")) })],
    ["a directory as Bun.file", () => ({ fh: Bun.file(folder) })],
    ["a descriptor that is not open", () => ({ fh: 987_654 })],
    ["a file longer than the content-length", () => ({ file: inFolder("small") })],
    ["a large file longer than the content-length", () => ({ file: inFolder("large") })],
  ];

  test.each(failing)(
    "%s: send rejects, nothing has left, and the application can answer 404",
    async (_name, event) => {
      for (const validateEvents of [true, false]) {
        const errors: { code: string }[] = [];
        await using server = await startHttp(
          async (_scope, _receive, send) => {
            await send({
              type: "http.response.start",
              status: 200,
              headers: [
                ["content-length", "5"],
                ["x-wrong", "1"],
              ],
            });
            await send({ type: "http.response.body", ...event() } as BodyEvent).catch((error) =>
              errors.push(error),
            );
            await send({ type: "http.response.start", status: 404 });
            await send({ type: "http.response.body", body: "none here" });
          },
          { validateEvents },
        );
        const response = await request(server, get("/"));
        expect([response.status, response.body]).toEqual([404, "none here"]);
        expect(response.headers.map(([name]) => name)).not.toContain("x-wrong");
        expect(errors.map((each) => each.code)).toEqual(["ERR_PAGI_EVENT"]);
      }
    },
  );

  test.skipIf(process.seteuid === undefined)(
    "a file that may not be read is refused in the same way",
    async () => {
      const name = inFolder("forbidden");
      fs.writeFileSync(name, "secret", { mode: 0o000 });
      const codes: unknown[] = [];
      await using server = await startHttp(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        // Root may read everything; for as long as send opens the file, be somebody else.
        const isRoot = process.geteuid?.() === 0;
        if (isRoot) process.seteuid?.(65_534);
        const sending = send({ type: "http.response.body", file: name });
        if (isRoot) process.seteuid?.(0);
        await sending.catch((error) => codes.push(error.code));
        await send({ type: "http.response.start", status: 403 });
        await send({ type: "http.response.body", body: "no" });
      });
      const response = await request(server, get("/"));
      expect([response.status, response.body, codes]).toEqual([403, "no", ["ERR_PAGI_EVENT"]]);
    },
  );

  test("a closed FileHandle is refused", async () => {
    const handle = await fs.promises.open(inFolder("small"));
    await handle.close();
    for (const validateEvents of [true, false]) {
      await using server = await startHttp(
        sends(() => ({ fh: handle })),
        { validateEvents },
      );
      expect((await request(server, get("/"))).status).toBe(500);
    }
  });

  test("a missing file that the application does not catch is a 500", async () => {
    await using server = await startHttp(sends(() => ({ file: inFolder("missing") })));
    expect((await request(server, get("/"))).status).toBe(500);
    expect(server.logger.messages("error")).toEqual(["GET /: the application threw"]);
  });

  test("behind bytes that have left, a missing file rejects and the application may go on in another way", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "part, ", more: true });
      await Bun.sleep(5);
      await send({ type: "http.response.body", file: inFolder("missing") }).catch(() => {});
      await send({ type: "http.response.body", body: "and another" });
    });
    expect((await request(server, get("/"))).body).toBe("part, and another");
  });

  test("another event while a file is being sent is a StateError", async () => {
    const codes: unknown[] = [];
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      const sending = send({ type: "http.response.body", file: inFolder("large") });
      await send({ type: "http.response.body", body: "x" }).catch((error) => codes.push(error.code));
      await sending;
    });
    expect((await request(server, get("/"))).body).toHaveLength(LARGE.length);
    expect(codes).toEqual(["ERR_PAGI_STATE"]);
  });

  test("a file that shrinks while it is sent: send rejects, and the client sees a truncated response", async () => {
    const name = inFolder("shrinking");
    fs.writeFileSync(name, Buffer.alloc(20_000_000));
    const { promise: rejection, resolve } = Promise.withResolvers<unknown>();
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "20000000"]] });
      await send({ type: "http.response.body", file: name }).catch(resolve);
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.readTo("\r\n\r\n");
    wire.pause();
    await Bun.sleep(50);
    fs.truncateSync(name, 10_000_000);
    wire.resume();
    expect(await rejection).toMatchObject({
      code: "ERR_PAGI_EVENT",
      message: expect.stringContaining("10000000 bytes early"),
    });
    expect(await wire.readToEnd()).toHaveLength(10_000_000);
  });

  test.skipIf(process.platform !== "linux")(
    "no descriptor is left, whatever happens to the client",
    async () => {
      fs.writeFileSync(inFolder("huge"), "");
      fs.truncateSync(inFolder("huge"), 50_000_000);
      await using server = await startHttp(sends(() => ({ file: inFolder("huge") })));
      await using _warm = await Wire.open(server);
      const before = descriptors();
      for (let i = 0; i < 10; i++) {
        const wire = await Wire.open(server);
        await wire.send(get("/"));
        await wire.readTo("\r\n\r\n");
        if (i % 2 === 0) wire.reset();
        else await wire[Symbol.asyncDispose]();
      }
      await eventually("only one connection is left", () => server.server.connectionCount === 1);
      await eventually("no descriptor is left", () => descriptors() <= before);
      expect(server.logger.messages("error")).toEqual([]);
    },
  );
});

describe("large files", () => {
  test("200 MB to a client that stops for a while: whole, and not in memory", async () => {
    const size = 200_000_000;
    const name = inFolder("large-sparse");
    fs.writeFileSync(name, "begin");
    fs.truncateSync(name, size - 3);
    fs.appendFileSync(name, "end");
    const amounts: number[] = [];
    let isSent = false;
    await using server = await startHttp(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["content-length", String(size)]] });
      const sending = send({ type: "http.response.body", file: name });
      const timer = setInterval(() => amounts.push(scope["pagi.transport"]?.bufferedAmount() ?? 0), 5);
      await sending;
      clearInterval(timer);
      isSent = true;
    });
    let received = 0;
    let last = "";
    let highest = 0;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const client = await Bun.connect({
      hostname: server.host,
      port: server.port,
      socket: {
        open: (socket) => void socket.write(get("/", "Connection: close")),
        data: (socket, bytes) => {
          received += bytes.length;
          last = (last + bytes.toString("latin1", Math.max(0, bytes.length - 3))).slice(-3);
          if (received > 20_000_000 && highest === 0) {
            highest = 1;
            socket.pause();
            setTimeout(() => {
              highest = process.memoryUsage().rss;
              socket.resume();
            }, 150);
          }
        },
        close: () => resolve(),
      },
    });
    const before = process.memoryUsage().rss;
    await done;
    client.end();
    expect(isSent).toBe(true);
    expect(received).toBeGreaterThan(size);
    expect(last).toBe("end");
    expect(highest - before).toBeLessThan(100e6);
    expect(Math.max(0, ...amounts)).toBeLessThan(1e6);
  }, 20_000);

  test("many slow downloads at a time get their own bytes", async () => {
    const name = inFolder("pattern");
    const bytes = Buffer.alloc(8_000_000);
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i);
    fs.writeFileSync(name, bytes);
    await using server = await startHttp(async (scope, _receive, send) => {
      const offset = Number(scope.query_string) * 4;
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", file: name, offset });
    });
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        await using wire = await Wire.open(server);
        await wire.send(get(`/?${i}`));
        const response = wire.response();
        for (let round = 0; round < 5; round++) {
          wire.pause();
          await Bun.sleep(5 + i);
          wire.resume();
          await Bun.sleep(1);
        }
        const { body } = await response;
        expect(Buffer.from(body, "latin1").equals(bytes.subarray(i * 4))).toBe(true);
      }),
    );
  }, 20_000);
});

const libc = loadFunctions({ posix_fadvise: { args: ["int", "i64", "i64", "int"], returns: "int" } });

/** Makes the kernel forget what it has of a file, as far as the file system lets it. */
function dropFromCache(name: string): void {
  const descriptor = fs.openSync(name, "r+");
  fs.fsyncSync(descriptor);
  const POSIX_FADV_DONTNEED = 4;
  expect(libc.posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)).toBe(0);
  fs.closeSync(descriptor);
}

describe("from the page cache, and from the disk", () => {
  const bytes = Buffer.alloc(12_000_000);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i);

  test.each([
    ["a file that the kernel has", () => {}],
    ["a file that is on the disk only", dropFromCache],
    [
      "a file of which the kernel has the beginning",
      (name: string) => {
        dropFromCache(name);
        const descriptor = fs.openSync(name, "r");
        fs.readSync(descriptor, Buffer.alloc(2_000_000), 0, 2_000_000, 0);
        fs.closeSync(descriptor);
      },
    ],
  ])(
    "%s arrives whole, over TCP, over TLS and over a Unix socket",
    async (_name, prepare) => {
      const name = inFolder("cache");
      fs.writeFileSync(name, bytes);
      const app = sends(
        () => ({ file: name, offset: 3, length: 11_000_000 }),
        [["content-length", "11000000"]],
      );
      using certificates = new Certificates();
      const { cert, key } = certificates.selfSigned("/CN=localhost");
      const options = [{}, { sslCert: [cert], sslKey: [key] }];
      for (const each of options) {
        await using server = await startHttp(app, each);
        prepare(name);
        const scheme = "sslCert" in each ? "https" : "http";
        const response = await fetch(`${scheme}://127.0.0.1:${server.port}/`, {
          tls: { rejectUnauthorized: false },
        });
        const body = Buffer.from(await response.arrayBuffer());
        expect(body.equals(bytes.subarray(3, 11_000_003))).toBe(true);
      }
      const unix = inFolder("socket");
      await using server = await startHttp(app, { port: undefined, listen: [`unix:${unix}`] });
      prepare(name);
      const response = await fetch("http://localhost/", { unix });
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(3, 11_000_003))).toBe(true);
      expect(server.logger.messages("error")).toEqual([]);
    },
    30_000,
  );

  test("one download takes at most 1 MiB of a turn, however fast its client is", async () => {
    fs.writeFileSync(inFolder("turns"), bytes);
    const descriptor = fs.openSync(inFolder("turns"), "r");
    let received = 0;
    const sink = {
      write: (_bytes: Uint8Array, _offset: number, length: number) => {
        received += length;
        return length;
      },
    };
    const output = new WriteBuffer(sink, { onBlocked() {}, onHeld() {} });
    const turns: number[] = [];
    let last = 0;
    const count = (): void => {
      turns.push(received - last);
      last = received;
      if (received < bytes.length) setImmediate(count);
    };
    setImmediate(count);
    const sent = await pumpFile({ output, plainDescriptor: -1 }, descriptor, 0, bytes.length);
    fs.closeSync(descriptor);
    expect([sent, received, output.taken]).toEqual([bytes.length, bytes.length, bytes.length]);
    expect(Math.max(...turns)).toBeLessThanOrEqual(2 ** 20 + 256 * 1024);
  });

  test("downloads and their clients come and go; a descriptor that is reused gets nobody else's bytes", async () => {
    fs.writeFileSync(inFolder("churn"), bytes);
    await using server = await startHttp(async (scope, _receive, send) => {
      const isFile = scope.path === "/file";
      await send({
        type: "http.response.start",
        status: 200,
        headers: [["content-length", isFile ? "12000000" : "5"]],
      });
      if (isFile) await send({ type: "http.response.body", file: inFolder("churn") });
      else await send({ type: "http.response.body", body: "hello" });
    });
    for (let round = 0; round < 30; round++) {
      const wire = await Wire.open(server);
      await wire.send(get("/file"));
      await wire.readTo("\r\n\r\n");
      wire.reset();
      // The next connection may well get the number of the last one.
      const response = await request(server, get("/"));
      expect(response.body).toBe("hello");
    }
    expect(server.logger.messages("error")).toEqual([]);
  }, 20_000);
});
