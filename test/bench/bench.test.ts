import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parseCommandLine } from "../../bench/command-line.ts";
import { UploadBody, uploadDigest } from "../../bench/load/upload-body.ts";
import { clientFrame, serverFrameBytes } from "../../bench/load/websocket-frames.ts";
import { median, aligned, markdown, tableOf } from "../../bench/report.ts";
import { cpuTimeOf, filesOf, memoryOf } from "../../bench/process-stats.ts";
import { isAccepted, upgradeRequest } from "../../bench/load/websocket-handshake.ts";
import { METRICS, type Sample, type Scenario } from "../../bench/scenario.ts";
import { SERVERS, type ServerName } from "../../bench/servers.ts";
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

const hasWrk = !isMissing("wrk");

describe.skipIf(!hasWrk)("bun run bench hello --quick (needs wrk: apt-get install wrk)", () => {
  test.skipIf(!existsSync(`${ROOT}cli/main.ts`)).each([["pagi", "pagi-server"]])("%s", measures, 60_000);
  test.each([["bun", "Bun.serve"]])("%s", measures, 60_000);

  async function measures(name: string, title: string): Promise<void> {
    const { code, output, complaints } = await bench(["hello", "--quick", "--only", name]);
    expect(complaints).toBe("");
    expect(code).toBe(0);
    expect(output).toContain("CPU: ");
    expect(output).toContain(`Bun: ${Bun.version}`);
    expect(output).toMatch(new RegExp(`^${title} +[1-9]`, "m"));
  }
});

for (const [name, title, isHere] of [
  ["pagi", "pagi-server", true],
  ["bun", "Bun.serve", true],
  ["node", "ws on Node", !isMissing("node")],
] as const) {
  test.skipIf(!isHere)(
    `bun run bench ws-* --quick: ${name}`,
    async () => {
      const scenarios = ["ws-64", "ws-64k", "ws-broadcast", "ws-idle"];
      const { code, output, complaints } = await bench([...scenarios, "--quick", "--only", name]);
      expect(complaints).toBe("");
      expect(code).toBe(0);
      for (const scenario of scenarios) {
        // The memory of so few connections may be none at all; their open files are counted.
        const figures = scenario === "ws-idle" ? " +-?[\\d ]+ +\\d\\.\\d\\d" : " +[1-9]";
        expect(output).toMatch(new RegExp(`^${scenario}: .*\\n.*\\n${title}${figures}`, "m"));
      }
    },
    120_000,
  );
}

const NODE_HERE = !isMissing("node");

for (const [name, title, isHere] of [
  ["pagi", "Hono on pagi-server", true],
  ["bun", "Hono on Bun.serve", true],
  ["node", "Hono on @hono/node-server", NODE_HERE],
] as const) {
  test.skipIf(!hasWrk || !isHere)(
    `bun run bench hono --quick: ${name}`,
    async () => {
      const { code, output, complaints } = await bench(["hono", "--quick", "--only", name]);
      expect(complaints).toBe("");
      expect(code).toBe(0);
      for (const scenario of ["hono-hello", "hono-json", "hono-post64k"]) {
        expect(output).toMatch(new RegExp(`^${scenario}: .*\\n.*\\n${title} +[1-9]`, "m"));
      }
    },
    90_000,
  );
}

