import { EventError, StateError } from "../errors.ts";
import type { FileSource, Flag, Headers, Maybe } from "../spec/values.ts";
import type { ResponseHead, Transport } from "./transport.ts";

/**
 * `waiting` for the start; `started`; sending a `file`; waiting for another start since the file failed and the first
 * one was `taken back`; `broken` by a file that failed when a part of it had left; waiting for `trailers`; `complete`.
 */
export type ResponseState =
  "waiting" | "started" | "file" | "taken back" | "broken" | "trailers" | "complete";

/** An event, with what matters of its fields. */
type Step =
  | "interim"
  | "switch protocols"
  | "start"
  | "more"
  | "last"
  | "last, trailers follow"
  | "file"
  | "file, trailers follow"
  | "file failed, nothing has left"
  | "file failed"
  | "trailers"
  | "flush";

/** Every transition there is; an event that is missing here is a StateError. */
const TRANSITIONS: { readonly [From in ResponseState]: { readonly [S in Step]?: ResponseState } } = {
  waiting: { interim: "waiting", "switch protocols": "complete", start: "started" },
  started: {
    more: "started",
    last: "complete",
    "last, trailers follow": "trailers",
    file: "file",
    "file, trailers follow": "file",
    "file failed, nothing has left": "taken back",
    "file failed": "started", // it could not be opened, and not a byte of it is missed
    flush: "started",
  },
  file: { "file failed, nothing has left": "taken back", "file failed": "broken" },
  "taken back": { start: "started" },
  broken: {},
  trailers: { trailers: "complete", flush: "trailers" },
  complete: { flush: "complete" },
};

const WHY: { readonly [From in ResponseState]: string } = {
  waiting: "the response has not been started",
  started: "the response has been started, and its body is not complete",
  file: "a file is still being sent; await its send first",
  "taken back":
    "its file could not be sent and nothing of the response has left, so the start was taken back; start another response",
  broken: "its file could not be sent whole, and a part of the response has left, so the response ends here",
  trailers: "the body is complete and only the trailers are missing",
  complete: "the response is complete",
};

/** The fields of a start event, whatever its protocol's prefix. */
export interface StartFields {
  readonly type: string;
  readonly status: number;
  readonly headers?: Maybe<Headers>;
  readonly trailers?: Maybe<Flag>;
}

/** The fields of an interim event. */
export interface InterimFields {
  readonly type: string;
  readonly status: number;
  readonly headers?: Maybe<Headers>;
}

/** The fields of a body event, whatever its protocol's prefix. */
export interface BodyFields {
  readonly type: string;
  readonly body?: Maybe<Uint8Array | string>;
  readonly file?: Maybe<string>;
  readonly fh?: Maybe<FileSource>;
  readonly offset?: Maybe<number>;
  readonly length?: Maybe<number>;
  readonly more?: Maybe<Flag>;
}

const NO_BYTES = new Uint8Array(0);

/**
 * An ordinary HTTP response in the making: what `http` scopes send, and what declines an event stream or a WebSocket.
 * The checks here are those that a server cannot do without; `validateEvents` adds the rest.
 */
export class Response {
  readonly #transport: Transport;
  readonly #connection: ResponseHead["connection"];
  #state: ResponseState = "waiting";
  #trailersFollow = false;
  #status: number | undefined;

  constructor(transport: Transport, connection?: ResponseHead["connection"]) {
    this.#transport = transport;
    this.#connection = connection;
  }

  get state(): ResponseState {
    return this.#state;
  }

  /** `undefined` while there is no response. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Takes an interim event: any number of them before the start, or a 101, which ends HTTP. */
  interim(event: InterimFields): void {
    const { type, status } = event;
    if (!Number.isInteger(status) || status < 100 || status > 199)
      throw new EventError(type, "status", "must be an interim status code, an integer from 100 to 199");
    const headers = headersOf(event);
    if (status !== 101) {
      this.#after(type, "interim");
      this.#transport.writeInterim?.(type, status, headers);
      return;
    }
    const next = this.#after(type, "switch protocols");
    // The server speaks no other protocol, so the connection ends with it (RFC 9110 section 15.2.2).
    this.#transport.writeHead(type, { status, headers, trailers: false, connection: "close" });
    this.#transport.writeBody(type, "", true);
    this.#status = status;
    this.#state = next;
  }

