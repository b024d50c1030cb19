import { rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchFailure } from "../failure.ts";
import { runLoad } from "../load/run.ts";
import { METRICS } from "../metrics.ts";
import { freshEachRound, type Scenario } from "../scenario.ts";
import { CLI, contender, unusedPort, type ServerKind } from "../servers.ts";

const prepare = freshEachRound(async (kind, settings) => {
  const port = await unusedPort();
  const order = join(tmpdir(), `pagi-bench-cold-${port}.json`);
  await Bun.write(order, JSON.stringify(kind.command("hello", port)));
  try {
    const { server = -1, load = -1 } = settings.cores;
    const parameters = [port, order, server, load];
    const { milliseconds } = await runLoad("cold-client", parameters, settings.cores);
    return { cold: milliseconds ?? Number.NaN };
  } finally {
    unlinkSync(order);
  }
});

const cold: Scenario = {
  name: "cold-bundle",
  about: "from the start of the process to its first whole response, 13 bytes of text",
  needsWrk: false,
  metrics: [METRICS.cold],
  rounds: 15,
  aims: [{ metric: METRICS.cold, atMost: 1.8 }],
  prepare,
};

const source = (path: string): string => Bun.fileURLToPath(new URL(`../servers/${path}`, import.meta.url));

/** A program that is compiled into one file. */
interface Binary {
  readonly kind: ServerKind;
  readonly path: string;
  readonly build: readonly string[];
}

function binary(
  name: "pagi" | "bun",
  title: string,
  build: (output: string) => string[],
  words: (port: number) => string[],
): Binary {
  const path = join(tmpdir(), `pagi-bench-${process.pid}-${name}`);
  const kind = {
    ...contender(name, title, "hello"),
    command: (_: string, port: number) => [path, ...words(port)],
  };
  return { kind, path, build: [process.execPath, ...build(path)] };
}

const BINARIES = [
  binary(
    "pagi",
    "pagi-server, built",
    (output) => [CLI, "build", source("pagi/hello.ts"), "-o", output],
    (port) => ["--port", String(port), "--env", "production", "--quiet"],
  ),
  binary(
    "bun",
    "Bun.serve, compiled",
    (output) => ["build", "--compile", "--bytecode", "--minify", source("bun.ts"), "--outfile", output],
    (port) => ["hello", String(port)],
  ),
];

/** @throws BenchFailure when it does not compile. */
function build({ kind, path, build: command }: Binary): void {
  process.once("exit", () => rmSync(path, { force: true }));
  const { success, stderr } = Bun.spawnSync([...command], { stdout: "ignore", stderr: "pipe" });
  if (!success) throw new BenchFailure(`${kind.title} does not compile: ${stderr.toString().trim()}`);
}

const coldBinary: Scenario = {
  ...cold,
  name: "cold-binary",
  about: "the same for programs compiled into one file; Bun.serve from its source for comparison",
  contenders: [...BINARIES.map(({ kind }) => kind), contender("bun", "Bun.serve", "hello")],
  baseline: "Bun.serve, compiled",
  aims: [{ metric: METRICS.cold, atMost: 1.3 }],
  prepare(kinds, settings) {
    for (const one of BINARIES) if (kinds.includes(one.kind)) build(one);
    return prepare(kinds, settings);
  },
};

export const COLD_SCENARIOS: readonly Scenario[] = [cold, coldBinary];
