import { expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";

test("in Chromium: a form that is wrong comes back with what was typed in, and one that is right is in the list", async () => {
  await using server = await startExample("simple-02-forms");
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByLabel("Name").fill("Grace <Hopper>");
  // The browser takes this for an address, the schema does not.
  await page.getByLabel("Email address").fill("grace@localhost");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Enter a valid email address.").waitFor();
  expect(await page.getByLabel("Name").inputValue()).toBe("Grace <Hopper>");
  expect(await page.locator(":focus").getAttribute("name")).toBe("email");
  expect(await accessibilityProblems(page)).toEqual([]);
  await keepScreenshot(page, "simple-02-forms");
  await page.getByLabel("Email address").fill("grace@example.com");
  await page.getByLabel("Email address").press("Enter");
  await page.getByText("Grace <Hopper>, grace@example.com").waitFor();
  await page.reload();
  expect(await page.getByRole("listitem").count()).toBe(3);
  expect(problems).toEqual([]);
}, 60_000);
