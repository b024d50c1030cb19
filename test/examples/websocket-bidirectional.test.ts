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
  server = await startExample("websocket-bidirectional", { env: { TICK_INTERVAL: "20" } });
  url = `ws://127.0.0.1:${server.port}/`;
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

/** The next message that is no tick. */
async function answer(client: WebSocketClient): Promise<string | Uint8Array> {
  for (;;) {
    const message = await client.next();
    if (typeof message !== "string" || !message.startsWith(`{"tick":`)) return message;
  }
}

test("ticks come by themselves, counted for each connection", async () => {
  for (const client of [await WebSocketClient.open(url), await WebSocketClient.open(url)]) {
    for (let tick = 1; tick <= 5; tick++) expect(await client.next()).toBe(`{"tick":${tick}}`);
    await client.close();
  }
});

test("commands are answered between the ticks, and change them", async () => {
  const client = await WebSocketClient.open(url);
  expect(await client.next()).toBe(`{"tick":1}`);

  client.send("stop");
  expect(await answer(client)).toBe(`{"interval":null}`);
  // Nothing comes now but what is asked for.
  client.send("stop");
  expect(await client.next()).toBe(`{"interval":null}`);

  client.send(`{"interval": 60000}`);
  expect(await client.next()).toBe(`{"interval":60000}`);
  client.send(`{"interval": 15}`);
  expect(await client.next()).toBe(`{"interval":15}`);
  expect(await client.next()).toMatch(/^{"tick":\d+}$/);

  client.send("stop");
  expect(await answer(client)).toBe(`{"interval":null}`);
  client.send("start");
  expect(await client.next()).toBe(`{"interval":15}`);
  expect(await client.next()).toMatch(/^{"tick":\d+}$/);
  expect(await client.close()).toMatchObject({ code: 1000 });
});

const UNKNOWN = `{"error":"There is no such command. Send stop, start or {\\"interval\\": milliseconds}."}`;
const OUT_OF_RANGE = `{"error":"The interval is a whole number of milliseconds, 10 to 60000."}`;

test.each([
  ["", UNKNOWN],
  ["faster", UNKNOWN],
  ["{", UNKNOWN],
  ["null", UNKNOWN],
  ["[1]", UNKNOWN],
  ["{}", UNKNOWN],
  [`{"interval":9}`, OUT_OF_RANGE],
  [`{"interval":60001}`, OUT_OF_RANGE],
  [`{"interval":-1}`, OUT_OF_RANGE],
  [`{"interval":12.5}`, OUT_OF_RANGE],
  [`{"interval":1e999}`, OUT_OF_RANGE],
  [`{"interval":"100"}`, OUT_OF_RANGE],
  [`{"interval":null}`, OUT_OF_RANGE],
  [
    Uint8Array.of(1, 2, 3),
    `{"error":"A command is text. Send stop, start or {\\"interval\\": milliseconds}."}`,
  ],
])("the wrong command %p gets an error, and the ticks go on", async (command, error) => {
  const client = await WebSocketClient.open(url);
  client.send(command);
  expect(await answer(client)).toBe(error);
  expect(await client.next()).toMatch(/^{"tick":\d+}$/);
  await client.close();
});

test("a client that drops the connection leaves no timer and no complaint behind", async () => {
  await using other = await startExample("websocket-bidirectional", { env: { TICK_INTERVAL: "20" } });
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => WebSocketClient.open(`ws://127.0.0.1:${other.port}/`)),
  );
  for (const client of clients) await client.next();
  for (const client of clients) client.drop();
  for (const client of clients) await client.closed;
  // A loop that were left would keep the shutdown waiting until it is cut, which is reported and ends with 1.
  const before = other.output;
  expect(await other.stop("SIGTERM")).toBe(0);
  expect(other.output.slice(before.length)).not.toMatch(/ (error|warn) /);
});

for (const { name, command } of WS_RUNTIMES) {
  test.skipIf(isMissing(command))(
    `${name} gets answers and ticks`,
    async () => {
      const commands = ["stop", "nonsense", `{"interval": 10}`];
      const got = await runWsClient(command, url, 20, commands);
      expect(got.filter((message) => !message.startsWith(`{"tick":`))).toEqual([
        `{"interval":null}`,
        UNKNOWN,
        `{"interval":10}`,
        "closed 1000",
      ]);
      const ticks = got.filter((message) => message.startsWith(`{"tick":`));
      expect(ticks).toEqual(ticks.map((_, i) => `{"tick":${i + 1}}`));
      expect(ticks.length).toBe(17);
    },
    20_000,
  );
}

test("in Chromium the page counts ticks, and a command takes effect", async () => {
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  const tick = page.locator("#tick");
  const interval = page.locator("#interval");
  await page.locator("#tick", { hasText: /^[1-9]/ }).waitFor();

  expect(await interval.textContent()).toBe("20");
  await page.getByRole("button", { name: "stop" }).click();
  await page.locator("#interval", { hasText: "stopped" }).waitFor();
  const stoppedAt = Number(await tick.textContent());

  await page.getByLabel("Command").fill(`{"interval": 40}`);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("#interval", { hasText: /^40$/ }).waitFor();
  while (Number(await tick.textContent()) <= stoppedAt + 3);

  await page.getByLabel("Command").fill("nonsense");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("alert").filter({ hasText: "There is no such command." }).waitFor();
  expect(await interval.textContent()).toBe("40");
  await keepScreenshot(page, "websocket-bidirectional");
  expect(problems).toEqual([]);
}, 60_000);

test("a shutdown closes the connection with 1001 between two ticks, and the server exits with 0", async () => {
  await using other = await startExample("websocket-bidirectional", { env: { TICK_INTERVAL: "20" } });
  const client = await WebSocketClient.open(`ws://127.0.0.1:${other.port}/`);
  await client.next();
  const code = other.stop("SIGTERM");
  expect(await client.closed).toMatchObject({ code: 1001 });
  expect(await code).toBe(0);
});
