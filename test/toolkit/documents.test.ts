import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ServerProcess } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const ROOT = join(import.meta.dir, "../..");

/** Checks and serves the first block of TypeScript of a page, or that behind the text `after`, and calls `use` with the server's address. */
async function serveFirstBlock(
  page: string,
  use: (at: (path: string) => URL) => Promise<void>,
  after = "",
): Promise<void> {
  const folder = await mkdtemp(join(ROOT, "test/toolkit/.docs-"));
  try {
    const file = join(folder, "app.ts");
    const whole = await Bun.file(join(ROOT, page)).text();
    const text = whole.slice(whole.indexOf(after));
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

test("the application with the toolkit in the README runs and has no type errors", async () => {
  await serveFirstBlock(
    "README.md",
    async (at) => {
      expect(await (await fetch(at("/hello/<you>"))).text()).toBe("<h1>Hello, &lt;you&gt;!</h1>");
      expect(await (await fetch(at("/users/7"))).json()).toEqual({ id: "7" });
      expect(await firstMessage(at("/chat/blue"), "hi")).toBe("hi");
      const clock = await fetch(at("/clock"), { headers: { accept: "text/event-stream" } });
      const reader = clock.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^data: \d{4}-/);
      await reader?.cancel();
    },
    "## The toolkit\n",
  );
}, 30_000);

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
});

test("the application of docs/websocket.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/websocket.md", async (at) => {
    const url = at("/?token=x").href.replace("http", "ws");
    const [one, two] = await Promise.all([WebSocketClient.open(url), WebSocketClient.open(url)]);
    one.send('{"x":1,"y":2}');
    expect(await two.next()).toBe('{"x":1,"y":2}');
    one.send('{"x":1}');
    expect((await one.closed).code).toBe(1007);
    await expect(WebSocketClient.open(at("/").href.replace("http", "ws"))).rejects.toThrow("handshake");
  });
}, 30_000);

test("the application of docs/sse.md runs and has no type errors", async () => {
  await serveFirstBlock("docs/sse.md", async (at) => {
    const open = (path: string, init: RequestInit = {}) =>
      fetch(at(path), { ...init, headers: { accept: "text/event-stream", "last-event-id": "2" } });
    expect(await (await open("/numbers")).text()).toBe("id: 3\ndata: 3\n\n");
    expect((await open("/other")).status).toBe(404);
    const clock = (await open("/clock")).body?.getReader();
    expect(new TextDecoder().decode((await clock?.read())?.value)).toStartWith("event: tick\ndata: ");
    await clock?.cancel();
    const said = await open("/say", { method: "POST", body: '{"text":"hi"}' });
    expect(await said.text()).toBe("data: told 0\n\n");
  });
}, 30_000);

test("the tests of docs/testing.md pass and have no type errors", async () => {
  expect(await testBlocks("docs/testing.md")).toBe(2);
}, 60_000);

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
