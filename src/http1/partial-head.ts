import type { HeaderPair } from "../spec/values.ts";
import type { RequestLine } from "./request-line.ts";

/** What is known of a request whose head may be incomplete or wrong. For logs; nothing in it has been checked. */
export interface PartialHead {
  /** Undefined where it was not read to its end. */
  readonly method: string | undefined;
  /** The target without its query, as sent; undefined where none of it was read. Without a space. */
  readonly rawPath: string | undefined;
  /** What follows `?`, or empty. */
  readonly queryString: string;
  /** Such as `1.1` or `2.0`; undefined where it was not read, or is not a version. */
  readonly httpVersion: string | undefined;
  /** The fields that were read. */
  readonly headers: readonly HeaderPair[];
  /** The head was read to its end. */
  readonly isWhole: boolean;
}

/** Nothing was read. */
export const NO_HEAD: PartialHead = {
  method: undefined,
  rawPath: undefined,
  queryString: "",
  httpVersion: undefined,
  headers: [],
  isWhole: false,
};

const VERSION = /^HTTP\/([0-9]\.[0-9])$/;

/**
 * What a request line says that is malformed, or of which only the start was read.
 *
 * @param isWhole all of the line is there; otherwise its last word may be cut, and a method that is cut is another one.
 */
export function readPartialLine(line: string, isWhole: boolean): PartialHead {
  const [first = "", target = "", version = ""] = line.split(" ", 3);
  if (first === "" || (first.length === line.length && !isWhole)) return NO_HEAD;
  const mark = target.indexOf("?");
  return {
    ...NO_HEAD,
    method: first,
    rawPath: target === "" ? undefined : mark === -1 ? target : target.slice(0, mark),
    queryString: mark === -1 ? "" : target.slice(mark + 1),
    httpVersion: VERSION.exec(version)?.[1],
  };
}

/** What a request line says that was read, with the fields behind it. */
export function partialHead(
  line: RequestLine,
  headers: readonly HeaderPair[],
  isWhole: boolean,
): PartialHead {
  const { method, rawPath, queryString, httpVersion } = line;
  return { method, rawPath, queryString, httpVersion, headers, isWhole };
}
