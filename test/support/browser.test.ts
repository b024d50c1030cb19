import { expect, test } from "bun:test";
import { accessibilityProblems, openPage } from "./browser.ts";
import { launchChromium } from "./chromium.ts";

/** A page, and a script of its own that is not there. */
function site(csp: string | undefined, html: string): Bun.Server<undefined> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      if (new URL(request.url).pathname !== "/") return new Response("", { status: 404 });
      const headers = new Headers({ "content-type": "text/html" });
      if (csp !== undefined) headers.set("content-security-policy", csp);
      return new Response(html, { headers });
    },
  });
}

test("openPage finds what a page does wrong unseen", async () => {
  await using browser = await launchChromium();

  await using faulty = site(
    undefined,
    `<script src="/missing.js"></script><script>throw new Error("a fault")</script><img src="http://localhost:1/x.png">`,
  );
  const { problems } = await openPage(browser, faulty.url.href);
  expect([...problems].sort()).toEqual([
    "Error: a fault",
    "asks for http://localhost:1/x.png from another origin",
    `${faulty.url}missing.js is answered with 404`,
    "the page has no Content-Security-Policy",
  ]);

  await using strict = site("default-src 'none'", "<script>document.title = 'x'</script>");
  const blocked = await openPage(browser, strict.url.href);
  expect(blocked.problems).toHaveLength(1);
  expect(blocked.problems[0]).toContain("Content Security Policy");

  await using good = site("default-src 'none'; img-src data:", "<title>x</title><img src='data:image/gif,'>");
  expect((await openPage(browser, good.url.href)).problems).toEqual([]);
}, 60_000);

test("accessibilityProblems finds what people stumble over, whatever the page's policy", async () => {
  await using browser = await launchChromium();
  const policy = "default-src 'none'";
  await using faulty = site(policy, "<title>x</title><main><h1>x</h1><input></main>");
  const { page, problems } = await openPage(browser, faulty.url.href);
  const found = await accessibilityProblems(page);
  expect(found).toHaveLength(2);
  expect(found.some((each) => each.startsWith("label: ") && each.endsWith("<input>"))).toBe(true);
  expect(found.some((each) => each.startsWith("html-has-lang: "))).toBe(true);
  expect(problems).toEqual([]);

  await using good = site(
    policy,
    "<html lang=en><title>x</title><main><h1>x</h1><label>Name <input></label></main>",
  );
  expect(await accessibilityProblems((await openPage(browser, good.url.href)).page)).toEqual([]);
}, 60_000);
