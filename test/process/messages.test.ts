import { expect, test } from "bun:test";

import { describeExit, describeRunning, outOfMemoryKills } from "../../src/process/exit-reason.ts";
import { inheritedSockets } from "../../src/process/inherited-socket.ts";
import { envelope, readCommand, readReport } from "../../src/process/messages.ts";
import type { WorkerCommand, Report } from "../../src/process/messages.ts";

test("every message comes out as it went in, through JSON", () => {
  const orders: WorkerCommand[] = [
    {
      type: "configure",
      options: { port: 1 },
      application: "app.ts",
      workerNumber: 2,
      sockets: [3, 4],
      journal: 5,
      channel: 6,
    },
    {
      type: "configure",
      options: {},
      application: undefined,
      workerNumber: 1,
      sockets: [],
      journal: undefined,
      channel: undefined,
    },
    { type: "finish", isFollowed: true, isLast: false },
    { type: "finish", isFollowed: false, isLast: true },
    { type: "cut" },
    { type: "reopen" },
    { type: "adopt", slot: 2 },
    { type: "release", slot: 2 },
  ];
  const reports: Report[] = [
    { type: "starting", limit: 30 },
    { type: "ready" },
    { type: "ready", note: "few connections" },
    { type: "beat", connections: 7 },
    { type: "expiring", why: "has served 1000 requests" },
    { type: "failed", text: "no" },
  ];
  const sent = (message: WorkerCommand | Report): unknown => JSON.parse(JSON.stringify(envelope(message)));
  for (const order of orders) expect(readCommand(sent(order))).toEqual(order);
  for (const report of reports) expect(readReport(sent(report))).toEqual(report);
  for (const order of orders) expect(readReport(sent(order))).toBeUndefined();
  for (const report of reports) expect(readCommand(sent(report))).toBeUndefined();
});

test("what an application sends over the same channel is none of ours", () => {
  const strange: unknown[] = [
    ...[
      undefined,
      null,
      "ready",
      1,
      [],
      {},
      { type: "ready" },
      { "pagi-server": null },
      { "pagi-server": "ready" },
    ],
    ...[
      { "pagi-server": { type: "beat" } },
      { "pagi-server": { type: "configure", workerNumber: 1, sockets: [] } },
    ],
  ];
  for (const message of strange) {
    expect(readCommand(message)).toBeUndefined();
    expect(readReport(message)).toBeUndefined();
  }
});

test("only descriptions of sockets are sockets", () => {
  const good = { fd: 3, asked: "127.0.0.1:80", slot: 1, fileId: "" };
  expect(inheritedSockets([good, { ...good, fd: "3" }, null, 3, { fd: 3 }])).toEqual([good]);
  for (const none of [undefined, null, {}, "x"]) expect(inheritedSockets(none)).toEqual([]);
});

test("the kernel's count of kills for want of memory is a number that does not fall", () => {
  const first = outOfMemoryKills();
  expect(Number.isSafeInteger(first)).toBe(true);
  expect(first).toBeGreaterThanOrEqual(0);
  expect(outOfMemoryKills()).toBeGreaterThanOrEqual(first);
});

test("how a process has ended, as a part of a sentence", () => {
  const rows: [Parameters<typeof describeExit>, string][] = [
    [[{ code: 1, signal: null }, undefined, false], "exited with code 1"],
    [[{ code: 1, signal: null }, "no database", false], "said: no database"],
    // The log's sentence ends it.
    [[{ code: 1, signal: null }, "There is no file 'app.ts'.\n", false], "said: There is no file 'app.ts'"],
    [[{ code: null, signal: "SIGSEGV" }, undefined, true], "was killed by SIGSEGV"],
    [[{ code: null, signal: "SIGKILL" }, undefined, false], "was killed by SIGKILL"],
    [
      [{ code: null, signal: "SIGKILL" }, undefined, true],
      "was killed by SIGKILL, probably for want of memory",
    ],
  ];
  for (const [given, words] of rows) expect(describeExit(...given)).toBe(words);
});

test("what ran in a process that has ended, as a sentence", () => {
  const rows: [count: number, requests: string[], text: string][] = [
    [0, [], ""],
    [1, ["GET /a"], "It was running GET /a"],
    [2, ["GET /a", "POST /b"], "It was running GET /a and POST /b"],
    [2, ["GET /a"], "It was running GET /a and 1 more request"],
    [
      9,
      ["GET /1", "GET /2", "GET /3", "GET /4", "GET /5", "GET /6"],
      "It was running GET /1, GET /2, GET /3, GET /4, GET /5 and 4 more requests",
    ],
    [3, [], "It was running 3 requests"],
  ];
  for (const [count, requests, text] of rows) expect(describeRunning({ count, requests })).toBe(text);
});
