import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const SCREENSHOTS = join(import.meta.dir, "../screenshots");

const AXE = Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir));

/** What a page without a policy of its own might load from elsewhere unseen. */
const OWN_SCHEMES = new Set(["data:", "blob:", "about:"]);
const PARTS_OF_A_PAGE = new Set(["script", "stylesheet", "image", "font", "media"]);

/** A page that was opened, and what was wrong with it so far. */
export interface OpenPage {
  readonly page: Page;
  /**
   * Errors that its scripts threw, what its Content-Security-Policy kept from it, parts that are missing, and requests to
   * any other origin; and that it has no Content-Security-Policy. A test ends with `expect(problems).toEqual([])`.
   */
  readonly problems: readonly string[];
}

/**
 * Opens a page as a new visitor, who shares no cookies with other pages; `options` say what the visitor has, such as a
 * narrow screen, a dark one, or no JavaScript.
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const page = await browser.newPage(options);
  const problems: string[] = [];
  const { origin } = new URL(url);
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) problems.push(message.text());
  });
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.origin !== origin && !OWN_SCHEMES.has(to.protocol))
      problems.push(`asks for ${to} from another origin`);
  });
  page.on("response", (response) => {
    const isThere = response.ok() || response.status() === 304;
    if (PARTS_OF_A_PAGE.has(response.request().resourceType()) && !isThere)
      problems.push(`${response.url()} is answered with ${response.status()}`);
  });
  const response = await page.goto(url);
  if (response?.headers()["content-security-policy"] === undefined)
    problems.push("the page has no Content-Security-Policy");
  return { page, problems };
}

/**
 * Keeps a picture of the whole page as `test/screenshots/NAME.png`, for people to look at; nothing compares it, and Git
 * does not know it. The name is that of the example, with what is shown behind it where there are several.
 */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: "disabled" });
}

/**
 * What axe-core finds that keeps people from using the page as it is now: contrast, labels, roles and the like. For pages
 * that were opened with JavaScript. A test expects an empty list, in each state of the page that people see.
 *
 * @param rules only these rules of axe-core. Default: all.
 */
export async function accessibilityProblems(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(await AXE.text());
  const options = rules === undefined ? {} : { runOnly: rules };
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}
