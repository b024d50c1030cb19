import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ServerProcess } from "./support/example.ts";
import { WebSocketClient } from "./support/websocket-client.ts";

// What a user gets: the package as `bun pm pack` makes it, installed into an empty folder.

const ROOT = join(import.meta.dir, "..");
const APP = `
import type { Application } from "pagi-server";
import { UnsupportedScopeError } from "pagi-server";

const app: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new UnsupportedScopeError(scope.type);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: "packed\\n" });
};
export default app;
`;
const SCRIPT = `
import { serve } from "pagi-server";
import { handler } from "pagi-server/context";
import { EndpointRouter } from "pagi-server/endpoint";
import { wrap } from "pagi-server/lifespan";
import { compose } from "pagi-server/middleware";
import { PagiRequest } from "pagi-server/request";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { CookieStore, Session, sessions, SqliteStore } from "pagi-server/session";
import { Simple } from "pagi-server/simple";
import { PagiSse } from "pagi-server/sse";
import { PagiWebSocket } from "pagi-server/websocket";
import { dispatch } from "pagi-server/spec";
import { fromFetch, toFetch } from "pagi-server/fetch";
import { TestClient } from "pagi-server/testing";
import { CONFORMANCE, IN_PROCESS, runCase } from "pagi-server/testing/conformance";

const http = async (scope, receive, send) => {
  const name = new PagiRequest(scope, receive).queryParam("name");
  Session.of(scope).set({ name });
  await PagiResponse.text(name === "é" ? "packed" : "no name").respond(send, scope);
};
class Site extends EndpointRouter {
  routes(r) {
    r.get("/", () => dispatch({ http: compose([])(handler(() => dispatch({ http }))) }));
    r.sse("/events", (c) => new PagiSse(c.scope, c.receive, c.send).run());
    r.websocket("/chat", (c) => new PagiWebSocket(c.scope, c.receive, c.send).deny());
  }
}
const store = new CookieStore({ secrets: ["0123456789abcdef0123456789abcdef"] });
(await SqliteStore.open(":memory:")).close();
const inner = toFetch(wrap(sessions({ store })(new Simple().mount("/", Site).get("/page", (c) => c.text("page")).toApp())));
await runCase(CONFORMANCE["http requests"][0], IN_PROCESS);
const page = await new TestClient(new Router().get("/", PagiResponse.text("ok"))).get("/");
if (!page.ok) throw new Error("TestClient");
await inner.start();
const server = await serve(fromFetch((request) => inner(request)), { port: 0, signals: false });
console.log(await (await fetch(server.url + "?name=%C3%A9")).text());
await inner.stop();
await server.stop();
`;

const HONO = `
import { Hono } from "hono";
import { getConnInfo, upgradeWebSocket } from "pagi-server/hono";

const app = new Hono();
app.get("/", (c) => c.text(String(getConnInfo(c).remote.address)));
app.get("/ws", upgradeWebSocket(() => ({ onOpen: (_, ws) => ws.send("packed") })));
export default app;
`;

// Not ours: whoever uses the package need not write TypeScript as we do.
const USER_OPTIONS = {
  target: "esnext",
  module: "preserve",
  lib: ["esnext", "dom"],
  types: ["bun-types"],
  strict: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  skipLibCheck: false,
  noEmit: true,
};

let folder: string;
/** A clone to pack: packing builds `dist`, which the tests of the benchmark do in ROOT at the same time. */
let clone: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-server-package-"));
  clone = await mkdtemp(join(tmpdir(), "pagi-server-clone-"));
  const isLeftOut = /^(?:\.git|node_modules|dist|test\/screenshots)$|\.(?:tgz|log)$/;
  await cp(ROOT, clone, { recursive: true, filter: (file) => !isLeftOut.test(relative(ROOT, file)) });
  await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
  await run([process.execPath, "pm", "pack", "--quiet", "--destination", folder], clone);
  const [tarball] = await readdir(folder);
  if (tarball === undefined) throw new Error("bun pm pack has made no file");
  files = (await run(["tar", "-tzf", join(folder, tarball)], folder)).trim().split("\n");
  await Bun.write(join(folder, "package.json"), `{ "name": "empty", "private": true, "type": "module" }\n`);
  await run([process.execPath, "add", "--silent", `./${tarball}`], folder);
  await Bun.write(join(folder, "app.ts"), APP);
  await Bun.write(join(folder, "script.ts"), SCRIPT);
  await Bun.write(join(folder, "hono.ts"), HONO);
  // An optional peer: whoever has a Hono application has installed it.
  await symlink(join(ROOT, "node_modules/hono"), join(folder, "node_modules/hono"));
}, 60_000);

