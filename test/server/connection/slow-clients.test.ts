import { expect, test } from "bun:test";
import fs from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";

import { Folder, Program } from "../../support/program.ts";
import { eventually, get, request } from "../../support/wire.ts";

// Clients that hold what they can for as long as they can, by the hundred, and what others notice of them: nothing.

const ATTACKERS = 500;
/** Milliseconds between the bytes of each of them. */
const TRICKLE = 25;
/** At most one in a hundred ordinary requests may take longer than this many milliseconds, */
const PATIENCE = 100;
/** or, on a machine that is busy with something else, longer than this many times the same at an idle server. */
const PATIENCE_RATIO = 3;
/** Fewer say nothing about one in a hundred. */
const FEWEST_SAMPLES = 100;

/** Reads what it is sent and answers with its length; `/flood` answers without end. */
const APP = `
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(scope.type);
  if (scope.path === "/flood") {
    await send({ type: "http.response.start", status: 200 });
    while (scope["pagi.connection"].isConnected())
      await send({ type: "http.response.body", body: "x".repeat(16384), more: true });
    return;
  }
  let length = 0;
  for (let more = scope.method === "POST"; more; ) {
    const event = await receive();
    if (event.type === "http.disconnect") return;
    length += event.body.length;
    more = event.more;
  }
  const body = String(length);
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
`;

interface Attack {
  readonly what: string;
  /** Options with which the server gets rid of them soon. */
  readonly words: readonly string[];
  /** What each of them sends at first. */
  readonly opening: string;
  /** What it sends byte by byte from then on, over and over. */
  readonly trickle?: string;
  /** Whether it takes nothing of the answer. */
  readonly isDeaf?: boolean;
  /** How the answer begins that ends it; without, there need not be one. */
  readonly answer?: string;
  /** Whether the server cannot tell them from slow clients that are welcome: they leave by themselves, in the end. */
  readonly isEndless?: boolean;
}

const UPLOAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";

const ATTACKS: readonly Attack[] = [
  {
    what: "heads that trickle in",
    words: ["--header-timeout", "4s"],
    opening: "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    trickle: "x",
    answer: "HTTP/1.1 408 ",
  },
  {
    what: "bodies that do not come",
    words: ["--body-timeout", "4s"],
    opening: `${UPLOAD}begun`,
    answer: "HTTP/1.1 408 ",
  },
  {
    what: "bodies that trickle in",
    words: ["--body-timeout", "4s"],
    opening: UPLOAD,
    trickle: "x",
    isEndless: true,
  },
  {
    what: "answers that nobody reads",
    words: ["--write-timeout", "4s"],
    opening: get("/flood"),
    isDeaf: true,
  },
];

/** One of them. It goes on until the server ends it. */
class Attacker {
  readonly socket: Socket;
  received = "";
  isOver = false;

  constructor(path: string, { opening, isDeaf = false }: Attack) {
    this.socket = connect({ path });
    if (isDeaf) this.socket.pause();
    else this.socket.setEncoding("latin1").on("data", (text: string) => (this.received += text));
    for (const event of ["end", "close", "error"]) this.socket.on(event, () => (this.isOver = true));
    this.socket.write(opening);
  }

  /** A socket that does not read notices its end only when it writes. */
  send(bytes: string): void {
    if (!this.isOver && this.socket.writable) this.socket.write(bytes);
  }
}

/** The server's ends of connections at a Unix socket. */
function connectionsAt(path: string): number {
  const lines = fs.readFileSync("/proc/net/unix", "utf8").split("\n");
  return lines.filter((line) => line.endsWith(` ${path}`) && / 0001 03 +\d+ /.test(line)).length;
}

/** Milliseconds that an ordinary request takes. */
async function duration(address: { host: string; port: number }): Promise<number> {
  const begun = performance.now();
  expect((await request(address, get("/", "Connection: close"))).status).toBe(200);
  return performance.now() - begun;
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Infinity;
}

test.each(ATTACKS)(
  "500 clients with $what: ordinary requests are hardly slower at p99",
  async (attack) => {
    using folder = new Folder({ "app.ts": APP });
    const socket = folder.file("slow.sock");
    const listen = ["--listen", "127.0.0.1:0", "--listen", socket];
    await using program = Program.serve(folder, ["app.ts", "-E", "production", ...listen, ...attack.words]);
    const address = await program.address();
    // The same server without attackers, asked in turns, shows what the machine alone costs.
    await using idle = Program.serve(folder, ["app.ts", "-E", "production", "--listen", "127.0.0.1:0"]);
    const idleAddress = await idle.address();
    // Over a Unix socket the kernel holds a known number of bytes for each, about 200 KiB; TCP would take megabytes.
    const attackers = Array.from({ length: ATTACKERS }, () => new Attacker(socket, attack));
    const ticker = setInterval(() => {
      for (const each of attackers) if (attack.trickle !== undefined) each.send(attack.trickle);
    }, TRICKLE);
    try {
      // The server itself says when they are gone: a deaf client cannot tell.
      const open = (): number => connectionsAt(socket);
      await eventually("all of them are there", () => open() === ATTACKERS);
      const times: number[] = [];
      const idleTimes: number[] = [];
      while (attack.isEndless === true ? times.length < 5 * FEWEST_SAMPLES : open() > 0) {
        times.push(await duration(address));
        idleTimes.push(await duration(idleAddress));
        await Bun.sleep(2);
      }
      expect(times.length).toBeGreaterThanOrEqual(FEWEST_SAMPLES);
      expect(p99(times)).toBeLessThan(Math.max(PATIENCE, PATIENCE_RATIO * p99(idleTimes)));
      if (attack.answer !== undefined) {
        const { answer } = attack;
        await eventually("all of them are over", () => attackers.every((each) => each.isOver));
        expect(attackers.filter((each) => !each.received.startsWith(answer))).toEqual([]);
      }
      if (attack.isEndless === true) expect(open()).toBe(ATTACKERS);
    } finally {
      clearInterval(ticker);
      for (const { socket } of attackers) socket.destroy();
    }
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  },
  // Another program can take the machine away for a whole measurement; a server that slows down fails each of them.
  { timeout: 120_000, retry: 2 },
);
