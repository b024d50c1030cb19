import type { ValuePlace } from "./html-places.ts";
import { isAttributes, placesOf } from "./html-places.ts";
import { nameOf } from "../shared/component.ts";

/** What may stand in a {@link html} template. Nothing is written for `null`, `undefined` and booleans. */
export type HtmlValue =
  SafeHtml | string | number | bigint | boolean | null | undefined | readonly HtmlValue[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it is written in HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}

/** HTML that may be sent as it is: what {@link html} makes, and what {@link raw} is told to believe. */
export class SafeHtml {
  readonly #text: string;

  /** Use {@link html}, or {@link raw}. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** In JSON it is a string. */
  toJSON(): string {
    return this.#text;
  }
}

/**
 * HTML with values in it, which are escaped: in the content of an element and in a quoted attribute they are text and
 * nothing else. What `html` or `raw` made is taken as it is, and so a list of it; other lists are escaped one by one.
 *
 *     html`<ul class="${names}">${users.map((user) => html`<li>${user.name}</li>`)}</ul>`
 *
 * Escaping is no help where text becomes code: values in `<script>` and `<style>`, in attributes such as `onclick`, and
 * text in `style` and `srcdoc` are errors. An attribute has to be in quotes; a value in one that is not is an error. A
 * link to `javascript:` becomes one to `about:invalid`, in attributes that are URLs.
 *
 * @throws TypeError for a value in a place where escaping cannot make it safe, and for a value that is no text: an
 *   object, a function, a promise that was not awaited.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  const places = placesOf(strings);
  let text = strings[0] ?? "";
  for (const [index, value] of values.entries()) {
    const after = strings[index + 1] ?? "";
    const place = places[index] ?? "content";
    const written = place === "content" ? textOf(value) : textIn(place, value);
    text += place === "url" && isScript(text + written + after, text.length) ? NOWHERE : written;
    text += after;
  }
  return new SafeHtml(text);
}

/** Takes text as HTML that is safe. Never give it what comes from a client. */
export function raw(text: string): SafeHtml {
  return new SafeHtml(text);
}

const NOWHERE = "about:invalid";

/** A URL that browsers run, with what they leave out of it. WHATWG URL, section 4.4. */
const SCRIPT_URL = new RegExp(
  `^[\\0- ]*(?:${["javascript", "vbscript"].map((scheme) => [...scheme].join("[\\t\\n\\r]*")).join("|")})[\\t\\n\\r]*:`,
  "i",
);

/** Whether the quoted value in which something was written at `at` is a script. */
function isScript(text: string, at: number): boolean {
  const start = Math.max(text.lastIndexOf('"', at - 1), text.lastIndexOf("'", at - 1)) + 1;
  return SCRIPT_URL.test(text.slice(start));
}

/** What is written in a tag: in a quoted value, or as an attribute. */
function textIn(place: Exclude<ValuePlace, "content">, value: HtmlValue): string {
  if (Array.isArray(value)) return value.map((each) => textIn(place, each)).join("");
  if (value instanceof SafeHtml) return markupIn(place, value.toString());
  if (typeof value === "string" && value !== "") assertNoCode(place, value);
  return textOf(value);
}

function markupIn(place: Exclude<ValuePlace, "content">, text: string): string {
  if (place === "srcdoc") return escapeHtml(text);
  // What is in it as text has been escaped for a place that its quotes would make another one.
  if (place !== "tag") return text.replace(/["']/g, (char) => ESCAPES[char] ?? char);
  if (isAttributes(text)) return text;
  throw new TypeError(
    `html\`\`: what stands in a tag has to be attributes, their values in quotes; this is ${excerpt(text)}.`,
  );
}

/** Between the quotes of no attribute, text could become an attribute of its own, as `onfocus=...`. */
function assertNoCode(place: Exclude<ValuePlace, "content">, text: string): void {
  switch (place) {
    case "quoted":
    case "url":
      return;
    case "tag":
      throw new TypeError(
        `html\`\`: the text ${excerpt(text)} stands in a tag, but in no quoted attribute; ` +
          'write name="${value}", or html`name` for an attribute that is there or not.',
      );
    case "style attribute":
      throw new TypeError(
        `html\`\`: the text ${excerpt(text)} stands in a style attribute, where escaping does not keep it from ` +
          "being more styles; give a number, choose a class, or say raw() of what is your own.",
      );
    case "srcdoc":
      throw new TypeError(
        `html\`\`: the text ${excerpt(text)} is a page in srcdoc; make it with html\`\`, which escapes what is in it.`,
      );
  }
}

function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 30));
}

function textOf(value: HtmlValue): string {
  if (value instanceof SafeHtml) return value.toString();
  switch (typeof value) {
    case "string":
      return escapeHtml(value);
    case "number":
    case "bigint":
      return String(value);
    case "boolean":
    case "undefined":
      return "";
  }
  if (value === null) return "";
  if (Array.isArray(value)) return value.map(textOf).join("");
  // Untyped code, and views that forgot an `await`, get here.
  const found: unknown = value;
  const advice = found instanceof Promise ? "await it before" : "give a string, or JSON.stringify() it";
  throw new TypeError(`html\`\`: a value is ${nameOf(found)}, which is no text; ${advice}.`);
}
