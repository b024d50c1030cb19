import { nameOf } from "./component.ts";
import { placesOf } from "./html-places.ts";

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
 * Escaping is no help where text becomes code: in `<script>` and `<style>`, in attributes such as `onclick`, or for the
 * scheme of a link (`javascript:`). An attribute has to be in quotes; a value in one that is not is an error.
 *
 * @throws TypeError for a value in a place where escaping cannot make it safe, and for a value that is no text: an
 *   object, a function, a promise that was not awaited.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  const places = placesOf(strings);
  let text = strings[0] ?? "";
  for (const [index, value] of values.entries()) {
    if (places[index] === "tag") assertMarkup(value);
    text += textOf(value) + (strings[index + 1] ?? "");
  }
  return new SafeHtml(text);
}

/** Takes text as HTML that is safe. Never give it what comes from a client. */
export function raw(text: string): SafeHtml {
  return new SafeHtml(text);
}

/** Between the quotes of no attribute, text could become an attribute of its own, as `onfocus=...`. */
function assertMarkup(value: HtmlValue): void {
  if (typeof value !== "string" || value === "") return;
  throw new TypeError(
    `html\`\`: the text ${JSON.stringify(value.slice(0, 30))} stands in a tag, but in no quoted attribute; ` +
      'write name="${value}", or html`name` for an attribute that is there or not.',
  );
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
