import { deepStrictEqual } from "node:assert/strict";
import { within } from "../application-run.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type { Application, Receive, Send } from "../../src/spec/application.ts";
import type { Scope } from "../../src/spec/scope.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";

/** Milliseconds in which an application has to tell what it has seen. */
const PATIENCE = 4000;

/** A request as a client writes it. */
export interface ConformanceRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** Path and query as they are sent. */
  readonly target: string;
  /** Besides `host`, and what says how long the body is. In order; a name may occur several times. */
  readonly headers?: Headers;
  /** A string goes with its length, a list of strings as a chunked body. */
  readonly body?: string | readonly string[];
  /** Default `1.1`. */
  readonly httpVersion?: "1.0" | "1.1";
}

/** A response as a client sees it. */
export interface ConformanceResponse {
  readonly status: number;
  /** In order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

/** A response that is read as it comes. */
export interface ConformanceStream {
  head(): Promise<Pick<ConformanceResponse, "status" | "headers">>;
  /** The next piece of the body, however it is cut; `undefined` at its end. Rejects when the response is cut. */
  next(): Promise<string | undefined>;
  /** Stops reading, so that the server has to wait. */
  pause(): void;
  resume(): void;
  /** Closes the connection, or resets the stream. */
  drop(): void;
}

/** The client's end of a WebSocket. It answers Pings and Close frames as RFC 6455 says. */
export interface ConformanceWebSocket {
  readonly subprotocol: string | undefined;
  send(message: string | Uint8Array): Promise<void>;
  /** The next message; `undefined` once it is closed. */
  next(): Promise<string | Uint8Array | undefined>;
  /** Sends a Close frame and waits for the server's. */
  close(code: number, reason: string): Promise<void>;
  /** Waits for the server's Close frame. */
  closing(): Promise<{ readonly code: number; readonly reason: string }>;
  /** Closes the connection without a Close frame. */
  drop(): void;
}

/** A client of one server with one application. Implement it to run the table against a server of your own. */
export interface ConformanceClient {
  /** Makes a request and reads the whole response. Rejects when the response is cut. */
  request(request: ConformanceRequest): Promise<ConformanceResponse>;
  /** Makes a request whose response is read piece by piece. */
  stream(request: ConformanceRequest): ConformanceStream;
  /** Makes a WebSocket's handshake: a WebSocket, or the response with which it was denied. */
  websocket(
    request: ConformanceRequest & { readonly subprotocols?: readonly string[] },
  ): Promise<ConformanceWebSocket | ConformanceResponse>;
  /** Stops the server in order: what runs is told, the application shut down. Resolves when that is done. */
  stop(): Promise<void>;
  /** Ends what is left, at once. */
  dispose(): Promise<void>;
}

/** Settings of a server that a case needs. */
export interface ConformanceSettings {
  /** Unsent bytes at which `send` waits. */
  readonly highWaterMark?: number;
  /** Unsent bytes at which it goes on. */
  readonly lowWaterMark?: number;
}

/** A server that can be tested. */
export interface ConformanceTarget {
  /** Starts a server for `app` and resolves once it has started. Rejects when the application refuses to start. */
  serve(app: Application, settings: ConformanceSettings): Promise<ConformanceClient>;
}

/** One thing that every server does. */
export interface ConformanceCase {
  readonly name: string;
  /** Page and section of the specification. */
  readonly source: string;
  readonly settings?: ConformanceSettings;
  /** The application, which notes what it sees. */
  readonly app: (notes: Notes) => Application;
  /** What a client does and must see. @throws what does not hold. */
  readonly check: (client: ConformanceClient, notes: Notes) => Promise<void>;
}

/** What an application has seen, for the case that looks at it from outside. */
export class Notes {
  readonly #notes = new Map<string, { told: unknown[]; waiting: ((value: unknown) => void)[] }>();

  /** Notes a value. */
  tell(what: string, value: unknown = true): void {
    const { told, waiting } = this.#entry(what);
    const taker = waiting.shift();
    if (taker === undefined) told.push(value);
    else taker(value);
  }

  /** The next value that is noted. @throws TestTimeoutError where none is. */
  heard(what: string): Promise<unknown> {
    const { told, waiting } = this.#entry(what);
    if (told.length > 0) return Promise.resolve(told.shift());
    const next = new Promise<unknown>((resolve) => waiting.push(resolve));
    return within(`the application to tell: ${what}`, next, PATIENCE);
  }

  #entry(what: string): { told: unknown[]; waiting: ((value: unknown) => void)[] } {
    let entry = this.#notes.get(what);
    if (entry === undefined) this.#notes.set(what, (entry = { told: [], waiting: [] }));
    return entry;
  }
}

/** Runs a case against a server. @throws what does not hold, and what the server fails with. */
export async function runCase(each: ConformanceCase, target: ConformanceTarget): Promise<void> {
  const notes = new Notes();
  const client = await target.serve(each.app(notes), each.settings ?? {});
  try {
    await each.check(client, notes);
  } finally {
    await client.dispose();
  }
}

/** @throws AssertionError where the two are not deeply equal. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  deepStrictEqual(actual, expected, `${what}: ${Bun.inspect(actual)} is not ${Bun.inspect(expected)}`);
}

/** @throws AssertionError where it does not hold. */
export function holds(condition: boolean, what: string): void {
  deepStrictEqual(condition, true, what);
}

/** What `promise` rejects with. @throws AssertionError when it resolves. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: it resolved with ${Bun.inspect(value)} instead of being rejected`);
}

/** The `code` of what `promise` rejects with, or `resolved`. */
export function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
}

/** The values of a field, in order. */
export function valuesOf(headers: ConformanceResponse["headers"], name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value);
}

/** The text of an event stream up to its end, or up to where `enough` is satisfied. */
export async function readText(
  stream: ConformanceStream,
  enough?: (text: string) => boolean,
): Promise<string> {
  let text = "";
  while (enough?.(text) !== true) {
    const piece = await stream.next();
    if (piece === undefined) break;
    text += piece;
  }
  return text;
}

/** An application of one protocol that sends what its types would not let it send. */
export function careless(
  type: Scope["type"],
  handle: (receive: Receive, send: Send) => Promise<void>,
): Application {
  return async (scope, receive, send) => {
    if (scope.type !== type) throw new UnsupportedScopeError(scope.type);
    await handle(receive, send);
  };
}

/** A field of plain text. */
export const PLAIN: HeaderPair = ["content-type", "text/plain"];
