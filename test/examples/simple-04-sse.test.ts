import { expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";

test("in Chromium: what one window sends the other one shows", async () => {
  await using server = await startExample("simple-04-sse");
  await using browser = await launchChromium();
  const problems: (readonly string[])[] = [];
  const open = async () => {
    const { page, problems: own } = await openPage(browser, server.url);
    problems.push(own);
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
  expect(problems.flat()).toEqual([]);
}, 60_000);