  /** Takes a start event. */
  start(event: StartFields): void {
    const next = this.#after(event.type, "start");
    const head = responseHead(event, this.#connection);
    this.#transport.writeHead(event.type, head);
    this.#trailersFollow = head.trailers;
    this.#status = head.status;
    this.#state = next;
  }

  /** Takes a body event; resolves when a file has been taken whole. */
  body(event: BodyFields): Promise<void> | undefined {
    if (event.file != null || event.fh != null) return this.#file(event);
    const bytes = event.body ?? NO_BYTES;
    if (typeof bytes !== "string" && !(bytes instanceof Uint8Array)) {
      throw new EventError(event.type, "body", "must be a Uint8Array or a string");
    }
    const last = !event.more;
    const next = this.#after(
      event.type,
      !last ? "more" : this.#trailersFollow ? "last, trailers follow" : "last",
    );
    this.#transport.writeBody(event.type, bytes, next === "complete");
    this.#state = next;
    return undefined;
  }

  /** Takes the trailers. */
  trailers(event: { readonly type: string; readonly headers?: Maybe<Headers> }): void {
    const next = this.#after(event.type, "trailers");
    this.#transport.writeTrailers(event.type, headersOf(event));
    this.#state = next;
  }

  /** Takes a fullflush. */
  flush(event: { readonly type: string }): void {
    if (this.#after(event.type, "flush") !== "complete") this.#transport.flush();
  }

  async #file(event: BodyFields): Promise<void> {
    if (event.body != null) throw new EventError(event.type, "body", "and 'file' or 'fh' exclude each other");
    if (event.file != null && event.fh != null)
      throw new EventError(event.type, "fh", "and 'file' exclude each other");
    const next = this.#after(event.type, this.#trailersFollow ? "file, trailers follow" : "file");
    try {
      // Loaded with the first file: many applications send none, and it brings node:fs with it. Not by import(), which
      // would let the head leave before it is known whether the file can be opened.
      const { openFileRange }: typeof import("./file-range.ts") = require("./file-range.ts");
      const range = openFileRange(event);
      this.#state = next; // what cannot be opened changes nothing
      try {
        await this.#transport.writeFile(event.type, range, !this.#trailersFollow);
      } finally {
        range.close();
      }
    } catch (error) {
      this.#fileFailed(event.type);
      throw error;
    }
    this.#state = this.#trailersFollow ? "trailers" : "complete";
  }

  /** Where nothing has left yet, a file that cannot be sent leaves the application free to answer something else. */
  #fileFailed(eventType: string): void {
    const hasLeft = this.#transport.hasLeft();
    this.#state = this.#after(eventType, hasLeft ? "file failed" : "file failed, nothing has left");
    if (hasLeft) return;
    this.#transport.discardHead();
    this.#trailersFollow = false;
    this.#status = undefined;
  }

  #after(eventType: string, step: Step): ResponseState {
    const next = TRANSITIONS[this.#state][step];
    if (next === undefined) throw new StateError(eventType, this.#state, WHY[this.#state]);
    return next;
  }
}

/** A start event's fields as a head. @throws EventError for a status or headers that are none. */
export function responseHead(event: StartFields, connection?: ResponseHead["connection"]): ResponseHead {
  const { status } = event;
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new EventError(event.type, "status", "must be a final status code, an integer from 200 to 999");
  }
  const head = { status, headers: headersOf(event), trailers: Boolean(event.trailers) };
  return connection === undefined ? head : { ...head, connection };
}

function headersOf(event: { readonly type: string; readonly headers?: Maybe<Headers> }): Headers {
  const headers = event.headers ?? [];
  if (!isListOfLists(headers))
    throw new EventError(event.type, "headers", "must be a list of [name, value] pairs");
  return headers;
}

function isListOfLists(headers: unknown): boolean {
  if (!Array.isArray(headers)) return false;
  for (const each of headers) if (!Array.isArray(each)) return false;
  return true;
}
