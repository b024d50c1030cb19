const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

// Control characters, line and paragraph separators, and what turns the direction of writing.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** `text` as one line that cannot forge another or steer a terminal: what is not printable is written as an escape. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => SHORT[char] ?? escaped(char.charCodeAt(0)));
}

/** `value` as one line of JSON in ASCII, which survives any encoding on its way. */
export function asciiJson(value: object): string {
  // JSON leaves DEL and everything above as it is.
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escaped(code: number): string {
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
