import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { ListeningSocket, openListeningSocket } from "../../src/listening/listening-socket.ts";
import {
  openDescriptorChannel,
  receiveDescriptors,
  sendDescriptors,
} from "../../src/system/descriptor-channel.ts";
import type { PlannedWorker } from "../../src/supervisor/plan.ts";
import { ADOPT_AFTER, followVacancies, vacancyWakeAt } from "../../src/supervisor/vacancies.ts";
import type { Vacancies } from "../../src/supervisor/vacancies.ts";
import { Folder } from "../support/program.ts";
import { Wire, eventually, get } from "../support/wire.ts";
import { childrenOf, Log, start, whoServes, workersFolder } from "../support/workers.ts";

// Slots without a worker, whose sockets still get connections.

setDefaultTimeout(40_000); // many processes on a machine that may be busy

function workers(...rows: [id: number, slot: number, state: PlannedWorker["state"]][]): PlannedWorker[] {
  const rest = { predecessor: undefined, startedAt: 0, readyAt: 0, beatAt: 0, finishAt: 0 };
  return rows.map(([id, slot, state]) => ({ id, slot, state, ...rest }));
}

describe("who accepts for a slot without a worker", () => {
  const run = (
    target: number,
    rows: [at: number, workers: PlannedWorker[], ...expected: string[]][],
    phase: "starting" | "running" | "stopping" = "running",
  ): Vacancies => {
    let vacancies: Vacancies = [];
    for (const [at, present, ...expected] of rows) {
      const outcome = followVacancies(vacancies, { phase, target, workers: present }, at);
      vacancies = outcome.vacancies;
      const words = outcome.commands.map(({ type, worker, slot }) => `${type} ${slot} by ${worker}`);
      expect([at, ...words]).toEqual([at, ...expected]);
    }
    return vacancies;
  };

  test("another one, after a moment, until there is one again", () => {
    run(2, [
      [0, workers([1, 1, "ready"], [2, 2, "ready"])],
      [1000, workers([2, 2, "ready"])],
      [1000 + ADOPT_AFTER - 1, workers([2, 2, "ready"], [3, 1, "starting"])],
      [1000 + ADOPT_AFTER, workers([2, 2, "ready"], [3, 1, "starting"]), "adopt 1 by 2"],
      [5000, workers([2, 2, "ready"], [3, 1, "starting"])],
      [6000, workers([2, 2, "ready"], [3, 1, "ready"]), "release 1 by 2"],
      [7000, workers([2, 2, "ready"], [3, 1, "ready"])],
    ]);
  });

  test("the next one, where the first that did it has ended or finishes", () => {
    run(3, [
      [0, workers([2, 2, "ready"], [3, 3, "ready"])],
      [200, workers([2, 2, "ready"], [3, 3, "ready"]), "adopt 1 by 2"],
      [300, workers([2, 2, "finishing"], [3, 3, "ready"]), "adopt 1 by 3"],
      [500, workers([3, 3, "ready"]), "adopt 2 by 3"],
      [600, workers()],
      [5000, workers([7, 3, "ready"]), "adopt 1 by 7", "adopt 2 by 7"],
    ]);
  });

  test("several are spread", () => {
    run(4, [
      [0, workers([3, 3, "ready"], [4, 4, "ready"])],
      [200, workers([3, 3, "ready"], [4, 4, "ready"]), "adopt 1 by 3", "adopt 2 by 4"],
    ]);
  });

  test("nobody, when it is the replacement of one that serves, and when all are to end", () => {
    run(1, [
      [0, workers([1, 1, "ready"], [2, 1, "starting"])],
      [9000, workers([1, 1, "ready"], [2, 1, "starting"])],
    ]);
    run(
      2,
      [
        [0, workers([2, 2, "finishing"])],
        [9000, workers([2, 2, "finishing"])],
      ],
      "stopping",
    );
  });

  test("what waits at a slot that is not to be any more is served once more", () => {
    run(2, [
      [0, workers([1, 1, "ready"])],
      [200, workers([1, 1, "ready"]), "adopt 2 by 1"],
    ]);
    let vacancies = run(2, [[0, workers([1, 1, "ready"])]]);
    const one = { phase: "running", target: 1, workers: workers([1, 1, "ready"]) } as const;
    expect(followVacancies(vacancies, one, 50)).toEqual({
      vacancies: [],
      commands: [
        { type: "adopt", worker: 1, slot: 2 },
        { type: "release", worker: 1, slot: 2 },
      ],
    });
    vacancies = [{ slot: 2, since: 0, adopter: 1 }];
    expect(followVacancies(vacancies, one, 50).commands).toEqual([{ type: "release", worker: 1, slot: 2 }]);
  });

  test("it is known when to look again", () => {
    expect(vacancyWakeAt([], 0)).toBeUndefined();
    expect(vacancyWakeAt([{ slot: 1, since: 100, adopter: undefined }], 150)).toBe(100 + ADOPT_AFTER);
    expect(vacancyWakeAt([{ slot: 1, since: 100, adopter: 2 }], 150)).toBeUndefined();
    expect(vacancyWakeAt([{ slot: 1, since: 100, adopter: undefined }], 5000)).toBeUndefined();
  });
});

