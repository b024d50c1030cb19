import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { accessibilityProblems, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { EXAMPLES, startExample } from "../support/example.ts";

// Every example is started and searched for pages: at `/`, at an address that does not exist, at the addresses in its
// README, and behind links. So the page of a new example is found without being listed here.

const PHONE = { width: 390, height: 844 };
/** Pages of one example that are looked at; further ones differ in their content only. */
const MAX_PAGES = 6;

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);
afterAll(() => browser.close());

/** How many pages each example has. */
const counts = new Map<string, number>();

test.each(EXAMPLES)(
  "%s: each page fits a phone, is light and dark, and keeps nobody out",
  async (example) => {
    await using server = await startExample(example);
    const paths = await pagesOf(server.url, await pathsInReadme(example));
    counts.set(example, paths.length);
    const findings: Record<string, readonly string[]> = {};
    for (const path of paths) {
      const found = await problemsOf(server.url + path);
      if (found.length > 0) findings[path] = found;
    }
    expect(findings).toEqual({});
  },
  60_000,
);

test("the search finds what there is", () => {
  const least = { "04-websocket-echo": 1, "12-utf8": 6, "13-contact-form": 1, "simple-todo": 3 };
  for (const [example, count] of Object.entries(least))
    expect([example, Math.min(counts.get(example) ?? 0, count)]).toEqual([example, count]);
  expect(counts.get("01-hello-http")).toBe(0);
  expect(counts.get("simple-01-hello")).toBe(2); // a path of its README, and an error
});

/** The paths with which the commands and links of a README ask this machine. */
async function pathsInReadme(example: string): Promise<string[]> {
  const readme = await Bun.file(join(import.meta.dir, "../../examples", example, "README.md")).text();
  return [...readme.matchAll(/https?:\/\/localhost:5000(\/[^\s'"`<>)]*)/g)].map(([, path = "/"]) => path);
}

/** The paths below which there is HTML. */
async function pagesOf(url: string, known: readonly string[]): Promise<string[]> {
  const waiting = ["/", "/there-is-no-such-page", ...known];
  const seen = new Set<string>();
  const pages: string[] = [];
  const statuses = new Set<number>();
  for (let path = waiting.shift(); path !== undefined && pages.length < MAX_PAGES; path = waiting.shift()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const response = await fetch(url + path, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(20_000),
    });
    if (response.headers.get("content-type")?.startsWith("text/html") !== true) {
      await response.body?.cancel();
      continue;
    }
    // One error page of a status is like another.
    if (!response.ok && statuses.has(response.status)) {
      await response.body?.cancel();
      continue;
    }
    statuses.add(response.status);
    pages.push(path);
    for (const [, link = ""] of (await response.text()).matchAll(/<a\b[^>]* href="([^"]*)"/g)) {
      const target = new URL(link.replaceAll("&amp;", "&"), url + path);
      if (target.origin === url) waiting.push(target.pathname + target.search);
    }
  }
  return pages;
}

async function problemsOf(url: string): Promise<string[]> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  const found = policyProblems(response.headers.get("content-security-policy") ?? "");
  if (/<script(?![^>]* src=)|<[^>]*\son\w+=/i.test(await response.text())) found.push("a script in the page");

  const { page, problems } = await openPage(browser, url, { viewport: PHONE, colorScheme: "light" });
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const problem of await accessibilityProblems(page)) found.push(`${scheme}: ${problem}`);
    if ((await ground(page)) !== scheme) found.push(`${scheme}: the page is not ${scheme}`);
  }
  if (!(await page.evaluate<boolean>("document.documentElement.lang !== ''"))) found.push("no lang");
  const viewport = page.locator("head meta[name=viewport]");
  if ((await viewport.count()) !== 1) found.push("no viewport");
  else if (!(await viewport.getAttribute("content"))?.startsWith("width=device-width, initial-scale=1"))
    found.push("a viewport that is not the device's");
  const [inside, width] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  if (inside > width) found.push(`${inside} pixels on a screen of ${width}`);
  await page.close();
  return [...found, ...problems];
}

/** No script of the page itself may run, and nothing may come from elsewhere. */
function policyProblems(policy: string): string[] {
  const rules = new Map(
    policy.split(";").map((rule): [string, string[]] => {
      const [name = "", ...sources] = rule.trim().split(/\s+/);
      return [name, sources];
    }),
  );
  const sourcesOf = (kind: string): string[] => rules.get(kind) ?? rules.get("default-src") ?? ["anything"];
  const found: string[] = [];
  for (const kind of ["script-src", "connect-src", "object-src", "frame-src"])
    for (const source of sourcesOf(kind))
      if (!["'self'", "'none'"].includes(source)) found.push(`${kind} ${source}`);
  for (const kind of ["style-src", "img-src", "font-src", "media-src"])
    for (const source of sourcesOf(kind))
      if (!/^(?:'self'|'none'|'unsafe-inline'|'sha256-[\w+/=]+'|data:|blob:)$/.test(source))
        found.push(`${kind} ${source}`);
  for (const kind of ["base-uri", "form-action", "frame-ancestors"])
    if (!["'none'", "'self'"].includes(rules.get(kind)?.join(" ") ?? "")) found.push(`${kind} is open`);
  return found;
}

/** What the page is drawn upon: the body's colour, the root's, or what the browser has for the scheme. */
function ground(page: Page): Promise<"light" | "dark"> {
  return page.evaluate<"light" | "dark">(`(() => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const brightness = (color) => {
      probe.clearRect(0, 0, 1, 1);
      probe.fillStyle = color;
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
      return a === 0 ? undefined : (r + g + b) / 3;
    };
    const of = (element) => brightness(getComputedStyle(element).backgroundColor);
    // Where nothing is painted there is the browser's canvas, whose colour only that of the text betrays.
    const canvas = 255 - brightness(getComputedStyle(document.body).color);
    return (of(document.body) ?? of(document.documentElement) ?? canvas) < 128 ? "dark" : "light";
  })()`);
}
