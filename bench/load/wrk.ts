import { BenchFailure } from "../failure.ts";
import { pinned, type Cores } from "../machine.ts";

/** What wrk shall send, and how. */
export interface WrkLoad {
  readonly connections: number;
  /** Seconds. */
  readonly duration: number;
  readonly method: string;
  /** Bytes of the request body; 0 for none. */
  readonly bodyBytes: number;
  /** Requests that go out in one write. */
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

/** @throws BenchFailure when wrk cannot run, or when a request failed. */
export async function runWrk(url: string, load: WrkLoad, cores: Cores): Promise<WrkResult> {
  const script = Bun.fileURLToPath(new URL("./wrk.lua", import.meta.url));
  const child = Bun.spawn(
    pinned(cores.load, [
      ...["wrk", "-t1", `-c${load.connections}`, `-d${load.duration}s`, "-s", script, url],
      ...["--", load.method, String(load.bodyBytes), String(load.depth)],
    ]),
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [said, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const line = /^RESULT (.*)$/m.exec(said)?.[1];
  if (line === undefined) throw new BenchFailure(`wrk gave no result: ${complaints.trim() || said.trim()}`);
  const result: unknown = JSON.parse(line);
  if (!isResult(result) || result.requests === 0) throw new BenchFailure(`wrk gave no result: ${line}`);
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
