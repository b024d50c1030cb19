import { BenchFailure } from "../failure.ts";
import { pinned, type Cores } from "../machine.ts";
import { catchesInterrupt } from "../process-stats.ts";
import type { RunningServer } from "../servers.ts";
import { requestText, type LoadRequest } from "./request-text.ts";

/** How wrk sends a request. */
export interface WrkLoad {
  readonly request: LoadRequest;
  readonly connections: number;
  readonly seconds: number;
  /** Requests in one write. */
  readonly depth: number;
}

export interface WrkResult {
  requests: number;
  microseconds: number;
  /** Microseconds. */
  p50: number;
  /** Microseconds. */
  p99: number;
  /** Responses with a status of 400 or above. */
  refused: number;
  /** Requests that got no response. */
  broken: number;
}

export const WRK_MISSING = "wrk is not installed; it makes the load. Install it: apt-get install wrk";

/** How much longer a load becomes, one try after the other, as long as no response comes within it. */
const LONGER = [1, 4, 20];

/**
 * Runs wrk for the seconds of the load, or for longer on a machine that is too busy to answer one request in that time.
 *
 * @throws BenchFailure when wrk cannot run, or when a request failed.
 */
export async function runWrk(server: RunningServer, load: WrkLoad, cores: Cores): Promise<WrkResult> {
  for (const times of LONGER) {
    const result = await runOnce(server, { ...load, seconds: load.seconds * times }, cores);
    if (result.requests > 0) return result;
  }
  throw new BenchFailure(`${server.kind.title} answered no request of wrk (${server.url}).`);
}

async function runOnce(server: RunningServer, load: WrkLoad, cores: Cores): Promise<WrkResult> {
  const script = Bun.fileURLToPath(new URL("./wrk.lua", import.meta.url));
  const child = Bun.spawn(
    pinned(cores.load, [
      // The signal below comes first, unless the machine is too busy to send it.
      ...[
        "wrk",
        "-t1",
        "--timeout",
        "30s",
        `-c${load.connections}`,
        `-d${Math.ceil(load.seconds) + 10}s`,
        "-s",
        script,
      ],
      ...[server.url, "--", requestText(load.request, server.port), String(load.depth)],
    ]),
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const said = new Response(child.stdout).text();
  const complaints = new Response(child.stderr).text();
  // wrk takes whole seconds only. At SIGINT it stops and reports; before it has set its handler, it would just die.
  while (child.exitCode === null && !catchesInterrupt(child.pid)) await Bun.sleep(1);
  await Promise.race([Bun.sleep(load.seconds * 1000), child.exited]);
  child.kill("SIGINT");
  return resultOf(await said, await complaints, server.url);
}

function resultOf(said: string, complaints: string, url: string): WrkResult {
  const line = /^RESULT (.*)$/m.exec(said)?.[1];
  if (line === undefined) throw new BenchFailure(`wrk gave no result: ${complaints.trim() || said.trim()}`);
  const result: unknown = JSON.parse(line);
  if (!isResult(result)) throw new BenchFailure(`wrk gave no result: ${line}`);
  if (result.refused + result.broken > 0) {
    throw new BenchFailure(
      `${result.refused} requests were refused and ${result.broken} broke, of ${result.requests} (${url}).`,
    );
  }
  return result;
}

function isResult(value: unknown): value is WrkResult {
  const keys = ["requests", "microseconds", "p50", "p99", "refused", "broken"];
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return keys.every((key) => typeof fields.get(key) === "number");
}
