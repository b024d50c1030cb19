/**
 * How deep lists and objects of a client's JSON may stand in each other. The parser of the runtime takes any depth, but
 * schemas, `JSON.stringify` and most other code call themselves for each level, and fail where the stack ends. Bodies
 * that people mean have some ten levels.
 */
export const MAX_JSON_DEPTH = 256;

/**
 * Parses JSON from a client.
 *
 * @throws SyntaxError for what is no JSON; RangeError for what is nested deeper than `maxDepth`.
 */
export function parseJson(text: string, maxDepth: number = MAX_JSON_DEPTH): unknown {
  // Each level takes two chars, so that a small text needs no look.
  if (text.length > 2 * maxDepth && isDeeperThan(text, maxDepth))
    throw new RangeError(`It is nested deeper than ${maxDepth} levels.`);
  const value: unknown = JSON.parse(text);
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Of a text that is no JSON it may say anything. */
function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case QUOTE:
        at = endOfString(text, at + 1);
    }
  }
  return false;
}

/** The place of the quote that ends the string; the end of the text where none does. */
function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}
