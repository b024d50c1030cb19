import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../bench/command-line.ts";
import type { Scenario } from "../../bench/scenario.ts";
import { SCENARIOS } from "../../bench/scenarios.ts";
import { isMissing } from "../support/optional-program.ts";

const ROOT = Bun.fileURLToPath(new URL("../../", import.meta.url));

async function bench(words: string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, "bench/main.ts", ...words], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output, complaints };
}

const HONO = ["Hono on pagi-server", "Hono on Bun.serve", "Hono on @hono/node-server"];
const WS = ["pagi-server", "Bun.serve", "ws on Node"];

/** One scenario for each way of measuring, and for each program that answers. */
const ROWS: Record<string, readonly string[]> = {
  hello: ["pagi-server", "Bun.serve", "node:http"],
  browser: ["pagi-server", "Bun.serve", "node:http"],
  pipelined: ["pagi-server", "Bun.serve", "node:http"],
  "hono-json": HONO,
  "hono-post64k": HONO,
  "elysia-hello": ["Elysia on pagi-server", "Elysia on Bun.serve", "Elysia's own listen()"],
  "node-post": ["A handler on pagi-server", "A handler on Bun's node:http"],
  "node-express-json": ["Express 5 on pagi-server", "Express 5 on Bun's node:http"],
  "node-fastify": ["Fastify 5 on pagi-server", "Fastify 5 on Bun's node:http"],
  "tls-hello": ["pagi-server", "Bun.serve"],
  "tls-handshakes": ["pagi-server", "Bun.serve"],
  "open-80": ["pagi-server", "Bun.serve"],
  workers: ["pagi-server", "Bun.serve"],
  "idle-cpu": ["pagi-server", "Bun.serve"],
  "cold-bundle": ["pagi-server", "Bun.serve", "node:http"],
  "cost-access-log": ["with access log to a file", "without any"],
  "cost-proxy": ["with proxy headers", "without any"],
  sse: ["pagi-server", "Bun.serve", "node:http"],
  "ws-64k": WS,
  "ws-broadcast": WS,
  "ws-idle": WS,
  "toolkit-router": ["Router", "Hono on pagi-server", "by hand, one route", "Hono on Bun.serve"],
  "toolkit-routes": ["10 routes, 10 of them asked for", "1000 routes, 500 of them asked for"],
  "toolkit-upload": ["PagiRequest.form()", "PagiRequest.multipart()", "Hono on Bun.serve"],
  "toolkit-stream": ["PagiRequest.form()", "PagiRequest.bodyStream()", "Bun.serve"],
};

/** Scenarios in which so few connections, and so short a time, may measure as nothing. */
const MEASURED: Readonly<Record<string, RegExp>> = {
  // Their open files are counted.
  "ws-idle": /  +-?[\d ]+ .* \d\.\d\d( |$)/,
  "idle-cpu": /  +\d+\.\d/,
};

describe.skipIf(isMissing("wrk") || isMissing("node"))("bun run bench --quick (needs wrk and node)", () => {
  test("every server answers as it should, and is measured", async () => {
    const { code, output, complaints } = await bench([
      ...Object.keys(ROWS),
      ...["--quick", "--only", "pagi,bun,node"],
    ]);
    expect(complaints).toBe("");
    expect(code).toBe(0);
    expect(output).toContain("CPU: ");
    expect(output).toContain(`Bun: ${Bun.version}`);
    const tables = output.split("\n\n");
    for (const [scenario, titles] of Object.entries(ROWS)) {
      const table = tables.find((one) => one.startsWith(`${scenario}: `))?.split("\n") ?? [];
      for (const title of titles) {
        const line = table.find((one) => one.startsWith(`${title}  `));
        expect(`${scenario}, ${line}`).toMatch(MEASURED[scenario] ?? /  +(?=[\d. ]*[1-9])/);
      }
    }
  }, 300_000);
});

test("bench/pair.ts measures versions in one process", async () => {
  const words = ["--rounds", "1", "--requests", "1000", "--depth", "2"];
  const child = Bun.spawn([process.execPath, "bench/pair.ts", ROOT, ...words], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  const [head, ...rows] = output.trimEnd().split("\n");
  expect(head).toMatch(/^version +ns\/request +ratio$/);
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row).toMatch(/ [1-9]\d+  +\d+\.\d{3} \(/);
}, 60_000);

describe("the command line", () => {
  const all = ["hello", "ws-64", "ws-idle"].map((name): Scenario => ({
    name,
    about: "",
    needsWrk: false,
    metrics: [],
    prepare: () => Promise.resolve([]),
  }));
  const chosen = (...words: string[]): string[] =>
    parseCommandLine(words, all).scenarios.map(({ name }) => name);

  test("'ws' is every scenario whose name begins so", () => {
    expect(chosen("ws")).toEqual(["ws-64", "ws-idle"]);
    expect(chosen()).toEqual(["hello", "ws-64", "ws-idle"]);
  });

  test("a scenario that is named twice is measured once", () => {
    expect(chosen("ws-64", "hello", "ws", "hello")).toEqual(["hello", "ws-64", "ws-idle"]);
  });

  test.each([
    [["helo"], "There is no scenario 'helo'. Did you mean 'hello'? See --list."],
    [["toolkits"], "There is no scenario 'toolkits'. Did you mean 'toolkit'? See --list."],
    [["qqqqqq"], "There is no scenario 'qqqqqq'. See --list."],
    [["--only", "apache"], "There is no server 'apache'. Servers: pagi, bun, node, uvicorn."],
    [["--only", "pago"], "There is no server 'pago'. Did you mean 'pagi'? Servers: pagi, bun,"],
    [["--rounds", "0"], "--rounds must be a whole number above 0, not '0'."],
    [["--duration", "soon"], "--duration must be a number of seconds above 0 and up to 3600, not 'soon'."],
    [["--against", "/nonexistent"], "--against needs a checkout with its dependencies; there is no"],
    [["--loud"], "Unknown option '--loud'. See --help."],
  ])("%j is refused", async (words, message) => {
    const { code, complaints } = await bench(words);
    expect(complaints).toStartWith(message);
    expect(complaints.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });

  test("without wrk: one line that says how to get it", async () => {
    const { code, complaints } = await bench(["hello"], { PATH: "/nonexistent" });
    expect(complaints).toBe("wrk is not installed; it makes the load. Install it: apt-get install wrk\n");
    expect(code).toBe(1);
  });

  test.each(["--help", "--list"])("%s lists every scenario", async (option) => {
    const { output } = await bench([option]);
    for (const { name, about } of SCENARIOS) {
      expect(output).toMatch(new RegExp(`^  ${name}  .*`, "m"));
      expect(output).toContain(about);
    }
    expect(output).toContain("'hono', 'node', 'tls', 'open', 'idle', 'cold', 'cost', 'ws', 'toolkit'.");
  });
});
