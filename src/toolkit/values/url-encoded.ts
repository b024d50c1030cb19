import { MalformedBodyError, TooManyFieldsError } from "../request/error.ts";
import { MultiValue } from "./multi-value.ts";

/** How parameters are decoded. */
export interface DecodingOptions {
  /** Whether bytes that are no UTF-8 are refused. Default false: they become U+FFFD. */
  strict?: boolean;
  /** Whether the values stay byte strings, one char a byte. Default false: they are decoded as UTF-8. */
  raw?: boolean;
}

/** The most parameters that a query or a form may have, where nothing else is said. */
export const MAX_PARAMETERS = 1000;

/**
 * Reads `application/x-www-form-urlencoded` (the URL standard, section 5.1) from a byte string. Only `&` separates:
 * where one program splits at `;` and the proxy in front of it does not, the two see different requests.
 *
 * @throws TooManyFieldsError for more than `maxFields` pairs, empty ones counted; MalformedBodyError in strict mode.
 */
export function parseUrlEncoded(
  text: string,
  options: DecodingOptions = {},
  maxFields: number = MAX_PARAMETERS,
): MultiValue<string> {
  const pairs: [string, string][] = [];
  const found = text === "" ? [] : text.split("&", maxFields + 1);
  if (found.length > maxFields) throw new TooManyFieldsError("parameters", maxFields);
  for (const pair of found) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    pairs.push([decode(name, options), equals < 0 ? "" : decode(pair.slice(equals + 1), options)]);
  }
  return new MultiValue(pairs);
}

const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function decode(text: string, { strict = false, raw = false }: DecodingOptions): string {
  if (!/[%+\x80-\xff]/.test(text)) return text;
  const bytes = text
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return raw ? bytes : decodeUtf8(Buffer.from(bytes, "latin1"), strict);
}

/** Bytes as UTF-8. @throws MalformedBodyError in strict mode for bytes that are none. */
export function decodeUtf8(bytes: Uint8Array, strict: boolean): string {
  if (!strict) return LENIENT.decode(bytes);
  try {
    return STRICT.decode(bytes);
  } catch (cause) {
    throw new MalformedBodyError("It has bytes that are no UTF-8.", { cause });
  }
}
