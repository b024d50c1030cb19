import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { accessibilityProblems, keepScreenshot } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample } from "../support/example.ts";

/** What the list shows: a mark and the title of each. */
function shown(page: Page): Promise<string[]> {
  return page.locator(".todos li").evaluateAll((items) =>
    items.map((item) => {
      const isDone = item.querySelector("[aria-pressed=true]") !== null;
      return `${isDone ? "x" : "-"} ${item.querySelector(".title")?.textContent}`;
    }),
  );
}

/** Waits until the list is as expected. */
async function shows(page: Page, ...expected: string[]): Promise<void> {
  const last = expected.at(-1);
  await page.locator(".todos li").nth(expected.length).waitFor({ state: "detached" });
  if (last !== undefined) await page.locator(".title", { hasText: last.slice(2) }).waitFor();
  expect(await shown(page)).toEqual(expected);
}

async function add(page: Page, title: string): Promise<void> {
  await page.getByLabel("New to-do").fill(title);
  await page.getByLabel("New to-do").press("Enter");
  await page.locator(".title", { hasText: title }).waitFor();
}

test("in Chromium: a list in two windows, by labels and by the keyboard", async () => {
  await using server = await startExample("simple-todo");
  await using browser = await launchChromium();
  const visitor = await browser.newContext();
  const [first, second] = [await visitor.newPage(), await visitor.newPage()];
  const problems: string[] = [];
  for (const page of [first, second]) {
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  }
  await first.goto(server.url);
  const isListening = second.waitForResponse(/\/live$/);
  await second.goto(server.url);
  await isListening;

  await add(first, "Buy <milk>");
  await add(first, "Sleep");
  expect(await first.getByRole("status").textContent()).toBe("Added: Sleep");
  // The next one can be typed in at once.
  expect(await first.locator(":focus").getAttribute("id")).toBe("title");
  await shows(second, "- Buy <milk>", "- Sleep");

  // A change here shows there, and takes nothing away from what is being typed there.
  await second.getByLabel("New to-do").fill("half a");
  await first.getByRole("button", { name: "Done: Buy <milk>" }).click();
  await second.locator("[aria-pressed=true]").waitFor();
  await shows(second, "x Buy <milk>", "- Sleep");
  expect(await second.getByLabel("New to-do").inputValue()).toBe("half a");
  expect(await second.locator("#left").textContent()).toBe("1 item left");
  // The focus stays on the button, which says that it is pressed.
  await first.locator(":focus[aria-pressed=true]").waitFor();

  await first.getByRole("link", { name: "Edit: Sleep" }).click();
  await first.getByLabel("Edit: Sleep").fill("Sleep well");
  expect(await accessibilityProblems(first)).toEqual([]);
  await first.getByRole("button", { name: "Save" }).click();
  await shows(first, "x Buy <milk>", "- Sleep well");
  expect(new URL(first.url()).pathname).toBe("/");

  await first.getByRole("link", { name: "Completed" }).click();
  await shows(first, "x Buy <milk>");
  await first.getByRole("link", { name: "All" }).click();
  await first.getByRole("button", { name: "Delete: Sleep well" }).click();
  await shows(first, "x Buy <milk>");
  await first.getByRole("button", { name: "Clear completed" }).click();
  await first.getByText("Nothing here.").waitFor();
  await second.getByText("Nothing here.").waitFor();

  // Another visitor has another list.
  await add(first, "Mine");
  const other = await (await browser.newContext()).newPage();
  await other.goto(server.url);
  expect(await shown(other)).toEqual([]);

  for (const title of ["Read the specification", "Write it down"]) await add(first, title);
  await first.getByRole("button", { name: "Done: Mine" }).click();
  await first.locator("[aria-pressed=true]").waitFor();
  expect(await accessibilityProblems(first)).toEqual([]);
  await keepScreenshot(first, "simple-todo");
  expect(problems).toEqual([]);
}, 60_000);

test("in Chromium without JavaScript: the same by forms and pages", async () => {
  await using server = await startExample("simple-todo");
  await using browser = await launchChromium();
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(server.url);
  const titles = () => page.locator(".todos .title").allTextContents();
  const field = page.getByLabel("New to-do");
  await field.fill("One");
  await page.getByRole("button", { name: "Add" }).click();
  await field.fill("Two");
  await field.press("Enter");
  expect(await titles()).toEqual(["One", "Two"]);
  // Loading the page again adds nothing.
  await page.reload();
  expect(await titles()).toEqual(["One", "Two"]);

  await page.getByRole("link", { name: "Active" }).click();
  await page.getByRole("button", { name: "Done: One" }).click();
  expect([new URL(page.url()).pathname, await titles()]).toEqual(["/active", ["Two"]]);

  await page.getByRole("link", { name: "Edit: Two" }).click();
  await page.getByLabel("Edit: Two").fill("   ");
  await page.getByRole("button", { name: "Save" }).click();
  expect(await page.locator(".problem").textContent()).toBe("Write what is to be done.");
  expect(await page.getByLabel("Edit: Two").getAttribute("aria-describedby")).toBe("edited-problem");
  await page.getByLabel("Edit: Two").fill("Three");
  await page.getByRole("button", { name: "Save" }).click();
  expect([new URL(page.url()).pathname, await titles()]).toEqual(["/active", ["Three"]]);

  await page.getByRole("button", { name: "Complete all" }).click();
  await page.getByRole("button", { name: "Clear completed" }).click();
  await page.getByText("Nothing here.").waitFor();
}, 60_000);

test("a form of another site changes nothing, and gets no session", async () => {
  await using server = await startExample("simple-todo");
  const form = (headers: Record<string, string>) =>
    fetch(`${server.url}/todos`, {
      method: "POST",
      redirect: "manual",
      headers,
      body: new URLSearchParams({ title: "Mine" }),
    });
  const forged: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site", origin: server.url },
  ];
  for (const headers of forged) {
    const response = await form(headers);
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  }
  for (const headers of [{}, { origin: server.url }, { "sec-fetch-site": "same-origin" }])
    expect((await form(headers)).status).toBe(303);
});
