import type { Browser, Page } from "playwright-core";
import { accessibilityProblems, openPage } from "./browser.ts";

const PHONE = { width: 390, height: 844 };

/**
 * Problems of a page for people on a phone, with a light or dark scheme, or with a screen reader: axe-core's findings,
 * horizontal scrolling, an ignored scheme, and a policy that allows inline scripts or parts from elsewhere.
 */
export async function pageProblems(browser: Browser, url: string): Promise<string[]> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  const found = policyProblems(response.headers.get("content-security-policy") ?? "");
  if (/<script(?![^>]* src=)|<[^>]*\son\w+=/i.test(await response.text())) found.push("a script in the page");

  const { page, problems } = await openPage(browser, url, { viewport: PHONE, colorScheme: "light" });
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    // Only colours change with the scheme.
    const rules = scheme === "dark" ? ["color-contrast"] : undefined;
    for (const problem of await accessibilityProblems(page, rules)) found.push(`${scheme}: ${problem}`);
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

/** Whether the page's background is light or dark: the body's colour, the root's, or the browser's own. */
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
    // Scripts cannot read the colour of the browser's canvas; the text's colour is its opposite.
    const canvas = 255 - brightness(getComputedStyle(document.body).color);
    return (of(document.body) ?? of(document.documentElement) ?? canvas) < 128 ? "dark" : "light";
  })()`);
}
