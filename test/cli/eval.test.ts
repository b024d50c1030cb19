import { expect, test } from "bun:test";
import fs from "node:fs";

import { Folder, Program } from "../support/program.ts";
import { get, request } from "../support/wire.ts";
import { childrenOf } from "../support/workers.ts";

// -e CODE and --preload MODULE: what is loaded besides, or in place of, a file.

const ANSWER = `
  async (scope, receive, send) => {
    if (scope.type !== "http") throw new Error(scope.type);
    await send({ type: "http.response.start", status: 200, headers: [] });
    await send({ type: "http.response.body", body: BODY });
  }`;

const answering = (body: string): string => ANSWER.replace("BODY", body);

async function answer(program: Program): Promise<string> {
  return (await request(await program.address(), get("/", "Connection: close"))).body;
}

test.each<[what: string, code: string, body: string, flags?: string[]]>([
  ["an expression", answering('"expression"'), "expression"],
  [
    "an expression with types and a semicolon",
    `(${answering("text")}) as Function; `.replace("text", "`typed`"),
    "typed",
  ],
  ["an object with fetch", "{ fetch(request: Request) { return new Response(request.method); } }", "GET"],
  [
    "a module with a default export",
    `const text: string = "module"; export default ${answering("text")};`,
    "module",
  ],
  [
    "a module that imports a file beside it",
    `import { text } from "./text.ts"; export const app = ${answering("text")};`,
    "from a file",
  ],
  ["a factory", `async () => ${answering('"made"')}`, "made", ["--factory"]],
])("%s", async (_what, code, body, flags = []) => {
  using folder = new Folder({ "text.ts": 'export const text = "from a file";' });
  await using program = Program.serve(folder, ["-p", "0", "-E", "production", ...flags, "-e", code]);
  expect(await answer(program)).toBe(body);
  expect(program.stderr).toContain("Serving the code of --eval at http://");
});

test("workers run it, and a new start has it again", async () => {
  using folder = new Folder({ "text.ts": 'export const text = "one";' });
  const code = `import { text } from "./text.ts"; export default ${answering("text + process.ppid")}`;
  await using program = Program.serve(folder, ["-p", "0", "-w", "2", "-E", "production", "--eval", code]);
  expect(await answer(program)).toBe(`one${program.pid}`);
  expect(childrenOf(program.pid)).toHaveLength(2);
  fs.writeFileSync(folder.file("text.ts"), 'export const text = "two";');
  program.kill("SIGHUP");
  await program.prints(/Reloaded/);
  expect(await answer(program)).toBe(`two${program.pid}`);
});

test("a process that serves alone re-executes itself with it", async () => {
  using folder = new Folder();
  await using program = Program.serve(folder, [
    "-p",
    "0",
    "-E",
    "production",
    "-e",
    answering("String(process.pid)"),
  ]);
  expect(await answer(program)).toBe(String(program.pid));
  program.kill("SIGHUP");
  await program.prints(/(?:Serving[^]*){2}/);
  expect(await answer(program)).toBe(String(program.pid));
});

test.each<[words: string[], message: string | RegExp]>([
  [["-e", "nonsense("], "1 '[eval]' cannot be compiled: Unexpected end of file at [eval].ts:1:9"],
  [["-e", "5"], /^1 The default export of '\[eval\]' is a number\. An application is a function/],
  [
    ["-e", "const x = 1"],
    /^1 '\[eval\]' has neither a default export nor an export 'app'\. It exports nothing\./,
  ],
  [
    ["-e", "nothing.there"],
    /^1 '\[eval\]' threw while it was imported: ReferenceError: nothing is not defined/,
  ],
  [["-e", "import './no.ts'"], /^1 '\[eval\]' cannot be imported: .*needs '\.\/no\.ts', which is not found/],
  [["-e", " "], "2 -e: needs the code of an application, and there is none."],
  [
    ["-e", "x", "app.ts"],
    "2 -e: cannot be given together with app.ts; both name the application. Leave one of them out.",
  ],
  [
    ["--preload", "./no.ts", "-e", "x"],
    "1 --preload: './no.ts' is neither a file nor an installed package. Check its path.",
  ],
  [
    ["--preload", "not-there", "-e", "x"],
    "1 --preload: 'not-there' is neither a file nor an installed package. Install it with: bun add not-there",
  ],
  [["--preload", "throws.ts", "-e", "x"], /^1 'throws\.ts' threw while it was imported: Error: too early/],
])("%j is refused", async (words, message) => {
  using folder = new Folder({ "throws.ts": "throw new Error('too early');" });
  // Where there are installed packages, Bun does not look for one elsewhere.
  fs.mkdirSync(folder.file("node_modules"));
  await using program = Program.serve(folder, ["--check-config", ...words]);
  const said = `${await program.ended()} ${program.stderr.trimEnd().replace(/^pagi-server: /, "")}`;
  if (typeof message === "string") expect(said).toBe(message);
  else expect(said).toMatch(message);
});

for (const [workers, loaders] of [
  [1, 1],
  [2, 3],
] as const) {
  test(`modules are preloaded in their order, in all ${loaders} processes that load the application`, async () => {
    const mark = (text: string): string => `
      import { appendFileSync } from "node:fs";
      appendFileSync("marks", process.pid + " ${text}\\n");
    `;
    using folder = new Folder({
      "first.ts": `${mark("first")} globalThis.greeting = "hello";`,
      "app.ts": `${mark("app")} export default ${answering("globalThis.greeting")};`,
    });
    fs.mkdirSync(folder.file("node_modules/tracer"), { recursive: true });
    fs.writeFileSync(folder.file("node_modules/tracer/index.js"), mark("package"));
    const words = ["--preload", "./first.ts", "--preload", "tracer"];
    const ordinary = ["app.ts", "-p", "0", "-E", "production", "-w", String(workers)];
    await using program = Program.serve(folder, [...ordinary, ...words]);
    expect(await answer(program)).toBe("hello");
    const marks = folder.lines("marks").map((line) => line.split(" "));
    const pids = [program.pid, ...childrenOf(program.pid)];
    expect(new Set(marks.map(([pid]) => Number(pid)))).toEqual(new Set(pids));
    expect(pids).toHaveLength(loaders);
    for (const pid of pids)
      expect(marks.filter(([id]) => Number(id) === pid).map(([, what]) => what)).toEqual([
        "first",
        "package",
        "app",
      ]);
  });
}
