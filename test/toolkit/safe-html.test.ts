import { describe, expect, test } from "bun:test";
import type { HtmlValue } from "../../src/toolkit/safe-html.ts";
import { escapeHtml, html as h, raw, SafeHtml } from "../../src/toolkit/safe-html.ts";

// Under another name, for the formatter changes what stands in `html`: here every char counts.
const HOSTILE = `<script>"x" & 'y'</script>`;
const ESCAPED = "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;";

describe("html", () => {
  test("escapes what is put into content and into quoted attributes", () => {
    expect(String(h`<p title="${HOSTILE}" lang='${HOSTILE}'>${HOSTILE}</p>`)).toBe(
      `<p title="${ESCAPED}" lang='${ESCAPED}'>${ESCAPED}</p>`,
    );
    expect(escapeHtml("a & b")).toBe("a &amp; b");
  });

  test("does not escape twice: nested templates and lists of them", () => {
    const items = ["<", "&amp;"].map((text) => h`<li>${text}</li>`);
    expect(String(h`<ul>${items}</ul>`)).toBe("<ul><li>&lt;</li><li>&amp;amp;</li></ul>");
    expect(String(h`${["<", [h`<br>`]]}`)).toBe("&lt;<br>");
  });

  test("raw is the way out, and has to be asked for", () => {
    expect(String(h`<p>${raw("<b>bold</b>")}</p>`)).toBe("<p><b>bold</b></p>");
    expect(raw("<b>")).toBeInstanceOf(SafeHtml);
    expect(JSON.stringify({ page: raw("<b>") })).toBe('{"page":"<b>"}');
  });

  test("numbers are written, and nothing for null, undefined and booleans", () => {
    expect(String(h`${1}|${2n}|${0}|${null}|${undefined}|${true}|${false}|${""}`)).toBe("1|2|0|||||");
  });

  test("a value that is no text is an error that says what to do", () => {
    const bad = (value: unknown) => () => h`${value as HtmlValue}`;
    expect(bad({})).toThrow("is an object, which is no text; give a string, or JSON.stringify() it");
    expect(bad(Promise.resolve("x"))).toThrow("await it before");
    expect(bad(() => "x")).toThrow("is a function");
    expect(bad({ toString: () => "<b>" })).toThrow(TypeError);
  });

  test.each<[string, () => SafeHtml]>([
    ["without quotes", () => h`<a href=${"x"}>`],
    ["without quotes", () => h`<a href= ${"x"}>`],
    ["without quotes", () => h`<a href=a${"x"}>`],
    ["<script> element", () => h`<script>let a = "${"x"}"</script>`],
    ["<script> element", () => h`<p>${"fine"}</p><SCRIPT type="module">${"x"}`],
    ["<style> element", () => h`<style>p { color: ${"red"} }</style>`],
    ["a comment", () => h`<!-- ${"x"} -->`],
    ["in no quoted attribute", () => h`<input ${"onfocus=alert(1)"}>`],
    ["in no quoted attribute", () => h`<p title="a" ${"b"}>`],
  ])("refuses a value in a place where escaping is no help: %s", (message, make) => {
    expect(make).toThrow(message);
    expect(make).toThrow(TypeError);
  });

  test("knows where an attribute, a script and a comment end", () => {
    const rows: [SafeHtml, string][] = [
      [h`<a title="a > b" href="${"x"}">${"y"}</a>`, '<a title="a > b" href="x">y</a>'],
      [h`<script>a < b; "<p title='"</script><p>${"x"}</p>`, `<script>a < b; "<p title='"</script><p>x</p>`],
      [h`<style>a > b {}</style>${"x"}`, "<style>a > b {}</style>x"],
      [h`<!-- <a href= -->${"x"}`, "<!-- <a href= -->x"],
      [h`<input disabled value='${"a"}' ${h`checked`}>`, "<input disabled value='a' checked>"],
      [h`<input ${false} ${undefined}>`, "<input  >"],
      [h`1 < 2 ${"x"} <3 ${"y"}`, "1 < 2 x <3 y"],
      [h`<a href="/${"a"}/${"b"}" id=c>${"d"}`, '<a href="/a/b" id=c>d'],
      [h`<br/>${"x"}<p a=b/>${"y"}`, "<br/>x<p a=b/>y"],
    ];
    for (const [made, expected] of rows) expect(String(made)).toBe(expected);
  });
});
