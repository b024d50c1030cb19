import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { EXAMPLES, startExample } from "../support/example.ts";
import { pageProblems } from "../support/page-problems.ts";
import { Turns } from "../support/turns.ts";

// Every example is started and searched for pages: at `/`, at an address that does not exist, at the addresses in its
// README, and behind links. So the page of a new example is found without being listed here.

/** Pages of one example that are looked at; further ones differ in their content only. */
const MAX_PAGES = 4;

/** Examples that are looked at beside each other. */
const turns = new Turns(3);

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);
afterAll(() => browser.close());

/** How many pages the search has to find, at least; where it finds too few, the rest of a test says nothing. */
const LEAST: Readonly<Record<string, number>> = {
  "04-websocket-echo": 1,
  "12-utf8": MAX_PAGES, // by its links
  "13-contact-form": 1,
  "simple-01-hello": 2, // by its README, and an error
  "simple-todo": 3,
};

test.concurrent.each(EXAMPLES)(
  "%s: every page is accessible, fits a phone, and has a light and a dark scheme",
  async (example) => {
    using _turn = await turns.take();
    await using server = await startExample(example);
    const paths = await pagesOf(server.url, await pathsInReadme(example));
    expect(paths.length).toBeGreaterThanOrEqual(LEAST[example] ?? 0);
    const findings: Record<string, readonly string[]> = {};
    for (const path of paths) {
      const found = await pageProblems(browser, server.url + path);
      if (found.length > 0) findings[path] = found;
    }
    expect(findings).toEqual({});
  },
  180_000,
);

/** The paths with which the commands and links of a README ask this machine. */
async function pathsInReadme(example: string): Promise<string[]> {
  const readme = await Bun.file(join(import.meta.dir, "../../examples", example, "README.md")).text();
  return [...readme.matchAll(/https?:\/\/localhost:5000(\/[^\s'"`<>)]*)/g)].map(([, path = "/"]) => path);
}

/** The paths at which there is HTML. */
async function pagesOf(url: string, known: readonly string[]): Promise<string[]> {
  const pages = new Map<string, Response>();
  const seen = new Set<string>();
  const statuses = new Set<number>();
  let next = new Set(["/", "/there-is-no-such-page", ...known]);
  while (next.size > 0 && pages.size < MAX_PAGES) {
    // At the same time: there may be one that waits for another.
    const answers = await Promise.all(
      [...next].map(async (path) => ({ path, page: await htmlAt(url + path) })),
    );
    for (const path of next) seen.add(path);
    next = new Set();
    for (const { path, page } of answers) {
      // One error page of a status is like another.
      if (page === undefined || pages.size === MAX_PAGES || (page.status >= 400 && statuses.has(page.status)))
        continue;
      statuses.add(page.status);
      pages.set(path, page);
      for (const [, link = ""] of (await page.text()).matchAll(/<a\b[^>]* href="([^"]*)"/g)) {
        const target = new URL(link.replaceAll("&amp;", "&"), url + path);
        const found = target.pathname + target.search;
        if (target.origin === url && !seen.has(found)) next.add(found);
      }
    }
  }
  return [...pages.keys()];
}

async function htmlAt(url: string): Promise<Response | undefined> {
  const response = await fetch(url, {
    headers: { accept: "text/html" },
    signal: AbortSignal.timeout(30_000),
  });
  if (response.headers.get("content-type")?.startsWith("text/html") === true) return response;
  await response.body?.cancel();
  return undefined;
}
