import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { accessibilityProblems, keepScreenshot, openPage, type OpenPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { CutLine } from "../support/cut-line.ts";
import { startExample } from "../support/example.ts";

// The chat as people use it: found by labels, roles and words.

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
}, 30_000);
afterAll(async () => {
  await browser.close();
});

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };

async function enter(url: string, nick: string, options?: BrowserContextOptions): Promise<OpenPage> {
  const opened = await openPage(browser, url, options);
  const { page } = opened;
  await page.getByRole("textbox", { name: "Nickname" }).fill(nick);
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  return opened;
}

/** Types into whatever has the focus, which is the message field. */
async function say(page: Page, text: string): Promise<void> {
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

const log = (page: Page) => page.getByRole("log");
const title = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true });

test("a message that is typed in one tab is seen in both, as text and never as HTML", async () => {
  await using server = await startExample("10-chat-showcase", { env: { CHAT_STATS: "100" } });
  const [ada, bob] = await Promise.all([enter(server.url, "Ada"), enter(server.url, "Boris", PHONE)]);
  await ada.page.getByRole("complementary", { name: "People" }).getByText("Boris").waitFor();

  await say(ada.page, "Good morning! <img src=x onerror=alert(1)> & <b>not bold</b>");
  for (const { page } of [ada, bob]) {
    await log(page).getByText("Good morning! <img src=x onerror=alert(1)> & <b>not bold</b>").waitFor();
    expect(await log(page).locator("b:not(.author), img").count()).toBe(0);
  }

  await bob.page.keyboard.type("I am typ");
  await ada.page.getByText("Boris is typing").waitFor();
  await say(bob.page, "ing on a phone, and on a narrow page the lists are drawers.");
  await log(ada.page).getByText("I am typing on a phone").waitFor();
  await ada.page.getByText("Boris is typing").waitFor({ state: "detached" });
  await say(bob.page, "/me pours some tea");
  await log(ada.page).getByText("pours some tea").waitFor();
  await say(ada.page, "/help");
  await log(ada.page).getByText("/join <room>: go into a room").waitFor();
  await keepScreenshot(ada.page, "10-chat-showcase");
  await keepScreenshot(bob.page, "10-chat-showcase-phone");
  for (const { page } of [ada, bob]) expect(await accessibilityProblems(page)).toEqual([]);
  expect([...ada.problems, ...bob.problems]).toEqual([]);
}, 60_000);

test("rooms and private messages, and what is unread in them", async () => {
  await using server = await startExample("10-chat-showcase", { env: { CHAT_STATS: "100" } });
  const [ada, bob] = await Promise.all([enter(server.url, "Ada"), enter(server.url, "Boris")]);
  await ada.page.getByRole("textbox", { name: "Join or open a room" }).fill("Tea-Room");
  await ada.page.keyboard.press("Enter");
  await title(ada.page, "#tea-room").waitFor();
  await say(ada.page, "Is the kettle on?");

  // The feed tells of the room.
  await bob.page.getByRole("button", { name: "Join #tea-room, 1 person" }).click();
  await title(bob.page, "#tea-room").waitFor();
  await log(bob.page).getByText("Is the kettle on?").waitFor();

  await bob.page.getByRole("button", { name: "Private message to Ada" }).click();
  await title(bob.page, "@Ada").waitFor();
  await say(bob.page, "Two sugars?");
  await ada.page.getByRole("button", { name: "Boris, 1 unread" }).click();
  await log(ada.page).getByText("Two sugars?").waitFor();
  expect(await ada.page.title()).toBe("Chat");
  await say(ada.page, "None, thank you.");
  await log(bob.page).getByText("None, thank you.").waitFor();

  await bob.page.getByRole("button", { name: "tea-room" }).click();
  await bob.page.getByRole("button", { name: "Leave room" }).click();
  await bob.page.getByRole("button", { name: "Join #tea-room, 1 person" }).waitFor();
  expect([...ada.problems, ...bob.problems]).toEqual([]);
}, 60_000);

