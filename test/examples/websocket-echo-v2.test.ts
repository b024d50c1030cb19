import { expect, test } from "bun:test";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

test("texts come back in order, bytes are refused, and the end is told of", async () => {
  await using server = await startExample("websocket-echo-v2");
  const url = `ws://127.0.0.1:${server.port}/`;
  const clients = await Promise.all([WebSocketClient.open(url), WebSocketClient.open(url)]);
  for (const [i, client] of clients.entries()) {
    const texts = ["", "Grüße, 世界 🌍", `${i}`, "x".repeat(70_000)];
    for (const text of texts) client.send(text);
    for (const text of texts) expect(await client.next()).toBe(`echo: ${text}`);
  }
  const [first, second] = clients;
  first.send(new Uint8Array(3));
  expect(await first.closed).toEqual({ code: 1003, reason: "The message is binary; send text." });
  await server.shows(/A client has disconnected with 1003\./);
  second.send("still here");
  expect(await second.next()).toBe("echo: still here");
  await second.close(4001);
  await server.shows(/A client has disconnected with 4001\./);
  expect(await server.stop("SIGTERM")).toBe(0);
});

test("in Chromium the page sends a text and shows its echo, and says when the server closes", async () => {
  await using server = await startExample("websocket-echo-v2");
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  const status = (text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
  await status("connected");
  await page.getByLabel("Message").fill("Hello <b>there</b>");
  await page.getByLabel("Message").press("Enter");
  await page.getByRole("log", { name: "Echoes" }).getByText("echo: Hello <b>there</b>").waitFor();
  expect(await page.getByLabel("Message").inputValue()).toBe("");
  await keepScreenshot(page, "websocket-echo-v2");
  expect(await server.stop("SIGTERM")).toBe(0);
  await status("closed with 1001");
  expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
  expect(problems).toEqual([]);
}, 60_000);
