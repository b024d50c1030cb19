import { expect, test } from "bun:test";
import { ProtocolError } from "../../src/errors.ts";
import { RequestReader } from "../../src/http1/request-reader.ts";
import type { Http1Limits, Http1Request } from "../../src/http1/request-reader.ts";

/** The limits of the rows that are not about limits. */
export const LIMITS: Http1Limits = {
  maxRequestLine: 8192,
  maxHeaderSize: 16_384,
  maxHeaderCount: 100,
  maxBodySize: 10_000_000,
  maxChunkLine: 1024,
  maxTrailerSize: 8192,
};

/** A request with its whole body, one char for each byte. */
export interface ReadRequest extends Omit<Http1Request, "type"> {
  body: string;
  /** False when the bytes ended before the body did. */
  complete: boolean;
}

/** All that a reader made of some bytes. */
export interface Outcome {
  requests: ReadRequest[];
  error: { status: number; message: string; reason: string } | undefined;
  state: RequestReader["state"];
}

/** One case: bytes, and what must come of them however they are cut. */
export interface Row {
  name: string;
  /** One char for each byte. */
  input: string;
  limits?: Partial<Http1Limits>;
  /** The requests, as far as the row is about them. */
  requests?: Partial<ReadRequest>[];
  /** Status and message. Without it the row expects success. */
  error?: [status: number, message: RegExp];
  /** Also with another request behind it, which must be read, or never be read. Default true. */
  follow?: boolean;
}

const NEXT = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `input` whole, byte by byte, and in `splits` random ways. */
export function chunkings(input: string, next: () => number, splits = 3): Buffer[][] {
  const bytes = Buffer.from(input, "latin1");
  const ways: Buffer[][] = [[bytes], Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))];
  for (let way = 0; way < splits; way++) {
    const chunks: Buffer[] = [];
    const longest = 1 + Math.floor(next() * 40);
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(next() * longest);
      chunks.push(bytes.subarray(at, end));
      at = end;
    }
    ways.push(chunks);
  }
  return ways;
}

/** Feeds a new reader and reads all it can after each chunk. Anything thrown but a ProtocolError passes through. */
export function readAll(chunks: readonly Buffer[], limits: Http1Limits = LIMITS): Outcome {
  const reader = new RequestReader(limits);
  const requests: ReadRequest[] = [];
  let error: Outcome["error"];
  for (const chunk of chunks) {
    reader.receive(chunk);
    try {
      readEvents(reader, requests);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      error ??= { status: thrown.status, message: thrown.message, reason: thrown.reason };
    }
  }
  return { requests, error, state: reader.state };
}

function readEvents(reader: RequestReader, requests: ReadRequest[]): void {
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.type === "request") {
      const { type: _, ...head } = event;
      requests.push({ ...head, body: "", complete: !event.hasBody });
    } else {
      const request = requests.at(-1);
      if (request === undefined || request.complete) throw new Error("a body event outside of a request");
      request.body += Buffer.from(event.bytes).toString("latin1");
      request.complete = !event.more;
    }
    if (reader.state === "complete") reader.nextRequest();
  }
}

/** One test for each row, in every chunking, without and with a request behind it. */
export function testRows(rows: readonly Row[]): void {
  for (const row of rows) {
    test(row.name, () => {
      const limits = { ...LIMITS, ...row.limits };
      const next = random(row.input.length);
      for (const follow of row.follow === false ? [""] : ["", NEXT, "\0\xff\n"]) {
        for (const chunks of chunkings(row.input + follow, next)) {
          const outcome = readAll(chunks, limits);
          if (row.error === undefined) checkSuccess(row, follow, outcome);
          else checkFailure(row, row.error, outcome);
        }
      }
    });
  }
}

function checkSuccess(row: Row, follow: string, outcome: Outcome): void {
  const wanted: Partial<ReadRequest>[] = (row.requests ?? [{}]).map((request) => ({
    complete: true,
    ...request,
  }));
  if (follow === NEXT) wanted.push({ method: "GET", target: "/next", headers: [["host", "next"]] });
  if (follow !== "" && follow !== NEXT) {
    expect(outcome.error?.status).toBe(400);
  } else {
    expect(outcome.error).toBeUndefined();
    expect(outcome.state).toBe("idle");
  }
  expect(outcome.requests.length).toBe(wanted.length);
  expect(outcome.requests).toMatchObject(wanted);
}

function checkFailure(row: Row, [status, message]: [number, RegExp], outcome: Outcome): void {
  expect(outcome.error?.message).toMatch(message);
  expect(outcome.error?.message).toMatch(/\(RFC \d+ sections? [\d.]+( and [\d.]+)?\)$/);
  expect(outcome.error?.status).toBe(status);
  expect(outcome.error?.reason).toBe(status === 413 ? "body_too_large" : "protocol_error");
  expect(outcome.state).toBe("failed");
  const wanted = row.requests ?? [];
  expect(outcome.requests.length).toBe(wanted.length);
  expect(outcome.requests).toMatchObject(wanted);
}

/** A GET with a Host and these field lines. */
export function get(...fields: string[]): string {
  return ["GET / HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n");
}

/** A POST with a Host, these field lines, and what comes behind its head. */
export function post(fields: readonly string[], body: string): string {
  return ["POST / HTTP/1.1", "Host: a", ...fields, "", body].join("\r\n");
}

/** A chunked POST: what comes behind its head. */
export function chunkedPost(body: string): string {
  return post(["Transfer-Encoding: chunked"], body);
}
