import type { LineRules } from "./byte-queue.ts";
import { ProtocolError } from "../errors.ts";

/** Bounds of what a client may send. All sizes are bytes. */
export interface Http1Limits {
  /** Request line, its line end not counted; 414 beyond. */
  readonly maxRequestLine: number;
  /** Head from the request line to the empty line, line ends counted; 431 beyond. */
  readonly maxHeaderSize: number;
  /** Fields of a head, and of a trailer section; 431 beyond. */
  readonly maxHeaderCount: number;
  /** Body without its framing; 413 beyond, as soon as it is declared. 0: unlimited. */
  readonly maxBodySize: number;
  /** Chunk-size line with its extensions; 400 beyond. All extensions of a body: 16 times as much. */
  readonly maxChunkLine: number;
  /** Fields of a trailer section, line ends counted; 431 beyond. */
  readonly maxTrailerSize: number;
}

/** The limits as the rules of every kind of line that a client sends. */
export interface Http1Rules {
  readonly requestLine: LineRules;
  readonly field: LineRules;
  /** In place of `field` once the head has all the fields it may have: the first byte of another is one too many. */
  readonly headEnd: LineRules;
  readonly chunkSize: LineRules;
  /** The CRLF behind the data of a chunk. */
  readonly chunkEnd: LineRules;
  readonly trailer: LineRules;
  /** In place of `trailer` once there are all the fields that there may be. */
  readonly trailersEnd: LineRules;
}

const rulesByLimits = new WeakMap<Http1Limits, Http1Rules>();

/** The rules that follow from the limits. A server has one limits object, so its connections share the rules. */
export function rulesOf(limits: Http1Limits): Http1Rules {
  let rules = rulesByLimits.get(limits);
  if (rules === undefined) {
    rules = makeRules(limits);
    rulesByLimits.set(limits, rules);
  }
  return rules;
}

function makeRules(limits: Http1Limits): Http1Rules {
  const head = { maxSection: limits.maxHeaderSize, sectionTooLong: headTooLarge };
  // Each chunk line is a section of its own, which its line limit bounds.
  const chunk = { maxSection: limits.maxChunkLine + 2, sectionTooLong: chunkLineTooLong };
  // The CRLF that ends the trailer section is no part of what its limit counts.
  const trailers = { maxSection: limits.maxTrailerSize + 2, sectionTooLong: trailersTooLarge };
  return {
    requestLine: { ...head, maxLine: limits.maxRequestLine, lineTooLong: requestLineTooLong },
    field: { ...head, maxLine: limits.maxHeaderSize, lineTooLong: headTooLarge },
    headEnd: { ...head, maxLine: 0, lineTooLong: tooManyFields },
    chunkSize: { ...chunk, maxLine: limits.maxChunkLine, lineTooLong: chunkLineTooLong },
    chunkEnd: { ...chunk, maxLine: 0, lineTooLong: chunkNotEnded },
    trailer: { ...trailers, maxLine: trailers.maxSection, lineTooLong: trailersTooLarge },
    trailersEnd: { ...trailers, maxLine: 0, lineTooLong: tooManyTrailers },
  };
}

function requestLineTooLong(): ProtocolError {
  return new ProtocolError(414, "The request line is too long (RFC 9110 section 15.5.15)");
}

function headTooLarge(): ProtocolError {
  return new ProtocolError(431, "The request head is too large (RFC 6585 section 5)");
}

function tooManyFields(): ProtocolError {
  return new ProtocolError(431, "The request head has too many fields (RFC 6585 section 5)");
}

function chunkLineTooLong(): ProtocolError {
  return new ProtocolError(400, "A chunk-size line is too long (RFC 9112 section 7.1.1)");
}

function chunkNotEnded(): ProtocolError {
  return new ProtocolError(400, "Chunk data is not followed by CRLF (RFC 9112 section 7.1)");
}

function trailersTooLarge(): ProtocolError {
  return new ProtocolError(431, "The trailer section is too large (RFC 6585 section 5)");
}

function tooManyTrailers(): ProtocolError {
  return new ProtocolError(431, "The trailer section has too many fields (RFC 6585 section 5)");
}
