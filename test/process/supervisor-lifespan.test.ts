import { expect, setDefaultTimeout, test } from "bun:test";
import path from "node:path";

import { Folder, Program } from "../support/program.ts";

// Which hooks run in which process. Real processes, as the command line starts them.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

const SRC = path.resolve(import.meta.dir, "../../src");

const MARK = `
import { appendFileSync } from "node:fs";
const mark = (text: string): void => appendFileSync("marks", text + "\\n");
const http = async (send: any): Promise<void> => {
  await send({ type: "http.response.start", status: 200, headers: [["content-length", "2"]] });
  await send({ type: "http.response.body", body: "ok" });
};
`;

/** An application of the toolkit, made by \`making\`. */
const toolkit = (making: string): string => `
import { wrap } from ${JSON.stringify(`${SRC}/toolkit/lifespan.ts`)};
import { Router } from ${JSON.stringify(`${SRC}/toolkit/router.ts`)};
import { Simple } from ${JSON.stringify(`${SRC}/toolkit/simple.ts`)};
${MARK}
const hooks = {
  startup: () => mark("startup"),
  shutdown: () => mark("shutdown"),
  beforeWorkers: () => {
    process.env.MIGRATED = "yes";
    mark("before");
  },
  afterWorkers: () => mark("after"),
};
const raw = async (scope: any, _receive: any, send: any): Promise<void> => {
  if (scope.type !== "http") throw new Error(scope.type);
  mark("serves " + process.env.MIGRATED);
  await http(send);
};
export default ${making};
`;

const MAKINGS = {
  wrap: "wrap(raw, hooks)",
  "a router that mounts one": 'new Router().mount("/", wrap(raw, hooks))',
  Simple: `new Simple()
    .onStart(hooks.startup).onShutdown(hooks.shutdown)
    .beforeWorkers(hooks.beforeWorkers).afterWorkers(hooks.afterWorkers)
    .get("/", (c) => { mark("serves " + process.env.MIGRATED); return c.text("ok"); })`,
};

for (const [name, making] of Object.entries(MAKINGS))
  for (const [words, startups] of [
    [["-w", "1"], 1],
    [["-w", "3"], 3],
    [["-w", "1", "--reload"], 1],
  ] as const)
    test(`${name}, ${words.join(" ")}: beforeWorkers once, startup wherever requests are served`, async () => {
      using folder = new Folder({ "app.ts": toolkit(making) });
      await using program = Program.serve(folder, ["app.ts", "-p", "0", "-E", "production", ...words]);
      const { url } = await program.address();
      expect(await (await fetch(url, { keepalive: false })).text()).toBe("ok");
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
      expect(folder.lines("marks")).toEqual([
        "before",
        ...Array<string>(startups).fill("startup"),
        "serves yes",
        ...Array<string>(startups).fill("shutdown"),
        "after",
      ]);
    });

/** An application that speaks the protocol itself; \`look\` is done with its scope. */
const raw = (look: string): string => `
${MARK}
export default async (scope: any, receive: any, send: any): Promise<void> => {
  if (scope.type === "http") return http(send);
  if (scope.type !== "lifespan") throw new Error(scope.type);
  ${look};
  await receive();
  await send({ type: "lifespan.startup.complete" });
  await receive();
  await send({ type: "lifespan.shutdown.complete" });
};
`;

const HINT = /without reading scope\.pagi\.role/g;

test.each<[what: string, look: string, words: string[], hints: number]>([
  [
    "one that looks at is_worker only",
    "mark(String(scope.pagi.is_worker))",
    ["-E", "development", "-w", "2"],
    1,
  ],
  ["one that looks at nothing", "", ["-E", "development", "-w", "3"], 1],
  ["one that looks at its role", "mark(scope.pagi.role)", ["-E", "development", "-w", "2"], 0],
  ["one in production", "", ["-E", "production", "-w", "2"], 0],
  ["one in production that is checked", "", ["-E", "production", "--validate-events", "-w", "2"], 1],
  ["one in a single process", "", ["-E", "development"], 0],
  [
    "one without a lifespan in the supervisor",
    "",
    ["-E", "development", "-w", "2", "--no-supervisor-lifespan"],
    0,
  ],
])("a raw application is told of its role in the supervisor once: %s", async (_what, look, words, hints) => {
  using folder = new Folder({ "app.ts": raw(look) });
  await using program = Program.serve(folder, ["app.ts", "-p", "0", ...words]);
  await program.address();
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(program.stderr.match(HINT) ?? []).toHaveLength(hints);
});

test("an application of the toolkit looks at its role", async () => {
  using folder = new Folder({ "app.ts": toolkit(MAKINGS.wrap) });
  await using program = Program.serve(folder, ["app.ts", "-p", "0", "-E", "development", "-w", "2"]);
  await program.address();
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(program.stderr).not.toMatch(HINT);
});
