/** Where the value of a template stands: between tags, in a tag but in no attribute's value, or in a quoted value. */
export type ValuePlace = "content" | "tag" | "quoted";

type Place = ValuePlace | "unquoted" | "comment" | "script" | "style";

/** Found once for each template: JavaScript gives the same array of strings each time one is evaluated. */
const known = new WeakMap<TemplateStringsArray, readonly ValuePlace[]>();

/**
 * Where the values of a template stand.
 *
 * @throws TypeError where escaping cannot make a value safe: an attribute without quotes, a comment, `<script>` and
 *   `<style>`.
 */
export function placesOf(strings: TemplateStringsArray): readonly ValuePlace[] {
  const found = known.get(strings);
  if (found !== undefined) return found;
  const scanner = new Scanner();
  const places = strings.slice(0, -1).map((part) => asValuePlace(scanner.after(part), part));
  known.set(strings, places);
  return places;
}

function asValuePlace(place: Place, part: string): ValuePlace {
  const where = `html\`\`: the value after ${JSON.stringify(part.slice(-30))} is in`;
  switch (place) {
    case "content":
    case "tag":
    case "quoted":
      return place;
    case "unquoted":
      throw new TypeError(
        `${where} an attribute without quotes, which ends at a space; put quotes around it.`,
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

/**
 * Follows the tags of a template as far as is needed to know where its values stand. It is no parser of HTML: templates
 * are written by the application's author, who is told of a mistake and not defended against.
 */
class Scanner {
  #place: Place = "content";
  #element = "";
  #quote = "";

  /** Where the end of the next part of the template stands. */
  after(part: string): Place {
    let at = 0;
    while (at < part.length) at = this.#step(part, at);
    return this.#place;
  }

  /** Goes on from `at`, and returns where it has come. */
  #step(part: string, at: number): number {
    switch (this.#place) {
      case "content":
        return this.#tag(part, at);
      case "comment":
        return this.#until(/-->/g, "content", part, at);
      case "script":
      case "style": {
        const end = this.#place === "script" ? /<\/script/gi : /<\/style/gi;
        this.#element = "";
        return this.#until(end, "tag", part, at);
      }
      case "tag": {
        const char = part[at];
        if (char === "=") this.#place = "unquoted";
        if (char === ">") {
          const element = this.#element;
          this.#place = element === "script" || element === "style" ? element : "content";
        }
        return at + 1;
      }
      case "unquoted": {
        const char = part[at] ?? "";
        if (/\s/.test(char)) return at + 1;
        if (char !== "'" && char !== '"') return this.#until(/(?=[\s>])/g, "tag", part, at);
        this.#quote = char;
        this.#place = "quoted";
        return at + 1;
      }
      case "quoted":
        return this.#until(this.#quote === "'" ? /'/g : /"/g, "tag", part, at);
    }
  }

  #tag(part: string, at: number): number {
    const start = /<(!--|\/?[a-z][a-z0-9-]*)/gi;
    start.lastIndex = at;
    const found = start.exec(part);
    if (found === null) return part.length;
    this.#element = found[1]?.toLowerCase() ?? "";
    this.#place = this.#element === "!--" ? "comment" : "tag";
    return start.lastIndex;
  }

  #until(end: RegExp, then: Place, part: string, at: number): number {
    end.lastIndex = at;
    const found = end.exec(part);
    if (found === null) return part.length;
    this.#place = then;
    return found.index + found[0].length;
  }
}
