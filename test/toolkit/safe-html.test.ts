import { describe, expect, test } from "bun:test";
import type { HtmlValue } from "../../src/toolkit/simple/safe-html.ts";
import { escapeHtml, html as h, raw, SafeHtml } from "../../src/toolkit/simple/safe-html.ts";

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
    ["in no quoted attribute", () => h`<input ${["onfocus=alert(1)"]}>`],
    ["attributes, their values in quotes", () => h`<input ${h`title=${"a onfocus=alert(1)"}`}>`],
    ["attributes, their values in quotes", () => h`<input ${[h`title=${"a onfocus=alert(1)"}`]}>`],
    ["the name of an element", () => h`<${"img src=x onerror=alert(1)"}>`],
    ["the name of an element", () => h`<b></${"b"}>`],
    ["the name of an element", () => h`<!${"x"}`],
    ["attribute that is a script", () => h`<a onclick="f(${1})">`],
    ["attribute that is a script", () => h`<svg ONLOAD = '${"x"}'>`],
    ["attribute that is a script", () => h`<b ${h`onclick="${"x"}"`}>`],
    ["a page in srcdoc", () => h`<iframe srcdoc="${"<script>"}">`],
    ["stands in a style attribute", () => h`<p style="color: ${"red; position: fixed"}">`],
    ["without quotes", () => h`<!--> --><p title=${"x"}>`],
    ["without quotes", () => h`<!-- --!><p title=${"x"}>`],
  ])("refuses a value in a place where escaping is no help: %s", (message, make) => {
    expect(make).toThrow(message);
    expect(make).toThrow(TypeError);
  });

  test("no value in an attribute gets out of it, not even markup with quotes of its own", () => {
    const user = "onmouseover=alert(1)";
    expect(String(h`<a title="${h`<b class="${user}">`}">`)).toBe(
      `<a title="<b class=&quot;${user}&quot;>">`,
    );
    expect(String(h`<iframe srcdoc="${h`<p title="a">${"<"}</p>`}">`)).toBe(
      '<iframe srcdoc="&lt;p title=&quot;a&quot;&gt;&amp;lt;&lt;/p&gt;">',
    );
    expect(String(h`<b ${h`title="${'"'}"`} ${[h`lang='${"a b"}'`, h` hidden`]}>`)).toBe(
      `<b title="&quot;" lang='a b' hidden>`,
    );
    expect(String(h`<p style="width: ${50}%; ${raw("color: red")}">`)).toBe(
      '<p style="width: 50%; color: red">',
    );
  });

  test.each(["javascript:alert(1)", "JavaScript:alert(1)", "\u0001 \njava\tscript\n:alert(1)", "vbscript:x"])(
    "a link to the script %j leads nowhere",
    (url) => {
      const nowhere = '"about:invalid"';
      expect(String(h`<a href="${url}">`)).toContain(nowhere);
      expect(String(h`<a HREF = '${[h`${url}`]}'>`)).toContain("'about:invalid'");
      expect(String(h`<form action="${url}"><button formaction="${url}">`).split(nowhere)).toHaveLength(3);
      expect(String(h`<svg><a xlink:href="${url}">`)).toContain(nowhere);
      expect(String(h`<a ${h`href="${url}"`}>`)).toContain(nowhere);
      expect(String(h`<a href="${url.slice(0, 3)}${url.slice(3)}">`)).toContain("about:invalid");
      expect(String(h`<p title="${url}">`)).toContain(url);
    },
  );

  test("other links are left as they are", () => {
    const urls = [
      "/a?b=javascript:",
      "https://x.example/",
      "#javascript:",
      "mailto:a@b.c",
      "javascript",
      "./j:",
    ];
    for (const url of urls) expect(String(h`<a href="${url}">`)).toBe(`<a href="${url}">`);
    expect(String(h`<a href="/to?url=${"javascript:x"}">`)).toBe('<a href="/to?url=javascript:x">');
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
