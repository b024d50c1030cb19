import { describe, expect, test } from "bun:test";
import type { HtmlValue } from "../../src/toolkit/safe-html.ts";
import { escapeHtml, html, raw, SafeHtml } from "../../src/toolkit/safe-html.ts";

const HOSTILE = `<script>"x" & 'y'</script>`;
const ESCAPED = "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;";

describe("html", () => {
  test("escapes what is put into content and into quoted attributes", () => {
    expect(String(html`<p title="${HOSTILE}" lang="${HOSTILE}">${HOSTILE}</p>`)).toBe(
      `<p title="${ESCAPED}" lang='${ESCAPED}'>${ESCAPED}</p>`,
    );
    expect(escapeHtml("a & b")).toBe("a &amp; b");
  });

  test("does not escape twice: nested templates and lists of them", () => {
    const items = ["<", "&amp;"].map((text) => html`<li>${text}</li>`);
    expect(
      String(
        html`<ul>
          ${items}
        </ul>`,
      ),
    ).toBe("<ul><li>&lt;</li><li>&amp;amp;</li></ul>");
    expect(String(html`${["<", [html`<br />`]]}`)).toBe("&lt;<br>");
  });

  test("raw is the way out, and has to be asked for", () => {
    expect(String(html`<p>${raw("<b>bold</b>")}</p>`)).toBe("<p><b>bold</b></p>");
    expect(raw("<b>")).toBeInstanceOf(SafeHtml);
    expect(JSON.stringify({ page: raw("<b>") })).toBe('{"page":"<b>"}');
  });

  test("numbers are written, and nothing for null, undefined and booleans", () => {
    expect(String(html`${1}|${2n}|${0}|${null}|${undefined}|${true}|${false}|${""}`)).toBe("1|2|0|||||");
  });

  test("a value that is no text is an error that says what to do", () => {
    const bad = (value: unknown) => () => html`${value as HtmlValue}`;
    expect(bad({})).toThrow("is a Object, which is no text; give a string, or JSON.stringify() it");
    expect(bad(Promise.resolve("x"))).toThrow("await it before");
    expect(bad(() => "x")).toThrow("is a function");
    expect(bad({ toString: () => "<b>" })).toThrow(TypeError);
  });

  test.each<[string, () => SafeHtml]>([
    ["without quotes", () => html`<a href=${"x"}></a>`],
    ["without quotes", () => html`<a href=${"x"}></a>`],
    ["without quotes", () => html`<a href="a${"x"}"></a>`],
    [
      "<script> element",
      () =>
        html`<script>
          let a = "${"x"}";
        </script>`,
    ],
    ["<script> element", () => html`<p>${"fine"}</p><SCRIPT type="module">${"x"}`],
    [
      "<style> element",
      () =>
        html`<style>
          p {
            color: ${"red"};
          }
        </style>`,
    ],
    ["a comment", () => html`<!-- ${"x"} -->`],
    ["in no quoted attribute", () => html`<input ${"onfocus=alert(1)"} />`],
    ["in no quoted attribute", () => html`<p title="a" ${"b"}></p>`],
  ])("refuses a value in a place where escaping is no help: %s", (message, make) => {
    expect(make).toThrow(message);
    expect(make).toThrow(TypeError);
  });

  test("knows where an attribute, a script and a comment end", () => {
    const rows: [SafeHtml, string][] = [
      [html`<a title="a > b" href="${"x"}">${"y"}</a>`, '<a title="a > b" href="x">y</a>'],
      [
        html`<script>
            a < b;
            ("<p title='");
          </script>
          <p>${"x"}</p>`,
        `<script>a < b; "<p title='"</script><p>x</p>`,
      ],
      [
        html`<style>
            a > b {
            }</style
          >${"x"}`,
        "<style>a > b {}</style>x",
      ],
      [html`<!-- <a href= -->${"x"}`, "<!-- <a href= -->x"],
      [html`<input disabled value="${"a"}" ${html`checked`} />`, "<input disabled value='a' checked>"],
      [html`<input ${false} ${undefined} />`, "<input  >"],
      [html`1 < 2 ${"x"} <3 ${"y"}`, "1 < 2 x <3 y"],
      [html`<a href="/${"a"}/${"b"}" id="c">${"d"}</a>`, '<a href="/a/b" id=c>d'],
      [
        html`<br />${"x"}
          <p a="b/">${"y"}</p>`,
        "<br/>x<p a=b/>y",
      ],
    ];
    for (const [made, expected] of rows) expect(String(made)).toBe(expected);
  });
});
