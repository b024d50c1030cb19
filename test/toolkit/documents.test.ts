import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ServerProcess } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const ROOT = join(import.meta.dir, "../..");

/** Checks and serves the first block of TypeScript of a page, and calls `use` with the server's address. */
async function serveFirstBlock(
  page: string,
  use: (at: (path: string) => URL) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(ROOT, "test/toolkit/.docs-"));
  try {
    const file = join(folder, "app.ts");
    const text = await Bun.file(join(ROOT, page)).text();
    await Bun.write(file, /```ts\n(.*?)```/s.exec(text)?.[1] ?? "");
    const check = Bun.spawn([process.execPath, "check", file], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    const [output, code] = await Promise.all([check.stdout.text(), check.exited]);
    if (code !== 0) throw new Error(output);
    await using running = await ServerProcess.start([file, "-p", "0"]);
    await use((path) => new URL(path, running.url));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Checks each block of TypeScript of a page and runs it as a file of tests. */
async function testBlocks(page: string): Promise<number> {
  const folder = await mkdtemp(join(ROOT, "test/toolkit/.docs-"));
  try {
    const text = await Bun.file(join(ROOT, page)).text();
    const blocks = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, block = ""]) => block);
    const files = blocks.map((_, i) => join(folder, `block-${i}.test.ts`));
    for (const [i, block] of blocks.entries()) await Bun.write(files[i] ?? "", block);
    for (const command of ["check", "test"]) {
      const run = Bun.spawn([process.execPath, command, ...files], {
        cwd: ROOT,
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
      if (code !== 0) throw new Error(out + err);
    }
    return blocks.length;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function firstMessage(url: URL, sent?: string): Promise<unknown> {
  const client = await WebSocketClient.open(url.href.replace("http", "ws"));
  if (sent !== undefined) client.send(sent);
  return client.next();
}

test("the application of docs/router.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/router.md", async (at) => {
    expect(await (await fetch(at("/api/users/42"))).text()).toBe("user 42\n");
    expect((await fetch(at("/api/users/me"))).status).toBe(404);
    expect(await firstMessage(at("/chat/blue"))).toBe("blue");
    const stream = await fetch(at("/events/a/b"), { headers: { accept: "text/event-stream" } });
    expect(await stream.text()).toContain("data: a/b\n");
  });
}, 30_000);

test("the application of docs/endpoints.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/endpoints.md", async (at) => {
    expect(await (await fetch(at("/hello/you"))).text()).toBe("hello you\n");
    expect(await (await fetch(at("/users"))).text()).toBe("all users\n");
    expect((await fetch(at("/users"), { method: "DELETE" })).headers.get("allow")).toBe(
      "GET, HEAD, OPTIONS, POST",
    );
    expect(await firstMessage(at("/echo"), "hi")).toBe("hi");
  });
}, 30_000);

test("the tests of docs/testing.md pass and have no type errors", async () => {
  expect(await testBlocks("docs/testing.md")).toBe(2);
}, 60_000);
