import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerProcess } from "./support/example.ts";

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
import app from "./app.ts";
import { serve } from "pagi-server";
import { EndpointRouter } from "pagi-server/endpoint";
import { wrap } from "pagi-server/lifespan";
import { Router } from "pagi-server/router";
import { dispatch } from "pagi-server/spec";

class Site extends EndpointRouter {
  routes(r) {
    r.get("/", () => dispatch({ http: app }));
  }
}
const routed = new Router().mount("/", Site);
const server = await serve(wrap(routed), { port: 0, signals: false });
console.log(await (await fetch(server.url)).text());
await server.stop();
`;

let folder: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-server-package-"));
  await run([process.execPath, "pm", "pack", "--quiet", "--destination", folder], ROOT);
  const [tarball] = await readdir(folder);
  if (tarball === undefined) throw new Error("bun pm pack has made no file");
  files = (await run(["tar", "-tzf", join(folder, tarball)], folder)).trim().split("\n");
  await Bun.write(join(folder, "package.json"), `{ "name": "empty", "private": true, "type": "module" }\n`);
  await run([process.execPath, "add", "--silent", `./${tarball}`], folder);
  await Bun.write(join(folder, "app.ts"), APP);
  await Bun.write(join(folder, "script.ts"), SCRIPT);
}, 60_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("the package holds what it needs to run, its documents, and no tests or benchmarks", () => {
  const top = new Set(files.map((file) => file.replace(/^package\//, "").split("/")[0]));
  for (const needed of [
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
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

test("each entry can be imported, and serve() serves", async () => {
  expect((await run([process.execPath, "script.ts"], folder)).trim()).toBe("packed");
}, 20_000);

test("what is no entry cannot be imported", async () => {
  const inner = run([process.execPath, "-e", `await import("pagi-server/src/server/server.ts")`], folder);
  await expect(inner).rejects.toThrow(/pagi-server\/src\/server\/server\.ts/);
});

test("bun.lock names no registry", async () => {
  expect(await Bun.file(join(ROOT, "bun.lock")).text()).not.toContain("http");
});

/** Runs a command and returns its standard output; throws with its error output when it fails. */
async function run(command: string[], cwd: string): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}: ${errors}${output}`);
  return output;
}