afterAll(async () => {
  for (const each of [folder, clone]) await rm(each, { recursive: true, force: true });
});

test("the package holds what it needs to run, its documents, and no tests or benchmarks", () => {
  const top = new Set(files.map((file) => file.replace(/^package\//, "").split("/")[0]));
  for (const needed of [
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "src",
    "cli",
    "examples",
  ]) {
    expect(top).toContain(needed);
  }
  expect(
    files.filter((file) => /^package\/(test|bench|\.ci|node_modules)\/|\.test\.ts$|bun\.lock$/.test(file)),
  ).toEqual([]);
});

test("every relative link of the documents in the package leads to something that is in it", async () => {
  const held = new Set(files);
  for (const file of files) {
    // A folder is in it when a file below it is.
    for (let parent = dirname(file); parent !== "."; parent = dirname(parent)) held.add(parent);
  }
  const documents = files.filter((file) => file.endsWith(".md"));
  expect(documents).toContain("package/README.md");
  const lost: string[] = [];
  for (const document of documents) {
    const text = await Bun.file(
      join(folder, "node_modules/pagi-server", document.slice("package/".length)),
    ).text();
    for (const [, target = ""] of text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g)) {
      const linked = join(dirname(document), target).replace(/\/$/, "");
      if (!held.has(linked)) lost.push(`${document}: ${target}`);
    }
  }
  expect(lost).toEqual([]);
});

test("package.json says where the source, the home page and the issues are", async () => {
  const { repository, homepage, bugs } = (await Bun.file(join(ROOT, "package.json")).json()) as Record<
    string,
    unknown
  >;
  expect(repository).toMatchObject({ type: "git", url: expect.stringMatching(/^git\+https:\/\/.+\.git$/) });
  expect(homepage).toMatch(/^https:/);
  expect(bugs).toMatch(/^https:/);
});

test("inside the repository the entries are those of the package, and nothing more", async () => {
  const { exports } = (await Bun.file(join(ROOT, "package.json")).json()) as {
    exports: Record<string, string | { default: string }>;
  };
  const { compilerOptions } = (await Bun.file(join(ROOT, "tsconfig.json")).json()) as {
    compilerOptions: { paths: Record<string, readonly string[]> };
  };
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [[`pagi-server${entry.slice(1)}`, [target.default]] as const],
  );
  expect(compilerOptions.paths).toEqual(Object.fromEntries(entries));
});

test("a project that is linked to a clone runs its server", async () => {
  const linked = await mkdtemp(join(tmpdir(), "pagi-server-linked-"));
  const env = { BUN_INSTALL: join(linked, "bun") };
  const project = join(linked, "my app");
  try {
    await Bun.write(
      join(project, "package.json"),
      `{ "name": "linked", "private": true, "type": "module" }\n`,
    );
    await Bun.write(join(project, "app.ts"), APP);
    // `bun pm pack` has run the script "prepack" already.
    await run([process.execPath, "link"], clone, env);
    await run([process.execPath, "link", "pagi-server"], project, env);
    await using server = await ServerProcess.run(
      [process.execPath, "x", "pagi-server", "app.ts", "-p", "0"],
      env,
      project,
    );
    expect(await (await fetch(server.url)).text()).toBe("packed\n");
    expect(await server.stop("SIGTERM")).toBe(0);
  } finally {
    await rm(linked, { recursive: true });
  }
}, 30_000);

test("bunx pagi-server app.ts serves the application", async () => {
  await using server = await ServerProcess.run(
    [process.execPath, "x", "pagi-server", "app.ts", "-p", "0"],
    {},
    folder,
  );
  const response = await fetch(server.url);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("packed\n");
  expect(await server.stop("SIGTERM")).toBe(0);
}, 20_000);

test("a stack trace in the log begins in the user's file, and then names lines of the package's sources", async () => {
  await Bun.write(
    join(folder, "wrong.ts"),
    `export default async (scope, receive, send) => {
  if (scope.type !== "http") return;
  await send({ type: "http.response.start", status: "200" });
};
`,
  );
  await using server = await ServerProcess.run(
    [process.execPath, "x", "pagi-server", "wrong.ts", "-p", "0"],
    {},
    folder,
  );
  expect((await fetch(server.url)).status).toBe(500);
  const [, first, own] = await server.shows(
    /the application threw: EventError.*\n +(at .*)\n +in pagi-server:\n +(at .*)\n/,
  );
  expect(first).toContain("/wrong.ts:3:");
  const [, source = "", line = 0] =
    /\/node_modules\/pagi-server\/(src\/[\w/-]+\.ts):(\d+):/.exec(own ?? "") ?? [];
  const text = await Bun.file(join(folder, "node_modules/pagi-server", source)).text();
  expect(text.split("\n").length).toBeGreaterThan(Number(line));
  expect(await server.stop("SIGTERM")).toBe(0);
});

test("the examples run where the package is installed, with the command of their README", async () => {
  const examples = [...new Bun.Glob("*/README.md").scanSync(join(ROOT, "examples"))];
  expect(examples.length).toBeGreaterThan(20);
  for (const readme of examples) {
    const [, program] = /^.*bunx pagi-server.* (\S+)$/m.exec(
      await Bun.file(join(ROOT, "examples", readme)).text(),
    ) ?? [readme, "no command"];
    expect(program).toBe(`node_modules/pagi-server/examples/${dirname(readme)}/app.ts`);
    expect(files).toContain(String(program).replace("node_modules/pagi-server", "package"));
  }
  await using server = await ServerProcess.run(
    [
      process.execPath,
      "x",
      "pagi-server",
      "node_modules/pagi-server/examples/simple-01-hello/app.ts",
      "-p",
      "0",
    ],
    {},
    folder,
  );
  expect(await (await fetch(new URL("/greet/Ada", server.url))).text()).toBe("Hello, Ada!\n");
  expect(await server.stop("SIGTERM")).toBe(0);
}, 20_000);

test("the bundle knows nothing of the folder in which it was made", async () => {
  const bundle = await Bun.file(join(folder, "node_modules/pagi-server/dist/pagi-server.js")).text();
  expect(bundle).toContain("pagi-server build");
  for (const maker of [ROOT, clone]) expect(bundle).not.toContain(maker);
});

test("bunx pagi-server build app.ts makes a binary, which needs nothing", async () => {
  const alone = await mkdtemp(join(tmpdir(), "pagi-server-binary-"));
  try {
    const file = join(alone, "packed");
    await run([process.execPath, "x", "pagi-server", "build", "app.ts", "-o", file], folder);
    await using server = await ServerProcess.run([file, "-p", "0"], {}, alone);
    expect(await (await fetch(server.url)).text()).toBe("packed\n");
    expect(await server.stop("SIGTERM")).toBe(0);
  } finally {
    await rm(alone, { recursive: true });
  }
}, 60_000);

test("bunx pagi-server hono.ts serves a Hono application with the helpers of pagi-server/hono", async () => {
  await using server = await ServerProcess.run(
    [process.execPath, "x", "pagi-server", "hono.ts", "-p", "0"],
    {},
    folder,
  );
  expect(await (await fetch(server.url)).text()).toBe("127.0.0.1");
  const client = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/ws`);
  expect(await client.next()).toBe("packed");
  await client.close();
  expect(await server.stop("SIGTERM")).toBe(0);
}, 20_000);

test("a configuration file can use defineConfig", async () => {
  const config = `import { defineConfig } from "pagi-server";\nexport default defineConfig({ app: "app.ts", port: 7 });\n`;
  await Bun.write(join(folder, "my.config.ts"), config);
  const words = ["--config", "my.config.ts", "--print-config"];
  const printed = await run([process.execPath, "x", "pagi-server", ...words], folder);
  expect(printed).toMatch(/^application +app\.ts +file my\.config\.ts$/m);
  expect(printed).toMatch(/^port +7 +file my\.config\.ts$/m);
}, 20_000);

test(`"pagi-server", "pagi-server/spec", "pagi-server/fetch" and the toolkit can be imported, and serve() serves`, async () => {
  expect((await run([process.execPath, "script.ts"], folder)).trim()).toBe("packed");
}, 20_000);

test("with a user's own tsconfig.json every entry has its types, and no error of ours", async () => {
  const { exports } = (await Bun.file(join(ROOT, "package.json")).json()) as { exports: object };
  const entries = Object.keys(exports).filter((entry) => entry !== "./package.json");
  const imports = entries.map((entry, i) => `import * as entry${i} from "pagi-server${entry.slice(1)}";`);
  const program = `${imports.join("\n")}
import { Simple } from "pagi-server/simple";
export default new Simple().get("/users/:id", (c) => c.params.di);
export const used = [${entries.map((_, i) => `entry${i}`).join(", ")}];
`;
  const user = await mkdtemp(join(folder, "user-"));
  await symlink(join(ROOT, "node_modules/bun-types"), join(folder, "node_modules/bun-types"));
  await Bun.write(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions: USER_OPTIONS }));
  await Bun.write(join(user, "program.ts"), program);
  const check = Bun.spawn([process.execPath, "check", "-p", user, "--no-pretty", "--all"], {
    cwd: user,
    stdout: "pipe",
    stderr: "pipe",
  });
  const told = (await check.stdout.text()) + (await check.stderr.text());
  const errors = told.split("\n").filter((line) => line.includes("error TS"));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/program\.ts.*Property 'di' does not exist/);
}, 30_000);

test("every option of serve(), the configuration and the toolkit has a doc comment in the published types", async () => {
  const types = join(folder, "node_modules/pagi-server/dist/types");
  const published =
    /^(?:adapters|testing|src\/(?:apps|toolkit)|cli\/serve-program\.|src\/options\/(?:define-config|partial-options)\.)/;
  const bare: string[] = [];
  let count = 0;
  for (const file of new Bun.Glob("**/*.d.ts").scanSync(types)) {
    if (!published.test(file)) continue;
    const text = await Bun.file(join(types, file)).text();
    for (const { name, member, isDocumented } of optionMembers(text)) {
      count++;
      if (!isDocumented) bare.push(`${file}: ${name}.${member}`);
    }
  }
  expect(count).toBeGreaterThan(150);
  expect(bare).toEqual([]);
});

test("what is no entry cannot be imported", async () => {
  const inner = run([process.execPath, "-e", `await import("pagi-server/src/server/server.ts")`], folder);
  await expect(inner).rejects.toThrow(/pagi-server\/src\/server\/server\.ts/);
});

test("bun.lock names no registry", async () => {
  expect(await Bun.file(join(ROOT, "bun.lock")).text()).not.toMatch(/https?:\/\//);
});

/** The members of the interfaces in a declaration file whose names say that they are options. */
function* optionMembers(text: string): Generator<{ name: string; member: string; isDocumented: boolean }> {
  const interfaces = /^(?:export )?interface (\w*(?:Options|Hooks)|Config)\b[^{]*\{\n(.*?)^\}/gms;
  for (const [, name = "", body = ""] of text.matchAll(interfaces)) {
    let isDocumented = false;
    let depth = 0;
    for (const line of body.split("\n").map((each) => each.trim())) {
      const [, member] = /^(?:readonly )?(\w+)\??[:(<]/.exec(line) ?? [];
      if (depth === 0 && member !== undefined) {
        yield { name, member, isDocumented };
        isDocumented = false;
      } else if (line.endsWith("*/")) isDocumented = true;
      if (!/^(?:\*|\/\*)/.test(line)) depth += line.split("{").length - line.split("}").length;
    }
  }
}

/** Runs a command and returns its standard output; throws with its error output when it fails. */
async function run(command: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}: ${errors}${output}`);
  return output;
}
