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
    expect((await fetch(at("/hello/you"))).headers.get("x-mood")).toBe("good");
    expect(await (await fetch(at("/users"))).json()).toEqual([{ name: "ann" }]);
    const made = await fetch(at("/users"), { method: "POST", body: `{"name":"bob"}` });
    expect([made.status, await made.json()]).toEqual([201, { name: "bob" }]);
    expect((await fetch(at("/users"), { method: "DELETE" })).headers.get("allow")).toBe(
      "GET, HEAD, OPTIONS, POST",
    );
    expect(await firstMessage(at("/echo"), "hi")).toBe("hi");
  });
}, 30_000);

test("the application of docs/sessions.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/sessions.md", async (at) => {
    let cookie = "";
    const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
      const response = await fetch(at(path), { ...init, headers: { cookie }, redirect: "manual" });
      const [set] = response.headers.getSetCookie();
      if (set !== undefined) cookie = set.split(";")[0] ?? "";
      return response.text();
    };
    expect(await ask("/")).toBe("nobody, visit 1\n");
    const before = cookie;
    await ask("/login", { method: "POST", body: JSON.stringify({ user: "alice" }) });
    expect(cookie).not.toBe(before);
    expect(await ask("/")).toBe("alice, visit 2\nWelcome.\n");
    expect(await ask("/")).toBe("alice, visit 3\n");
    await ask("/logout", { method: "POST" });
    expect(cookie).toBe("pagi_session=");
    expect(await ask("/")).toBe("nobody, visit 1\n");
    expect(await firstMessage(at("/whoami"))).toBe("nobody");
  });
});

test("the application of docs/context.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/context.md", async (at) => {
    const user = await fetch(at("/users/7"));
    expect([await user.json(), user.headers.getSetCookie()]).toEqual([{ id: "7" }, ["seen=7; Path=/"]]);
    const post = (body: unknown) =>
      fetch(at("/users"), {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    const made = await post({ name: "ann" });
    expect([made.status, made.headers.get("location")]).toEqual([201, "/users/ann"]);
    expect((await post({ name: "" })).status).toBe(422);
    expect(await firstMessage(at("/echo/blue"), "hi")).toBe("blue: hi");
    const stream = await fetch(at("/count/3"), { headers: { accept: "text/event-stream" } });
    expect((await stream.text()).match(/data: \d/g)).toEqual(["data: 1", "data: 2", "data: 3"]);
  });
}, 30_000);

test("the tutorial of docs/simple.md is one application, which its own test passes", async () => {
  const folder = await mkdtemp(join(ROOT, "test/toolkit/.docs-"));
  try {
    const [tutorial = "", testing = ""] = (await Bun.file(join(ROOT, "docs/simple.md")).text()).split(
      "## Testing",
    );
    const blocks = (text: string): string =>
      [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code).join("\n");
    await Bun.write(join(folder, "app.ts"), blocks(tutorial));
    await Bun.write(join(folder, "app.test.ts"), blocks(testing));
    await Bun.write(join(folder, "public/site.css"), "body {}");
    await succeeds("check", join(folder, "app.ts"), join(folder, "app.test.ts"));
    await succeeds("test", join(folder, "app.test.ts"));
    await using running = await ServerProcess.start([join(folder, "app.ts"), "-p", "0"]);
    const get = async (path: string): Promise<string> => (await fetch(new URL(path, running.url))).text();
    expect(await get("/hello")).toBe("Hello, World!\n");
    expect(await get("/greet/Ada?greeting=Hi")).toBe('{"message":"Hi, Ada!"}');
    expect(await get("/this-year")).toMatch(/^The year \d{4}\n$/);
    expect(await get("/")).toContain("I was &lt;here&gt;.");
    expect(await get("/sunday")).toBe("Closed on Sundays.\n");
    expect(await get("/nothing")).toBe('{"error":"There is nothing at /nothing."}');
    expect(await get("/assets/site.css")).toBe("body {}");
    expect(await get("/status")).toBe('{"entries":1}');
    expect(await get("/started")).toMatch(/^\d{4}-/);
    const refused = await fetch(new URL("/api/entries", running.url), {
      method: "POST",
      body: new URLSearchParams({ name: "" }),
    });
    expect(refused.status).toBe(422);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

/** Runs Bun with these words. */
async function succeeds(...words: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, ...words], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${words[0]}: ${output}${errors}`);
}
