/** HTML that is ready; everything else is text, and escaped. */
export class Html {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** What may stand in a template: texts, HTML, lists of them, and nothing. */
export type Content = string | number | Html | undefined | false | readonly Content[];

/** A template in which every value is escaped, unless it is HTML made by this very function. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(sourceOf)));
}

function sourceOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.source;
  if (typeof content === "object") return content.map(sourceOf).join("");
  return Bun.escapeHTML(content);
}
