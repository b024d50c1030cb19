import { afterEach, beforeEach, expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample, type ServerProcess } from "../support/example.ts";
import { openStream } from "../support/sse.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let server: ServerProcess;

beforeEach(async () => {
  server = await startExample("endpoint-demo");
});
afterEach(async () => {
  await server.stop("SIGKILL");
});

function post(body: string, type = "application/json"): Promise<Response> {
  const headers = { "content-type": type };
  return fetch(`${server.url}/api/messages`, { method: "POST", body, headers });
}

test("in Chromium: a message that one posts is seen by two; the echo answers", async () => {
  await using browser = await launchChromium();
  const [ada, grace] = [await openPage(browser, server.url), await openPage(browser, server.url)];
  await ada.page.getByText("live").waitFor();
  await ada.page.getByLabel("New message").fill("Good morning, <b>Grace</b>");
  await ada.page.keyboard.press("Enter");
  for (const { page } of [ada, grace]) {
    await page.getByText("Good morning, <b>Grace</b>").waitFor();
    expect(await page.getByRole("log", { name: "Messages" }).getByRole("listitem").allTextContents()).toEqual(
      ["Hello, World!", "Good morning, <b>Grace</b>"],
    );
  }
  expect(await ada.page.getByLabel("New message").inputValue()).toBe("");

  await grace.page.getByText("connected", { exact: true }).waitFor();
  for (const text of ["Hello", "Grüße 🌍"]) {
    await grace.page.getByLabel("Say something").fill(text);
    await grace.page.getByRole("button", { name: "Say" }).click();
  }
  await grace.page.getByText("2: Grüße 🌍").waitFor();
  await keepScreenshot(grace.page, "endpoint-demo");

  // What the server refuses is told: spaces only pass the page's own check.
  await ada.page.getByLabel("New message").fill("   ");
  await ada.page.getByRole("button", { name: "Post" }).click();
  await ada.page.getByText("Not posted: Enter a text.").waitFor();
  expect(await accessibilityProblems(ada.page)).toEqual([]);
  expect([...ada.problems, ...grace.problems]).toEqual([]);

  // The end of the server is an end for everybody.
  expect(await server.stop("SIGTERM")).toBe(0);
  await grace.page.getByText("closed; load the page again").waitFor();
  expect(server.output).toContain("an echo has ended with 1001 after 2 messages");
}, 60_000);

test("HttpEndpoint: methods, what the middleware refuses, and what the schema does", async () => {
  const response = await post('{"text":" Hi "}');
  expect([response.status, await response.json()]).toEqual([201, { id: 2, text: "Hi" }]);
  expect((await post("text=x", "application/x-www-form-urlencoded")).status).toBe(415);
  expect((await post('{"text":""}')).status).toBe(422);
  expect((await post("{")).status).toBe(400);
  const refused = await fetch(`${server.url}/api/messages`, { method: "PUT" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS, POST"]);
  await server.shows(/^http \/api\/messages \d+\.\d ms$/m);
});

test("WebSocketEndpoint: each connection counts for itself; what is no JSON ends it", async () => {
  const url = `ws://127.0.0.1:${server.port}/echo`;
  const [first, second] = [await WebSocketClient.open(url), await WebSocketClient.open(url)];
  for (const [client, number] of [
    [first, 1],
    [first, 2],
    [second, 1],
  ] as const) {
    if (number === 1) expect(await client.next()).toBe('{"type":"welcome"}');
    client.send('{"text":"x"}');
    expect(JSON.parse(String(await client.next()))).toEqual({ type: "echo", number, text: "x" });
  }
  second.send('{"txt":"x"}');
  expect(JSON.parse(String(await second.next()))).toMatchObject({ type: "error" });
  first.send("x");
  expect(await first.closed).toMatchObject({ code: 1007 });
  second.send(new Uint8Array(1));
  expect(await second.closed).toMatchObject({ code: 1003 });
});

test("SseEndpoint: who comes back gets what was missed, and only the latest are kept", async () => {
  for (let id = 2; id <= 120; id++) expect((await post(`{"text":"${id}"}`)).status).toBe(201);
  const address = { host: "127.0.0.1", port: server.port };
  for (const [fields, first] of [
    [[], 21],
    [["Last-Event-ID: 118"], 119],
    [["Last-Event-ID: -1"], 21],
  ] as const) {
    const wire = await openStream(address, { target: "/events", fields });
    expect(await wire.readTo(`id: ${first}\n`)).not.toContain(`id: ${first - 1}\n`);
    await wire.readTo("id: 120\n");
    wire.reset();
  }
  const live = await openStream(address, { target: "/events", fields: ["Last-Event-ID: 120"] });
  expect((await post('{"text":"new"}')).status).toBe(201);
  expect(await live.readTo("\n\n")).toContain('data: {"id":121,"text":"new"}');
  live.reset();
});