for (const [name, titles] of [
  [
    "pagi",
    {
      "toolkit-router": ["Router", "Hono on pagi-server", "by hand, one route"],
      "toolkit-routes": ["10 routes, 10 of them asked for", "1000 routes, 500 of them asked for"],
      "toolkit-upload": ["PagiRequest.form()", "PagiRequest.multipart()", "Hono on pagi-server"],
      "toolkit-stream": ["PagiRequest.form()", "PagiRequest.multipart()", "PagiRequest.bodyStream()"],
    },
  ],
  [
    "bun",
    {
      "toolkit-router": ["Hono on Bun.serve"],
      "toolkit-upload": ["Hono on Bun.serve"],
      "toolkit-stream": ["Bun.serve"],
    },
  ],
] as const) {
  test.skipIf(!hasWrk)(
    `bun run bench toolkit --quick: ${name}`,
    async () => {
      const { code, output, complaints } = await bench(["toolkit", "--quick", "--only", name]);
      expect(complaints).toBe(
        name === "bun" ? "Left out: toolkit-routes (no server that is wanted takes part).\n" : "",
      );
      expect(code).toBe(0);
      const tables = output.split("\n\n");
      for (const [scenario, rows] of Object.entries(titles)) {
        const table = tables.find((one) => one.startsWith(`${scenario}: `)) ?? "";
        for (const title of rows) {
          const line = table.split("\n").find((one) => one.startsWith(`${title}  `));
          expect(line?.slice(title.length)).toMatch(/^ +[1-9]/);
        }
      }
    },
    120_000,
  );
}

test.each(["form", "raw"] as const)("the parts of an upload (%s) make the whole", async (kind) => {
  const size = 2 ** 20 + 5;
  const upload = new UploadBody(kind, "/path", size);
  const bytes: Buffer[] = [];
  for (let at = 0; at < upload.length; at += bytes.at(-1)?.length ?? 0) bytes.push(upload.bytesAt(at));
  expect(upload.bytesAt(upload.length)).toHaveLength(0);
  const [head = "", ...rest] = Buffer.concat(bytes).toString("latin1").split("\r\n\r\n");
  expect(head).toStartWith("POST /path HTTP/1.1\r\n");
  const body = upload.whole();
  expect(rest.join("\r\n\r\n")).toBe(body.toString("latin1"));
  expect(head).toContain(`Content-Length: ${body.length}`);
  const response = new Response(body, { headers: { "content-type": upload.type } });
  const file = kind === "raw" ? await response.blob() : (await response.formData()).get("file");
  if (!(file instanceof Blob)) throw new Error("there is no file");
  expect(new Bun.CryptoHasher("sha256").update(await file.bytes()).digest("hex")).toBe(uploadDigest(size));
});

test("'ws' is every scenario whose name begins so", () => {
  const all = ["hello", "ws-64", "ws-idle"].map((name): Scenario => ({
    name,
    about: "",
    needsWrk: false,
    metrics: [],
    measure: () => Promise.resolve({}),
  }));
  const chosen = (...words: string[]): string[] =>
    parseCommandLine(words, all).scenarios.map(({ name }) => name);
  expect(chosen("ws")).toEqual(["ws-64", "ws-idle"]);
  expect(chosen("ws-64", "hello")).toEqual(["ws-64", "hello"]);
  expect(chosen()).toEqual(["hello", "ws-64", "ws-idle"]);
});

test("frames of WebSocket are those of RFC 6455, which a server understands", async () => {
  const sizes = [0, 1, 125, 126, 4096, 65_535, 65_536];
  const got: string[] = [];
  const done = Promise.withResolvers<void>();
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, own) => (own.upgrade(request) ? undefined : new Response()),
    websocket: {
      message(socket, message) {
        got.push(String(message));
        socket.send(message);
      },
    },
  });
  const texts = sizes.map((size) => "x".repeat(size));
  const due = sizes.reduce((sum, size) => sum + serverFrameBytes(size), 0);
  let [head, received] = ["", 0];
  const bytes = Buffer.concat(texts.map((text) => clientFrame(new TextEncoder().encode(text))));
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      data(own, chunk) {
        if (head === "") {
          head = chunk.toString("latin1");
          own.write(bytes);
        } else received += chunk.byteLength;
        if (received >= due) done.resolve();
      },
      close: () => done.resolve(),
    },
  });
  socket.write(upgradeRequest("/"));
  await done.promise;
  socket.end();
  expect(isAccepted(head)).toBe(true);
  expect(got.map(({ length }) => length)).toEqual(sizes);
  expect(got).toEqual(texts);
  expect(received).toBe(due);
});

