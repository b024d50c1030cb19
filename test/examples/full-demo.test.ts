import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { request } from "../support/wire.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startExample("full-demo", { env: { DEMO_PAUSE: "20" } });
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

function post(path: string, body: NonNullable<RequestInit["body"]>, headers = {}): Promise<Response> {
  return fetch(server.url + path, { method: "POST", body, headers });
}

test("greetings, an echo that never becomes a page, and 404, 405, 413", async () => {
  expect(await (await fetch(`${server.url}/hello`)).text()).toBe("Hello, World!\n");
  expect(await (await fetch(`${server.url}/hello/%3Cb%3E`)).text()).toBe("Hello, <b>!\n");
  const echoed = await post("/echo", "<script>", { "content-type": "text/html" });
  expect(echoed.headers.get("content-type")).toBe("application/octet-stream");
  expect(echoed.headers.get("x-echoed-length")).toBe("8");
  expect(
    (await post("/echo", "x", { "content-type": "Text/Plain; charset=utf-8" })).headers.get("content-type"),
  ).toBe("Text/Plain");
  expect((await post("/echo", "x".repeat(65_537))).status).toBe(413);
  expect((await fetch(`${server.url}/echo`)).status).toBe(405);
  expect((await fetch(`${server.url}/none`)).status).toBe(404);
  await server.shows(/POST \/echo 413 \d+ ms/);
});

test("a session remembers, gets another id with another name, and is forgotten", async () => {
  let cookie = "";
  const visit = async (): Promise<unknown> => {
    const response = await fetch(`${server.url}/visit`, { headers: { cookie } });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return response.json();
  };
  expect(await visit()).toMatchObject({ name: "stranger", visits: 1 });
  const first = cookie;
  const json = { "content-type": "application/json" };
  const named = await post("/name", JSON.stringify({ name: " Ada " }), { cookie, ...json });
  expect(await named.json()).toEqual({ name: "Ada" });
  expect((await post("/name", "{}", json)).status).toBe(422);
  const forged = await post("/name", "name=Eve", {
    "content-type": "application/x-www-form-urlencoded",
    origin: "https://evil.example",
  });
  expect([forged.status, forged.headers.get("set-cookie")]).toEqual([403, null]);
  expect((await post("/name", "{}")).status).toBe(415);
  cookie = named.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(cookie).not.toBe(first);
  expect(await visit()).toMatchObject({ name: "Ada", visits: 2 });

  const old = cookie;
  expect((await post("/forget", "", { cookie })).status).toBe(204);
  cookie = old;
  expect(await visit()).toMatchObject({ name: "stranger", visits: 1 });
});

test("an upload is measured, and refused where it is none or too large", async () => {
  const bytes = Buffer.alloc(300_000, "abc");
  const form = new FormData();
  form.set("file", new File([bytes], "../a.bin"));
  expect(await (await post("/upload", form)).json()).toEqual({
    name: "a.bin",
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  expect((await post("/upload", new FormData())).status).toBe(422);
  form.set("file", new File([new Uint8Array(5 * 1024 * 1024 + 1)], "large"));
  expect((await post("/upload", form)).status).toBe(413);
});

test("events go on from where they were, and end", async () => {
  const address = { host: "127.0.0.1", port: server.port };
  const { body } = await request(
    address,
    "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n",
  );
  expect([...body.matchAll(/^(?:event|id): (.*)$/gm)].map(([, value]) => value)).toEqual([
    "tick",
    "8",
    "tick",
    "9",
    "tick",
    "10",
    "done",
  ]);
});

test("the WebSocket sends back text and bytes, and the end of the server counts", async () => {
  await using other = await startExample("full-demo", { env: { DEMO_PAUSE: "5" } });
  const client = await WebSocketClient.open(`ws://127.0.0.1:${other.port}/ws/echo`);
  expect(await client.next()).toBe("Welcome, stranger.");
  client.send("hé");
  expect(await client.next()).toBe("Echo: hé");
  client.send(Uint8Array.of(0, 255));
  expect(await client.next()).toEqual(Uint8Array.of(0, 255));
  await client.close();
  expect(await (await fetch(`${other.url}/stream`)).text()).toStartWith("Stream 1 has started.\nWorking.\n");
  await other.shows(/websocket \/ws\/echo 101 \d+ ms/);
  expect(await other.stop("SIGTERM")).toBe(0);
  expect(other.output).toMatch(/Up for \d s: 0 visits, 1 streams, 0 uploads\./);
});

test("in Chromium: the page uses all of it", async () => {
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  const status = (text: string | RegExp) => page.getByRole("status").filter({ hasText: text }).waitFor();
  await status("Hello, stranger. This is your visit 1");
  await page.getByRole("textbox", { name: "Your name" }).fill("<i>Ada</i>");
  await page.getByRole("button", { name: "Remember" }).click();
  await status("Hello, <i>Ada</i>. This is your visit 2");

  await page.getByLabel("A file of at most 5 MiB").setInputFiles({
    name: "note.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("hello"),
  });
  await page.getByRole("button", { name: "Upload" }).click();
  await status("note.txt: 5 bytes, SHA-256 2cf24dba5fb0a30e");

  const answers = page.getByRole("log", { name: "Answers of the WebSocket" });
  await answers.getByText("Welcome, <i>Ada</i>.").waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("over the wire");
  await page.keyboard.press("Enter");
  await answers.getByText("Echo: over the wire").waitFor();

  await page.getByRole("button", { name: "Listen" }).click();
  await status("That was all.");
  await page.getByRole("button", { name: "Get it" }).click();
  await page.getByRole("log", { name: "The response" }).filter({ hasText: "That was all." }).waitFor();
  await page.getByRole("textbox", { name: "Text to be echoed" }).fill("Grüße");
  await page.getByRole("button", { name: "Post" }).click();
  await status("7 bytes: Grüße");
  await keepScreenshot(page, "full-demo");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(problems).toEqual([]);
}, 60_000);
