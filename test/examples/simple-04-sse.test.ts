import { expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";

test("in Chromium: what one window sends the other one shows", async () => {
  await using server = await startExample("simple-04-sse");
  await using browser = await launchChromium();
  const problems: string[] = [];
  const open = async () => {
    const page = await (await browser.newContext()).newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(server.url);
    await page.getByText("Connected.").waitFor();
    return page;
  };
  const [first, second] = [await open(), await open()];
  await first.getByRole("button", { name: "Send: alert" }).click();
  await first.getByRole("button", { name: "Send: update" }).click();
  for (const page of [first, second]) {
    await page.locator("li.update", { hasText: "2: Something for you: update" }).waitFor();
    expect(await page.locator("#events li").allTextContents()).toEqual([
      "1: Something for you: alert",
      "2: Something for you: update",
    ]);
  }
  expect(await accessibilityProblems(second)).toEqual([]);
  await keepScreenshot(second, "simple-04-sse");
  expect(problems).toEqual([]);
}, 60_000);