test("descriptors go through a channel one message at a time, and are the receiver's own", () => {
  const [ours, theirs] = openDescriptorChannel();
  const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
  using folder = new Folder({ a: "text" });
  const file = fs.openSync(folder.file("a"), "r");
  sendDescriptors(ours, [socket.fd, file]);
  sendDescriptors(ours, [file]);
  fs.closeSync(file);
  const [gotSocket = -1, gotFile = -1, ...none] = receiveDescriptors(theirs);
  expect(none).toEqual([]);
  expect(fs.readFileSync(gotFile, "utf8")).toBe("text");
  expect(fs.readlinkSync(`/proc/self/fd/${gotSocket}`)).toBe(fs.readlinkSync(`/proc/self/fd/${socket.fd}`));
  const [second = -1] = receiveDescriptors(theirs);
  expect(() => receiveDescriptors(theirs)).toThrow("EAGAIN");
  for (const fd of [gotFile, second, ours]) fs.closeSync(fd);
  new ListeningSocket(gotSocket, socket.address).close();
  socket.close();
  expect(receiveDescriptors(theirs)).toEqual([]); // the end
  fs.closeSync(theirs);
  expect(() => sendDescriptors(-1, [0])).toThrow("EBADF");
});

/** Kills the worker in slot 1 until its next start is seconds away. */
async function emptySlot(program: { pid: number }, log: Log): Promise<void> {
  for (;;) {
    const [, pid = ""] = await log.until(/worker 1 \(pid (\d+)\) is ready/);
    process.kill(Number(pid), "SIGKILL");
    const [, next = ""] = await log.until(
      /worker 1 \(pid \d+\) was killed by SIGKILL; another is started (.*)/,
    );
    if (/in (?:4|8|16|30)000 ms/.test(next)) return;
    expect(program.pid).toBeGreaterThan(0);
  }
}

test.concurrent(
  "40 new connections while a worker waits to be started again: none waits for it",
  async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    const address = await program.address();
    const log = new Log(program);
    await emptySlot(program, log);
    const beganAt = performance.now();
    const wires = await Promise.all(Array.from({ length: 40 }, () => Wire.open(address)));
    const [other = 0] = childrenOf(program.pid);
    const answers = await Promise.all(
      wires.map(async (wire) => {
        await wire.send(get("/", "Connection: close"));
        return Number((await wire.response()).body.split(" ")[0]);
      }),
    );
    expect(new Set(answers)).toEqual(new Set([other]));
    expect(performance.now() - beganAt).toBeLessThan(3000); // the next start is 4 s away
    expect(childrenOf(program.pid)).toEqual([other]);
    for (const wire of wires) await wire[Symbol.asyncDispose]();
    // Once the worker is back, both serve, and each has its own socket again.
    await log.until(/worker 1 \(pid \d+\) is ready/);
    const answered = new Set<number>();
    while (answered.size < 2) answered.add((await whoServes(address)).pid);
    await eventually("the other one has let go", () => socketsOf(other, address.port) === 1);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  },
);

test.concurrent(
  "the worker that accepts for another one is replaced: its replacement does it, and nothing is lost",
  async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    const address = await program.address();
    const log = new Log(program);
    await emptySlot(program, log);
    const [other = 0] = childrenOf(program.pid);
    await eventually("it accepts for both", () => socketsOf(other, address.port) === 2);
    process.kill(other, "SIGTERM");
    for (let turn = 0; turn < 40; turn++) expect((await whoServes(address)).parent).toBe(program.pid);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  },
);

/** Listening sockets at a port that a process has open. */
function socketsOf(pid: number, port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = fs.readFileSync("/proc/net/tcp", "utf8").split("\n");
  const inodes = lines
    .filter((line) => line.includes(` 0100007F:${hex} 00000000:0000 0A `))
    .map((line) => line.trim().split(/\s+/)[9]);
  const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return inodes.filter((inode) => links.includes(`socket:[${inode}]`)).length;
}