test.each([
  [["helo"], "There is no scenario 'helo'; there are hello, json,"],
  [["--only", "apache"], "There is no server 'apache'; there are pagi, bun,"],
  [["--rounds", "0"], "--rounds must be a whole number above 0, not '0'."],
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

test("--help lists every scenario", async () => {
  const { output } = await bench(["--help"]);
  for (const name of [
    "hello",
    "json",
    "post64k",
    "stream",
    "file",
    "pipelined",
    "hono-hello",
    "sse",
    "idle",
    "cold",
    "ws-64",
    "ws-idle",
    "toolkit-router",
    "toolkit-routes",
    "toolkit-upload",
    "toolkit-stream",
  ]) {
    expect(output).toContain(`\n  ${name} `);
  }
});

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

describe("the table", () => {
  const scenario: Scenario = {
    name: "hello",
    about: "",
    needsWrk: false,
    metrics: [METRICS.requests, METRICS.p50],
    measure: () => Promise.reject(new Error("not measured here")),
  };
  const series = (name: ServerName, ...requests: number[]) => {
    const kind = SERVERS.find((one) => one.name === name);
    if (kind === undefined) throw new Error(name);
    return { kind, samples: requests.map((value): Sample => ({ requests: value, p50: 1500 })) };
  };

  test("has medians, and their ratio to Bun.serve", () => {
    const table = tableOf(scenario, [series("pagi", 90_000, 80_000, 1), series("bun", 100_000)]);
    expect(aligned(table)).toBe(
      [
        "server       requests/s  ratio  p50 ms  ratio",
        "pagi-server      80 000   0.80    1.50   1.00",
        "Bun.serve       100 000   1.00    1.50   1.00",
      ].join("\n"),
    );
    expect(markdown(table).split("\n").slice(0, 2)).toEqual([
      "| server      | requests/s | ratio | p50 ms | ratio |",
      "|-------------|-----------:|------:|-------:|------:|",
    ]);
  });

  test("has a scenario's own title for a server, and no ratio of what is no comparison", () => {
    const busy = { ...scenario, titles: { node: "ws on Node" }, metrics: [METRICS.busy] };
    const [node, bun] = [series("node"), series("bun")];
    node.samples.push({ busy: 99 });
    bun.samples.push({ busy: 50 });
    expect(tableOf(busy, [node, bun])).toEqual([
      ["server", "server busy %"],
      ["ws on Node", "99"],
      ["Bun.serve", "50"],
    ]);
  });

  test("compares with the row that the scenario names", () => {
    const [kind] = SERVERS;
    if (kind === undefined) throw new Error("there is no server");
    const rows = [100, 50].map((requests) => ({
      kind: { ...kind, title: `row ${requests}` },
      samples: [{ requests, p50: 1500 }],
    }));
    const table = tableOf({ ...scenario, metrics: [METRICS.requests], baseline: "row 50" }, rows);
    expect(table.slice(1)).toEqual([
      ["row 100", "100", "2.00"],
      ["row 50", "50", "1.00"],
    ]);
  });

  test("has no ratio without Bun.serve", () => {
    expect(aligned(tableOf(scenario, [series("node", 5)]))).toBe(
      ["server     requests/s  p50 ms", "node:http           5    1.50"].join("\n"),
    );
  });
});

test.if(process.platform === "linux")("the kernel's accounting is read", () => {
  const until = cpuTimeOf(process.pid).user + 20_000;
  while (cpuTimeOf(process.pid).user < until);
  expect(filesOf(process.pid)).toBeGreaterThan(2);
  const { now, peak } = memoryOf(process.pid);
  expect(now).toBeGreaterThan(1e6);
  expect(peak).toBeGreaterThanOrEqual(now);
});
