import { expect, test } from "bun:test";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

test("in Chromium: an event stream and a WebSocket of Hono's", async () => {
  await using server = await startExample("hono-app", { env: { TICK_INTERVAL: "10" } });
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  await page.getByText("The latest event: tick 3").waitFor();
  await page.getByText("The answer: Hello, Ada").waitFor();
  await page.getByLabel("Message").fill("grüße <b> 🌍");
  await page.getByRole("button", { name: "Shout" }).click();
  await page.getByText("The answer: GRÜSSE <B> 🌍").waitFor();
  await page.getByRole("button", { name: "Three more ticks" }).click();
  await page.getByText("The latest event: tick 3").waitFor();
  await keepScreenshot(page, "hono-app");
  expect(problems).toEqual([]);
}, 60_000);

test("a client that leaves ends its stream, and one that closes is told of", async () => {
  await using server = await startExample("hono-app", { env: { TICK_INTERVAL: "10" } });
  const client = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/shout?name=Ada`);
  expect(await client.next()).toBe("Hello, Ada");
  client.send("x");
  expect(await client.next()).toBe("X");
  await client.close(4000);
  await server.shows(/Ada has gone with 4000/);
  expect(await server.stop("SIGTERM")).toBe(0);
});
