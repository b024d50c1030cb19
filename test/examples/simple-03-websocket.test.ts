import { expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

test("in Chromium: two people talk, and a third one hears that somebody has left", async () => {
  await using server = await startExample("simple-03-websocket");
  await using browser = await launchChromium();
  const problems: (readonly string[])[] = [];
  const join = async (name: string) => {
    const { page, problems: own } = await openPage(browser, `${server.url}/?name=${name}`);
    problems.push(own);
    await page.getByText(`Connected as ${name}`).waitFor();
    return page;
  };
  const ada = await join("Ada");
  const bob = await join("Bob");
  await ada.getByText("Bob has joined; 2 here.").waitFor();
  await bob.getByLabel("Message", { exact: true }).fill("<b>Hello</b>, Ada");
  await bob.getByRole("button", { name: "Send" }).click();
  for (const page of [ada, bob]) await page.getByRole("log").getByText("Bob: <b>Hello</b>, Ada").waitFor();
  expect(await bob.getByLabel("Message", { exact: true }).inputValue()).toBe("");
  expect(await accessibilityProblems(bob)).toEqual([]);
  await keepScreenshot(bob, "simple-03-websocket");
  await bob.close();
  await ada.getByText("Bob has left.").waitFor();
  expect(problems.flat()).toEqual([]);
}, 60_000);

test("what is no message is answered to its sender alone", async () => {
  await using server = await startExample("simple-03-websocket");
  const client = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/ws/x?name=${"n".repeat(100)}`);
  expect(await client.next()).toBe(`{"type":"notice","text":"${"n".repeat(30)} has joined; 1 here."}`);
  for (const wrong of ["no JSON", "{}", '{"text":" "}', JSON.stringify({ text: "x".repeat(501) })]) {
    client.send(wrong);
    expect(await client.next()).toContain("with 1 to 500 characters");
  }
  await client.close();
});
