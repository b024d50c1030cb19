/**
 * Where the value of a template stands: between tags; in a tag but in no attribute's value; in a quoted value, which may
 * be a URL, a page (`srcdoc`) or a style.
 */
export type ValuePlace = "content" | "tag" | "quoted" | "url" | "srcdoc" | "style attribute";

type Place = ValuePlace | "name" | "unquoted" | "comment" | "script" | "style" | "event handler";

/** Found once for each template: JavaScript gives the same array of strings each time one is evaluated. */
const known = new WeakMap<TemplateStringsArray, readonly ValuePlace[]>();

/**
 * Where the values of a template stand. A template of attributes alone, as `title="${title}"`, stands in a tag.
 *
 * @throws TypeError where escaping cannot make a value safe: an attribute without quotes, a comment, `<script>` and
 *   `<style>`, an attribute such as `onclick`, the name of an element.
 */
export function placesOf(strings: TemplateStringsArray): readonly ValuePlace[] {
  const found = known.get(strings);
  if (found !== undefined) return found;
  const literal = strings.join("");
  const scanner = new Scanner(literal.includes("=") && isAttributes(literal) ? "tag" : "content");
  const places = strings.slice(0, -1).map((part) => asValuePlace(scanner.after(part), part));
  known.set(strings, places);
  return places;
}

/** Whether HTML consists of attributes, with their values in quotes, and of nothing else. */
export function isAttributes(text: string): boolean {
  const attribute = /\s*[^\s"'<>/=]+(?:=(?:"[^"]*"|'[^']*'))?(?=\s|$)/y;
  const end = text.trimEnd().length;
  while (attribute.lastIndex < end) if (!attribute.test(text)) return false;
  return true;
}

function asValuePlace(place: Place, part: string): ValuePlace {
  const where = `html\`\`: the value after ${JSON.stringify(part.slice(-30))} is in`;
  switch (place) {
    case "content":
    case "tag":
    case "quoted":
    case "url":
    case "srcdoc":
    case "style attribute":
      return place;
    case "name":
      throw new TypeError(
        `${where} the name of an element, which has to be written out; write &lt; for a "<".`,
      );
    case "unquoted":
      throw new TypeError(
        `${where} an attribute without quotes, which ends at a space; put quotes around it.`,
      );
    case "event handler":
      throw new TypeError(
        `${where} an attribute that is a script, where escaping makes nothing safe; ` +
          "put it into a data attribute of the element.",
      );
    case "comment":
    case "script":
    case "style":
      throw new TypeError(
        `${where} a ${place === "comment" ? "comment" : `<${place}> element`}, where escaping makes nothing safe; ` +
          "put it into a data attribute of an element.",
      );
  }
}

/** Attributes that browsers follow or load. */
const URLS: ReadonlySet<string> = new Set([
  ...["action", "background", "cite", "codebase", "data", "formaction", "href", "longdesc", "manifest"],
  ...["ping", "poster", "src", "xlink:href"],
]);

/**
 * Follows the tags of a template as far as is needed to know where its values stand. It is no parser of HTML: templates
 * are written by the application's author, who is told of a mistake and not defended against.
 */
class Scanner {
  #place: Exclude<Place, "name">;
  #element = "";
  #attribute = "";
  #quote = "";

  constructor(place: "content" | "tag") {
    this.#place = place;
  }

  /** Where the end of the next part of the template stands. */
  after(part: string): Place {
    let at = 0;
    while (at < part.length) at = this.#step(part, at);
    return this.#place === "content" && /<[/!?]?-?$/.test(part) ? "name" : this.#place;
  }

  /** Goes on from `at`, and returns where it has come. */
  #step(part: string, at: number): number {
    switch (this.#place) {
      case "content":
        return this.#tag(part, at);
      case "comment":
        return this.#until(/--!?>/g, "content", part, at);
      case "script":
      case "style": {
        const end = this.#place === "script" ? /<\/script/gi : /<\/style/gi;
        this.#element = "";
        return this.#until(end, "tag", part, at);
      }
      case "tag":
        return this.#attributeName(part, at);
      case "unquoted": {
        const char = part[at] ?? "";
        if (/\s/.test(char)) return at + 1;
        if (char !== "'" && char !== '"') return this.#until(/(?=[\s>])/g, "tag", part, at);
        this.#quote = char;
        this.#place = this.#quotedPlace();
        return at + 1;
      }
      case "quoted":
      case "url":
      case "srcdoc":
      case "style attribute":
      case "event handler":
        return this.#until(this.#quote === "'" ? /'/g : /"/g, "tag", part, at);
    }
  }

  #tag(part: string, at: number): number {
    const start = /<(!--(?:-?>)?|\/?[a-z][a-z0-9-]*)/gi;
    start.lastIndex = at;
    const found = start.exec(part);
    if (found === null) return part.length;
    this.#element = found[1]?.toLowerCase() ?? "";
    if (!this.#element.startsWith("!--")) this.#place = "tag";
    // `<!-->` and `<!--->` are comments already.
    else if (this.#element === "!--") this.#place = "comment";
    return start.lastIndex;
  }

  #attributeName(part: string, at: number): number {
    const token = /[=>]|[^\s/>=]+|[\s/]+/y;
    token.lastIndex = at;
    const [found = ""] = token.exec(part) ?? [];
    if (found === "=") this.#place = "unquoted";
    else if (found === ">") {
      const element = this.#element;
      this.#place = element === "script" || element === "style" ? element : "content";
    } else if (/[^\s/]/.test(found)) this.#attribute = found.toLowerCase();
    return at + found.length;
  }

  #quotedPlace(): "quoted" | "url" | "srcdoc" | "style attribute" | "event handler" {
    const name = this.#attribute;
    if (/^on[a-z]/.test(name)) return "event handler";
    if (URLS.has(name)) return "url";
    if (name === "srcdoc") return "srcdoc";
    return name === "style" ? "style attribute" : "quoted";
  }

  #until(end: RegExp, then: Exclude<Place, "name">, part: string, at: number): number {
    end.lastIndex = at;
    const found = end.exec(part);
    if (found === null) return part.length;
    this.#place = then;
    return found.index + found[0].length;
  }
}
