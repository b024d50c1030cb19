import { BenchFailure } from "../failure.ts";
import { pinned, type Cores } from "../machine.ts";

/** Milliseconds; no load program takes half of it. */
const LIMIT = 120_000;

/**
 * Runs one of the load programs beside this file on the load's core. Such a program prints one JSON object of
 * figures when it is done. Where `whenReady` is given, it prints `ready` before that, and waits for a line.
 *
 * @throws BenchFailure with the program's last words when it fails.
 */
export async function runLoad(
  program:
    | "cold-client"
    | "handshake-client"
    | "idle-client"
    | "matching"
    | "open-loop"
    | "sse-client"
    | "upload-client"
    | "ws-client",
  parameters: (string | number)[],
  cores: Cores,
  whenReady?: () => Promise<void>,
): Promise<Record<string, number | undefined>> {
  const script = Bun.fileURLToPath(new URL(`./${program}.ts`, import.meta.url));
  const child = Bun.spawn(pinned(cores.load, [process.execPath, script, ...parameters.map(String)]), {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, BENCH_SCENARIO: "hello" },
  });
  const complaints = new Response(child.stderr).text();
  let isStuck = false;
  const kill = (): void => {
    isStuck = true;
    child.kill("SIGKILL");
  };
  let limit = setTimeout(kill, LIMIT);
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (whenReady !== undefined && said.startsWith("ready\n")) {
      said = said.slice("ready\n".length);
      clearTimeout(limit);
      await whenReady();
      limit = setTimeout(kill, LIMIT);
      child.stdin.write("\n");
      child.stdin.flush();
    }
  }
  const code = await child.exited;
  clearTimeout(limit);
  if (isStuck) throw new BenchFailure(`The load program ${program} was not done after two minutes.`);
  if (code !== 0) {
    const words = (await complaints).trim();
    throw new BenchFailure(`The load program ${program} failed: ${words || `exit code ${code}`}`);
  }
  const figures: unknown = JSON.parse(said);
  const numbers: Record<string, number> = {};
  for (const [key, value] of Object.entries(Object(figures)))
    if (typeof value === "number") numbers[key] = value;
  return numbers;
}
