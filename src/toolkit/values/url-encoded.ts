import {
  MalformedBodyError,
  PartHeaderTooLargeError,
  PartTooLargeError,
  TooManyFieldsError,
} from "../request/error.ts";
import { FLAG, type OptionRules } from "../../spec/option-rules.ts";
import { MultiValue } from "./multi-value.ts";

/** How parameters are decoded. */
export interface DecodingOptions {
  /** Whether bytes that are no UTF-8 are refused. Default false: they become U+FFFD. */
  strict?: boolean | undefined;
  /** Whether the values stay byte strings, one char a byte. Default false: they are decoded as UTF-8. */
  raw?: boolean | undefined;
}

/** What {@link DecodingOptions} may be. */
export const DECODING_RULES: OptionRules<DecodingOptions> = { strict: FLAG, raw: FLAG };

/** The most parameters that a query or a form may have, where nothing else is said. */
export const MAX_PARAMETERS = 1000;

const MAX_SPLIT = 2 ** 32 - 1;

/** What a query or a form may hold, as for a multipart one. */
export interface ParameterLimits {
  /** Pairs, empty ones counted. */
  readonly maxFields: number;
  /** Bytes of one value, decoded. */
  readonly maxFieldSize: number;
  /** Bytes of one name, decoded: what comes before a value. */
  readonly maxHeaderSize: number;
}

/** The limits of a query, which the server's limit of the request line bounds. */
const QUERY_LIMITS: ParameterLimits = {
  maxFields: MAX_PARAMETERS,
  maxFieldSize: Infinity,
  maxHeaderSize: Infinity,
};

/**
 * Reads `application/x-www-form-urlencoded` (the URL standard, section 5.1) from a byte string. Only `&` separates:
 * where one program splits at `;` and the proxy in front of it does not, the two see different requests.
 *
 * @throws TooManyFieldsError, PartTooLargeError or PartHeaderTooLargeError for the limit that was passed; MalformedBodyError
 *   in strict mode.
 */
export function parseUrlEncoded(
  text: string,
  options: DecodingOptions = {},
  { maxFields, maxFieldSize, maxHeaderSize }: ParameterLimits = QUERY_LIMITS,
): MultiValue<string> {
  const pairs: [string, string][] = [];
  // `split` takes 32 bits of its limit.
  const found = text === "" ? [] : text.split("&", Math.min(maxFields + 1, MAX_SPLIT));
  if (found.length > maxFields) throw new TooManyFieldsError("parameters", maxFields);
  for (const pair of found) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = unescape(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : unescape(pair.slice(equals + 1));
    if (name.length > maxHeaderSize) throw new PartHeaderTooLargeError(maxHeaderSize, "name of a field");
    const decoded = decode(name, options);
    if (value.length > maxFieldSize) throw new PartTooLargeError("field", decoded, maxFieldSize);
    pairs.push([decoded, decode(value, options)]);
  }
  return new MultiValue(pairs);
}

const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The bytes that a part of a pair stands for, one char each. */
function unescape(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function decode(bytes: string, { strict = false, raw = false }: DecodingOptions): string {
  return raw || !/[\x80-\xff]/.test(bytes) ? bytes : decodeUtf8(Buffer.from(bytes, "latin1"), strict);
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
