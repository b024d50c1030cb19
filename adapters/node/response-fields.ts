import type { HeaderPair } from "../../src/spec/values.ts";

/** Fields of this name tell Bun's native server how a body is framed; see `exchange.ts`. */
export const MARK = "\0";

/** The fields of a response without those of the connection, and what these said. */
export interface ResponseFields {
  /** Names in lower case. */
  readonly headers: HeaderPair[];
  /** Of the Content-Length; NaN where it is malformed, undefined where there is none. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
  /** The connection is not to be used again. */
  readonly closes: boolean;
}

/** @param flat names and values in turn. */
export function responseFields(flat: readonly string[]): ResponseFields {
  const headers: HeaderPair[] = [];
  let length: number | undefined;
  let isChunked = false;
  let closes = false;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = (flat[at] ?? "").toLowerCase();
    const value = flat[at + 1] ?? "";
    if (name === MARK) continue;
    if (name === "connection") {
      // `keep-alive` and `close` are about the connection to us; other options, such as `upgrade`, name fields that
      // are sent along (RFC 9110 section 7.6.1).
      const options = value.split(",").map((option) => option.trim());
      closes ||= options.some((option) => option.toLowerCase() === "close");
      const others = options.filter((option) => !/^(?:keep-alive|close|)$/i.test(option));
      if (others.length > 0) headers.push([name, others.join(", ")]);
    } else if (name === "transfer-encoding") isChunked ||= /\bchunked\b/i.test(value);
    else if (name !== "keep-alive") {
      if (name === "content-length") length = Number(value);
      headers.push([name, value]);
    }
  }
  return { headers, length, isChunked, closes };
}
