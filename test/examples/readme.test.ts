import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXAMPLES, ServerProcess } from "../support/example.ts";

// Runs what the READMEs of the examples tell people to run, and compares what comes out with what they promise: a block
// of `sh` that is followed by a block of `text`. The server is started by the README's own command, on a free port.

const ROOT = join(import.meta.dir, "../..");
const SERVE = "bun cli/main.ts ";
/** Makes an example faster than it is for people. */
const FASTER: Readonly<Record<string, Record<string, string>>> = {
  "05-sse-broadcaster": { TICK_INTERVAL: "100" },
  "hono-app": { TICK_INTERVAL: "10" },
};

interface Readme {
  /** Commands that make what the server needs. */
  preparations: string[];
  /** The command that starts the server. */
  start: string;
  promises: { command: string; output: string }[];
}

/** In place of the reader's `/tmp`, which other runs of these tests write to as well. */
const SCRATCH = mkdtempSync(join(tmpdir(), "pagi-readmes-"));

const readmes = new Map<string, Readme>();
for (const name of EXAMPLES)
  readmes.set(name, read(await Bun.file(join(ROOT, "examples", name, "README.md")).text()));

test("examples/README.md lists every example and nothing else", async () => {
  const listed = [
    ...(await Bun.file(join(ROOT, "examples/README.md")).text()).matchAll(/^\| \[([^\]]+)\]/gm),
  ];
  expect(listed.map(([, name]) => name)).toEqual([...EXAMPLES]);
});

for (const [name, { preparations, start, promises }] of readmes) {
  test.concurrent(
    `examples/${name}/README.md: its ${promises.length} commands give what it promises`,
    async () => {
      expect(start).toEndWith(`examples/${name}/app.ts`);
      for (const command of preparations) expect(await runToEnd(command)).toBe(0);
      const { env, args } = parse(start);
      await using server = await ServerProcess.start([...args, "-p", "0"], {
        TMPDIR: SCRATCH,
        ...env,
        ...FASTER[name],
      });
      for (const { command, output } of promises) expect(await run(command, server)).toBe(output);
      expect(promises.length).toBeGreaterThan(0);
    },
    30_000,
  );
}

/** Runs a command and returns its exit code. */
function runToEnd(command: string): Promise<number> {
  return Bun.spawn(["bash", "-c", command], { cwd: ROOT, stdio: ["ignore", "ignore", "ignore"] }).exited;
}

/** Runs a command of a README as its reader would. A server that the command starts itself gets a free port. */
async function run(command: string, server: ServerProcess): Promise<string> {
  const adapted = command
    .replaceAll("localhost:5000", `127.0.0.1:${server.port}`)
    .replaceAll(/^bun -e/gm, `'${process.execPath}' -e`)
    .replaceAll(/bun (cli\/main\.ts \S+)/g, `'${process.execPath}' $1 -p 0 2>&1`);
  const child = Bun.spawn(["bash", "-c", adapted], {
    cwd: ROOT,
    env: { ...process.env, PAGI_ENV: "production", NO_COLOR: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = await child.stdout.text();
  return `${command}\n${output.replaceAll("\r\n", "\n").trimEnd()}`;
}

function read(markdown: string): Readme {
  const blocks = [...markdown.replaceAll("/tmp/", `${SCRATCH}/`).matchAll(/```(\w+)\n(.*?)```\n(\s*)/gs)].map(
    ([whole, language, text = ""], i, all) => ({
      language,
      text: text.trimEnd(),
      isFollowedAtOnce: all[i + 1]?.index === (all[i]?.index ?? 0) + whole.length,
    }),
  );
  const promises: Readme["promises"] = [];
  for (const [i, block] of blocks.entries()) {
    const next = blocks[i + 1];
    if (block.language !== "sh" || next?.language !== "text" || !block.isFollowedAtOnce) continue;
    promises.push({ command: block.text, output: `${block.text}\n${next.text}` });
  }
  const start = blocks.find((block) => block.language === "sh" && block.text.includes(SERVE))?.text ?? "";
  const preparations = blocks.filter(({ text }) => text.startsWith("openssl ")).map(({ text }) => text);
  return { preparations, start, promises };
}

/** `NAME=value bun cli/main.ts file` as environment and arguments. */
function parse(command: string): { env: Record<string, string>; args: string[] } {
  const at = command.indexOf(SERVE);
  const env = Object.fromEntries(
    [...command.slice(0, at).matchAll(/(\w+)=(\S*)/g)].map(([, key, value]) => [key, value]),
  );
  return { env, args: command.slice(at + SERVE.length).split(" ") };
}

afterAll(() => rmSync(SCRATCH, { recursive: true }));
