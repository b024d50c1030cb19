import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import type { Browser } from "playwright-core";

import { directory } from "../../src/apps/directory.ts";
import { Simple } from "../../src/toolkit/simple.ts";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { pageProblems } from "../support/page-problems.ts";
import { Folder } from "../support/program.ts";
import { startServer } from "../support/server.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);
afterAll(() => browser.close());

test("in Chromium: the listing of a folder leads down, up and to a file", async () => {
  const long = `${"a-long-name-without-a-space-".repeat(4)}.txt`;
  using folder = new Folder({ "<b>&.txt": "a file", [long]: "" });
  await mkdir(folder.file("sub/empty"), { recursive: true });
  await Bun.write(folder.file("sub/inner.txt"), "x".repeat(3000));
  await using server = await startServer(directory({ root: folder.path }));
  for (const path of ["/", "/sub/", "/sub/empty/"])
    expect([path, await pageProblems(browser, new URL(path, server.url).href)]).toEqual([path, []]);

  const { page, problems } = await openPage(browser, server.url, { viewport: { width: 390, height: 844 } });
  await page.getByRole("heading", { name: "Index of /", exact: true }).waitFor();
  expect(await page.getByRole("columnheader").allTextContents()).toEqual(["Name", "Size", "Modified (UTC)"]);
  await page.getByRole("link", { name: long }).waitFor();
  await keepScreenshot(page, "directory");
  await page.getByRole("link", { name: "sub/" }).click();
  await page.getByRole("row", { name: "inner.txt 2.9 KiB" }).waitFor();
  await page.getByRole("link", { name: "empty/" }).click();
  await page.getByRole("link", { name: "../" }).click();
  await page.getByRole("heading", { name: "Index of /sub/" }).waitFor();
  await page.getByRole("link", { name: "../" }).click();
  await page.getByRole("link", { name: "<b>&.txt" }).click();
  await page.getByText("a file").waitFor();
  expect(problems).toEqual([]);
}, 60_000);

test("in Chromium: the pages of errors, with a sentence and with a stack", async () => {
  const app = new Simple({ debug: true })
    .get("/gone", (c) => c.abort(410, `It was here: ${"<b>/a/long/path</b>".repeat(20)}`))
    .get("/oops", () => {
      throw new Error(`<b>bad</b> ${"luck".repeat(60)}`);
    });
  await using server = await startServer(app.toApp());
  for (const path of ["/gone", "/oops", "/nothing"])
    expect([path, await pageProblems(browser, new URL(path, server.url).href)]).toEqual([path, []]);
  const { page } = await openPage(browser, new URL("/oops", server.url).href, {
    viewport: { width: 390, height: 844 },
  });
  await page.getByRole("heading", { name: "500 Internal Server Error" }).waitFor();
  await page.getByText("Error: <b>bad</b>").waitFor();
  await keepScreenshot(page, "simple-error");
}, 60_000);