test("after a lost connection the page is where it was, has what it missed, and sends what it could not", async () => {
  await using server = await startExample("10-chat-showcase", { env: { CHAT_STATS: "100" } });
  await using line = await CutLine.to(server.port);
  const ada = await openPage(browser, line.url);
  line.cut();
  await ada.page.keyboard.type("Ada");
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("alert").filter({ hasText: "The server does not answer." }).waitFor();
  line.mend();
  await ada.page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  const bob = await enter(server.url, "Boris");
  await log(ada.page).getByText("Boris has come in").waitFor();
  await say(ada.page, "/join tea");
  await title(ada.page, "#tea").waitFor();
  line.cut();
  await ada.page.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
  await bob.page.getByRole("button", { name: "Private message to Ada, who is away" }).waitFor();
  await say(bob.page, "Where has Ada gone?");
  await log(bob.page).getByText("Where has Ada gone?").waitFor();
  await say(ada.page, "Said in the dark.");
  expect(await accessibilityProblems(ada.page)).toEqual([]);
  await ada.page.getByRole("button", { name: "Try now" }).click();
  line.mend();
  await ada.page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  await log(ada.page).getByText("Said in the dark.").waitFor();
  await title(ada.page, "#tea").waitFor();
  await ada.page.getByRole("button", { name: "general, 1 unread" }).click();
  await log(ada.page).getByText("Where has Ada gone?").waitFor();

  // Loaded again, it is the same person with the same messages.
  await ada.page.reload();
  await ada.page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  await log(ada.page).getByText("Where has Ada gone?").waitFor();
  await ada.page.getByRole("button", { name: "tea", exact: true }).click();
  expect(await log(ada.page).getByText("Said in the dark.").count()).toBe(1);
  expect([...ada.problems, ...bob.problems]).toEqual([]);
}, 60_000);

test("a server that is started anew knows nobody, and the page brings itself in again, where it was", async () => {
  const old = await startExample("10-chat-showcase");
  await using line = await CutLine.to(old.port);
  const { page, problems } = await enter(line.url, "Ada");
  await say(page, "/join tea");
  await title(page, "#tea").waitFor();
  await say(page, "Before.");
  await log(page).getByText("Before.").waitFor();
  expect(await old.stop("SIGTERM")).toBe(0);
  await page.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
  await say(page, "Meanwhile.");

  await using server = await startExample("10-chat-showcase", { env: { CHAT_STATS: "100" } });
  line.mend(server.port);
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
  await title(page, "#tea").waitFor();
  await log(page).getByText("Meanwhile.").waitFor();
  expect(await log(page).getByText("Before.").count()).toBe(0);
  const bob = await enter(server.url, "Boris");
  await bob.page.getByRole("button", { name: "Join #tea, 1 person" }).click();
  await log(bob.page).getByText("Meanwhile.").waitFor();
  expect([...problems, ...bob.problems]).toEqual([]);
}, 60_000);

test("on a narrow page the lists are drawers for keyboards too, and a bad nickname is explained", async () => {
  await using server = await startExample("10-chat-showcase");
  const { page, problems } = await openPage(browser, server.url, { ...PHONE, reducedMotion: "reduce" });
  await page.keyboard.type("no spaces");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "A nickname has 2 to 20 letters" }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("textbox", { name: "Nickname" }).fill("Ada");
  await page.keyboard.press("Enter");
  await title(page, "#general").waitFor();

  const rooms = page.getByRole("navigation", { name: "Conversations" });
  const toggle = page.getByRole("button", { name: "Rooms" });
  expect(await rooms.isVisible()).toBe(false);
  await toggle.press("Enter");
  await rooms.waitFor();
  expect(await rooms.locator(":focus").count()).toBe(1);
  expect(await toggle.getAttribute("aria-expanded")).toBe("true");
  await page.getByRole("button", { name: "Join #help" }).waitFor();
  await keepScreenshot(page, "10-chat-showcase-rooms");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await rooms.waitFor({ state: "hidden" });
  expect(await toggle.evaluate((button) => button.matches(":focus"))).toBe(true);
  // Nothing is wider than the screen.
  expect(await page.locator("html").evaluate((html) => html.scrollWidth <= html.clientWidth)).toBe(true);
  expect(problems).toEqual([]);
}, 60_000);
