import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { OptionError } from "../../src/errors.ts";
import { AccessLog, type AccessRecord } from "../../src/logging/access-log.ts";
import { type DestinationKind, LogDestination } from "../support/log-destination.ts";
import { eventually } from "../support/wire.ts";

const MODULE = path.resolve(import.meta.dir, "../../src/logging/access-log.ts");

let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pagi-access-log-"));
  file = path.join(folder, "access.log");
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

function record(rawPath: string): AccessRecord {
  return {
    client: undefined,
    method: "GET",
    rawPath,
    queryString: "",
    httpVersion: "1.1",
    status: 200,
    bytes: 0,
    durationMs: 1,
    headers: [],
  };
}

function logged(): string {
  return fs.readFileSync(file, "latin1");
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Counts and may replace the writes to files; `undefined` stands for the real write. */
function interceptWrites(behave: (text: string, call: number) => number | undefined = () => undefined) {
  const real = fs.writeSync;
  let calls = 0;
  const spy = spyOn(fs, "writeSync");
  spy.mockImplementation(((fd: number, text: string) => {
    return behave(text, calls++) ?? real(fd, text, null, "latin1");
  }) as typeof fs.writeSync);
  return {
    get calls() {
      return calls;
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}

function fail(code: string): never {
  throw Object.assign(new Error(`${code}: it failed`), { code });
}

test("lines of one turn leave in one write, in order, after the turn", async () => {
  using writes = interceptWrites();
  const log = new AccessLog({ path: file }, "%U");
  for (let i = 0; i < 100; i++) log.write(record(`/${i}`));
  expect(logged()).toBe("");
  await endOfTurn();
  expect(writes.calls).toBe(1);
  expect(logged()).toBe(Array.from({ length: 100 }, (_, i) => `/${i}\n`).join(""));
  await log.close();
  expect(writes.calls).toBe(1);
});

test("a line behind others leaves 10 ms after them, and not with its turn", async () => {
  using writes = interceptWrites();
  const log = new AccessLog({ path: file }, "%U");
  const writtenBefore = performance.now();
  log.write(record("/first"));
  await endOfTurn();
  log.write(record("/second"));
  await eventually("the second batch is written", () => writes.calls === 2);
  expect(performance.now() - writtenBefore).toBeGreaterThanOrEqual(9);
  expect(logged()).toBe("/first\n/second\n");
  await log.close();
});

test("64 KiB are written without waiting for the end of the turn", async () => {
  using writes = interceptWrites();
  const log = new AccessLog({ path: file }, "%U");
  const long = `/${"x".repeat(1022)}`;
  for (let i = 0; i < 200; i++) log.write(record(long));
  expect(writes.calls).toBe(3);
  await log.close();
  expect(logged()).toBe(`${long}\n`.repeat(200));
});

test("flush writes at once, and appends to what is there", async () => {
  fs.writeFileSync(file, "before\n");
  const log = new AccessLog({ path: file }, "%U");
  log.write(record("/1"));
  log.flush();
  log.flush();
  expect(logged()).toBe("before\n/1\n");
  await log.close();
});

test("close writes what is left, may be called twice, and later lines are ignored", async () => {
  const log = new AccessLog({ path: file }, "%U");
  log.write(record("/1"));
  const first = log.close();
  expect(log.close()).toBe(first);
  log.write(record("/late"));
  await first;
  log.flush();
  log.reopen();
  await endOfTurn();
  expect(logged()).toBe("/1\n");
});

test("a write that takes only a part is continued", async () => {
  const real = fs.writeSync;
  const fds: number[] = [];
  const spy = spyOn(fs, "writeSync");
  spy.mockImplementation(((fd: number, text: string) => {
    fds.push(fd);
    return real(fd, text.slice(0, 7), null, "latin1");
  }) as typeof fs.writeSync);
  const log = new AccessLog({ path: file }, "%U");
  for (let i = 0; i < 10; i++) log.write(record(`/line/${i}`));
  await log.close();
  spy.mockRestore();
  expect(logged()).toBe(Array.from({ length: 10 }, (_, i) => `/line/${i}\n`).join(""));
  expect(fds.length).toBeGreaterThan(10);
});

test("reopen writes the old lines to the moved file and the new ones to a new file", async () => {
  const log = new AccessLog({ path: file }, "%U");
  log.write(record("/old"));
  fs.renameSync(file, `${file}.1`);
  log.reopen();
  log.write(record("/new"));
  await log.close();
  expect(fs.readFileSync(`${file}.1`, "latin1")).toBe("/old\n");
  expect(logged()).toBe("/new\n");
});

test("a reopen that fails is reported, and the old file is kept", async () => {
  const reports: string[] = [];
  const log = new AccessLog({ path: file }, "%U", (message) => reports.push(message));
  const moved = path.join(folder, "moved");
  fs.renameSync(file, moved);
  fs.mkdirSync(file);
  log.reopen();
  log.write(record("/still"));
  await log.close();
  expect(fs.readFileSync(moved, "latin1")).toBe("/still\n");
  expect(reports).toEqual([
    expect.stringMatching(/^The access log stays with its old file: .*is a directory/),
  ]);
});

test("a failing destination is reported once, and once more when it recovers", async () => {
  const reports: string[] = [];
  const log = new AccessLog({ path: file }, "%U", (message) => reports.push(message));
  {
    using _ = interceptWrites(() => fail("ENOSPC"));
    for (let i = 0; i < 5; i++) {
      log.write(record(`/lost/${i}`));
      log.write(record(`/lost/${i}`));
      log.flush();
    }
  }
  expect(reports).toEqual([expect.stringMatching(/cannot be written to '.*access\.log': ENOSPC: it failed/)]);
  log.write(record("/kept"));
  log.flush();
  expect(reports).toHaveLength(2);
  expect(reports[1]).toContain("again; 10 lines were lost");
  await log.close();
  expect(logged()).toBe("/kept\n");
});

test("a line that was cut by a full disk does not run into the next one", async () => {
  const reports: string[] = [];
  const log = new AccessLog({ path: file }, "%U", (message) => reports.push(message));
  {
    using _ = interceptWrites((text, call) => {
      if (call > 0) fail("ENOSPC");
      fs.appendFileSync(file, text.slice(0, 9));
      return 9;
    });
    for (const name of ["/1234", "/5678", "/9abc"]) log.write(record(name));
    log.flush();
    log.write(record("/lost"));
    log.flush();
  }
  for (const name of ["/good", "/fine"]) log.write(record(name));
  await log.close();
  expect(logged()).toBe("/1234\n/56\n/good\n/fine\n");
  expect(reports[1]).toContain("3 lines were lost");
});

test("a full pipe is tried again, in order, and then loses nothing", async () => {
  const reports: string[] = [];
  const log = new AccessLog({ path: file }, "%U", (message) => reports.push(message));
  using writes = interceptWrites((_, call) => (call < 3 ? fail("EAGAIN") : undefined));
  for (let i = 0; i < 4; i++) {
    log.write(record(`/${i}`));
    await endOfTurn();
  }
  await log.close();
  expect(writes.calls).toBeGreaterThan(3);
  expect(logged()).toBe("/0\n/1\n/2\n/3\n");
  expect(reports).toEqual([]);
});

test("what waits for a full pipe is bounded", async () => {
  const reports: string[] = [];
  const log = new AccessLog({ path: file }, "%U", (message) => reports.push(message));
  const long = `/${"x".repeat(1022)}`;
  {
    using writes = interceptWrites(() => fail("EAGAIN"));
    for (let i = 0; i < 2000; i++) log.write(record(long));
    expect(writes.calls).toBe(1);
  }
  expect(reports).toHaveLength(1);
  await log.close();
  expect(fs.statSync(file).size).toBe(1024 * 1024);
  expect(reports[1]).toContain(`${2000 - 1024} lines were lost`);
});

test.each<DestinationKind | "file">(["file", "pipe", "socket", "terminal"])(
  "standard error, a %s, is a destination that is never closed",
  async (kind) => {
    // In a process of its own: the runner decides what standard error is here.
    const program = `
      import fs from "node:fs";
      import { AccessLog } from ${JSON.stringify(MODULE)};
      const log = new AccessLog("stderr", "%h %U");
      log.write(${JSON.stringify(record("/1"))});
      log.reopen();
      await log.close();
      fs.writeSync(2, "still open\\n");
    `;
    using destination = kind === "file" ? undefined : new LogDestination(kind);
    const end = destination?.end ?? fs.openSync(file, "w");
    const child = Bun.spawn([process.execPath, "-e", program], { stdio: ["ignore", "ignore", end] });
    expect(await child.exited).toBe(0);
    if (destination === undefined) fs.closeSync(end);
    expect(destination?.read() ?? logged()).toBe("unix /1\nstill open\n");
  },
);

test.each<[why: string, relative: string, advice: RegExp]>([
  ["a missing directory", "missing/access.log", /directory does not exist. Create/],
  ["a directory", ".", /is a directory. Name a file/],
])("%s as path is an option error that says what to do", (_, relative, advice) => {
  const open = () => new AccessLog({ path: path.join(folder, relative) }, "clf");
  expect(open).toThrow(OptionError);
  expect(open).toThrow(/^--access-log: cannot append to '/);
  expect(open).toThrow(advice);
});

test("a format that cannot be compiled opens no file", () => {
  expect(() => new AccessLog({ path: file }, "%x")).toThrow(OptionError);
  expect(fs.existsSync(file)).toBe(false);
});
