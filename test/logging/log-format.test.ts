import { expect, setDefaultTimeout, test } from "bun:test";

import { Program } from "../support/program.ts";
import { get, request } from "../support/wire.ts";
import { Log, start, workersFolder } from "../support/workers.ts";

// What a server logs, from its start to its end.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

interface Line {
  readonly time: string;
  readonly level: string;
  readonly pid: number;
  readonly worker?: number;
  readonly message: string;
  readonly error?: string;
  readonly stack?: string;
}

function isLine(value: unknown): value is Line {
  return (
    typeof value === "object" && value !== null && "message" in value && "level" in value && "pid" in value
  );
}

/** Every line of standard error, which must be JSON. */
function linesOf(program: Pick<Program, "stderr">): Line[] {
  return program.stderr
    .trimEnd()
    .split("\n")
    .map((text) => {
      const value: unknown = JSON.parse(text);
      if (!isLine(value)) throw new Error(`not a line of the log: ${text}`);
      return value;
    });
}

for (const workers of [1, 2])
  test(`--log-format json, ${workers} worker(s): every line, from the banner to the end`, async () => {
    using folder = workersFolder();
    const words = [
      "-w",
      String(workers),
      "--log-format",
      "json",
      "--access-log",
      "-",
      "--access-log-format",
      "json",
    ];
    await using program = start(folder, words);
    const address = await program.address();
    // The application throws.
    expect((await request(address, get("/", "Accept: text/event-stream"))).status).toBe(500);
    program.kill("SIGHUP");
    const log = new Log(program);
    await log.until(/"message":"Reloading/);
    await log.until(workers === 1 ? /"message":"Serving/ : /"message":"Reloaded/);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    const access = program.stderr.split("\n").filter((line) => line.includes('"method":'));
    expect(access).toHaveLength(1);
    const others = program.stderr
      .split("\n")
      .filter((line) => !line.includes('"method":'))
      .join("\n");
    const lines = linesOf({ stderr: others });
    const error = lines.find(({ level }) => level === "error");
    expect(error?.error).toBe("Error: sse");
    expect(error?.stack).toMatch(/^at .*app\.ts:\d+/);
    if (workers === 1) expect(error?.worker).toBeUndefined();
    else expect([1, 2]).toContain(error?.worker ?? 0);
    expect(lines.every(({ pid, worker }) => worker !== undefined || pid === program.pid)).toBe(true);
    expect(lines.some(({ message }) => /^Serving app\.ts at http:.* \(production\)$/.test(message))).toBe(
      true,
    );
  });

test("--log-format json: a start that fails is a line, too", async () => {
  using folder = workersFolder();
  for (const [words, environment] of [
    [["app.ts", "--log-format", "json"], { FAIL: "single" }],
    [["app.ts", "-w", "2", "--log-format", "json"], { FAIL: "supervisor" }],
    [["nowhere.ts"], { PAGI_LOG_FORMAT: "json" }],
    [["app.ts", "--log-format", "json", "--port", "many"], {}],
  ] as const) {
    await using program = Program.serve(folder, [...words], environment);
    expect(await program.ended()).toBeGreaterThan(0);
    const lines = linesOf(program);
    expect(lines.at(-1)).toMatchObject({ level: "error", message: expect.stringMatching(/^pagi-server: /) });
  }
});

test("lines of workers name them, those of the supervisor and of a single process nobody", async () => {
  using folder = workersFolder();
  for (const workers of [1, 2]) {
    await using program = start(folder, ["-w", String(workers)]);
    const address = await program.address();
    expect((await request(address, get("/", "Accept: text/event-stream"))).status).toBe(500);
    const [line] = await program.prints(/^.*GET \/: .*Error: sse$/m);
    if (workers === 1) expect(line).toMatch(/^\S+ error GET \//);
    else expect(line).toMatch(/^\S+ error worker [12]: GET \//);
  }
});
