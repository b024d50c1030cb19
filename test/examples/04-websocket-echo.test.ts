import { afterAll, beforeAll, expect, test } from "bun:test";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { runWsClient, WS_RUNTIMES } from "../support/ws-package.ts";
import { isMissing } from "../support/optional-program.ts";

let server: ServerProcess;
let url: string;

beforeAll(async () => {
  server = await startExample("04-websocket-echo");
  url = `ws://127.0.0.1:${server.port}/`;
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

test("messages come back as what they were, in order", async () => {
  const client = await WebSocketClient.open(url);
  const messages = [
    "Hello",
    "",
    "Grüße, 世界 🌍",
    new Uint8Array(0),
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    "x".repeat(126),
    "y".repeat(70_000),
    new Uint8Array(500_000).fill(7),
  ];
  for (const message of messages) client.send(message);
  for (const message of messages) expect(await client.next()).toEqual(message);
  expect(await client.close(4001, "enough")).toEqual({ code: 4001, reason: "enough" });
});

test("every connection gets its own", async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => WebSocketClient.open(url)));
  for (const [i, client] of clients.entries()) {
    for (let n = 0; n < 50; n++) client.send(`${i} ${n}`);
  }
  for (const [i, client] of clients.entries()) {
    for (let n = 0; n < 50; n++) expect(await client.next()).toBe(`${i} ${n}`);
    expect(await client.close()).toMatchObject({ code: 1000 });
  }
});

test("a client that drops the connection disturbs nobody", async () => {
  const [dropping, staying] = [await WebSocketClient.open(url), await WebSocketClient.open(url)];
  dropping.send("x".repeat(100_000));
  dropping.drop();
  await dropping.closed;
  staying.send("still here");
  expect(await staying.next()).toBe("still here");
  await staying.close();
});

test("a request that is no WebSocket gets the page, or 404", async () => {
  const page = await fetch(server.url);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toContain("<title>WebSocket echo</title>");
  expect(await (await fetch(`${server.url}/echo.js`)).text()).toContain("new WebSocket(");
  expect((await fetch(`${server.url}/x`)).status).toBe(404);
});

for (const { name, command } of WS_RUNTIMES) {
  test.skipIf(isMissing(command))(
    `${name} gets its messages back`,
    async () => {
      const messages = ["Hello", "", "Grüße, 🌍", "hex:00ff7f", "z".repeat(5000)];
      expect(await runWsClient(command, url, messages.length, messages)).toEqual([
        ...messages,
        "closed 1000",
      ]);
    },
    20_000,
  );
}

test("in Chromium the page sends a text and shows its echo", async () => {
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  await page
    .getByRole("status")
    .filter({ hasText: /^connected$/ })
    .waitFor();
  for (const text of ["Hello from Chromium", "Grüße 🌍"]) {
    await page.getByLabel("Message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  }
  const echoes = page.getByRole("log", { name: "Echoes" }).getByRole("listitem");
  await echoes.nth(1).waitFor();
  expect(await echoes.allTextContents()).toEqual(["Hello from Chromium", "Grüße 🌍"]);
  await keepScreenshot(page, "04-websocket-echo");
  expect(problems).toEqual([]);
}, 60_000);

test("a shutdown closes every connection with 1001, and the server exits with 0", async () => {
  await using other = await startExample("04-websocket-echo");
  const clients = await Promise.all(
    Array.from({ length: 3 }, () => WebSocketClient.open(`ws://127.0.0.1:${other.port}/`)),
  );
  const code = other.stop("SIGTERM");
  for (const client of clients) expect(await client.closed).toMatchObject({ code: 1001 });
  expect(await code).toBe(0);
});
