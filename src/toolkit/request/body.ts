import type { Receive } from "../../spec/application.ts";
import type { ConnectionState } from "../../spec/connection-state.ts";
import type { HttpRequest, ReceiveEvent, SseRequest } from "../../spec/events.ts";
import { Rereadable } from "../../spec/rereadable.ts";
import type { HttpScope, SseScope } from "../../spec/scope.ts";
import { bodyChunks, bytesOf } from "./body-chunks.ts";
import { readForm, type FormEntries, type ReadFormOptions } from "./form.ts";
import type { MultipartStream } from "./multipart-stream.ts";
import { BodyTooLargeError, BodyUsedError, IncompleteBodyError, type BodyUse } from "./error.ts";

/** How many bytes of a body are read into memory where nothing else is said: 1 MiB. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Events of middleware that may come while one body is read, and wait for others. */
const MAX_PASSED_BY = 1000;
const TOO_MANY_EVENTS = `More than ${MAX_PASSED_BY} events of middleware came while the request body was read.`;

const NO_BYTES = new Uint8Array(0);

type BodyEvent = HttpRequest | SseRequest;

/** Opens the parts of a form, with the chunks of a body of at most so many bytes. */
type OpenForm = (chunks: (maxBytes: number) => AsyncIterator<Uint8Array>) => MultipartStream;

/** The body that a `receive` of middleware gives, which may be another one than the client's. */
const BY_RECEIVE = new WeakMap<Receive, RequestBody>();

/**
 * What has become of the body of one request. All readers of one `receive` share it: a `PagiRequest` in middleware and
 * one in a handler, an adapter, and whoever calls `receive` itself.
 *
 * What was read whole is kept, and given back to `receive`, so that the next reader gets it too. What was streamed is
 * not there any more, and the next reader is told so.
 */
export class RequestBody {
  readonly #receive: Receive;
  readonly #source: Rereadable;
  readonly #connection: ConnectionState | undefined;
  #use: BodyUse | undefined;
  /** The whole body as one event, where it was kept. */
  #kept: BodyEvent | undefined;
  #form: Promise<FormEntries> | undefined;
  /** A reading that keeps what it reads, under way. */
  #reading: Promise<unknown> | undefined;

  private constructor(scope: HttpScope | SseScope, receive: Receive, source: Rereadable) {
    this.#receive = receive;
    this.#source = source;
    this.#connection = scope.type === "http" ? scope["pagi.connection"] : undefined;
  }

  /** The body that `receive` gives. */
  static of(scope: HttpScope | SseScope, receive: Receive): RequestBody {
    const found = Rereadable.find(scope, receive);
    const source = found ?? Rereadable.around(scope, receive);
    if (found === undefined) source.attachTo(scope);
    const isOwn = source.owns(receive);
    const known = isOwn ? RequestBody.#ofSource(source) : BY_RECEIVE.get(receive);
    if (known !== undefined) return known;
    const body = new RequestBody(scope, receive, source);
    if (isOwn) source.bodyOfReader = body;
    else BY_RECEIVE.set(receive, body);
    return body;
  }

  /** The body that a rereadable `receive` gives. */
  static #ofSource({ bodyOfReader }: Rereadable): RequestBody | undefined {
    return bodyOfReader instanceof RequestBody ? bodyOfReader : undefined;
  }

  /** Why a new reader gets nothing of it; `undefined` where it does, or where it has to wait for another reader first. */
  get refusal(): BodyUsedError | undefined {
    return this.#reading === undefined ? this.#loss : undefined;
  }

  get #loss(): BodyUsedError | undefined {
    if (this.#use !== undefined) return new BodyUsedError(this.#use);
    if (this.#kept !== undefined || !this.#isOwn || this.#source.progress === "untouched") return undefined;
    return new BodyUsedError("received");
  }

  /** All bytes; read once. @throws BodyTooLargeError, IncompleteBodyError, BodyUsedError. */
  async whole(maxBytes: number): Promise<Uint8Array> {
    while (this.#kept === undefined) {
      if (this.#reading === undefined) {
        this.#assertUnused();
        await this.#keepReading(drained(this.#read("received", Infinity, maxBytes)));
      } else await settled(this.#reading);
    }
    const bytes = bytesOf(this.#kept);
    if (bytes.byteLength > maxBytes) throw new BodyTooLargeError(maxBytes);
    return bytes;
  }

  /** The chunks, for one reader, unless they were kept. @throws BodyUsedError. */
  stream(maxBytes: number | undefined): AsyncIterator<Uint8Array> {
    if (this.#reading !== undefined) throw new BodyUsedError("received");
    const chunks = this.#chunks("stream", 0, maxBytes);
    if (this.#kept === undefined) this.#use = "stream";
    return chunks;
  }

  /**
   * The parts of a multipart form; read once. Its files are removed when the request ends. The bytes of a small one are
   * kept beside them, for readers that want it in another form.
   *
   * @param open reads the parts of the chunks, which it asks for.
   */
  async form(options: ReadFormOptions, open: OpenForm): Promise<FormEntries> {
    while (this.#form === undefined) {
      if (this.#reading === undefined)
        this.#form = this.#formElsewhere() ?? this.#keepReading(this.#readForm(options, open));
      else await settled(this.#reading);
    }
    return await this.#form;
  }

  /** The body, and then the other events of the scope, for a reader that is not this toolkit's. */
  reader(): () => Promise<ReceiveEvent> {
    let isFirst = true;
    return () => {
      if (!isFirst) return this.#next();
      isFirst = false;
      const isUntouched = this.#reading === undefined && this.#kept === undefined && this.#loss === undefined;
      return isUntouched ? this.#next() : this.#firstAgain();
    };
  }

  /** The first event for a reader that is not the only one. */
  async #firstAgain(): Promise<ReceiveEvent> {
    while (this.#reading !== undefined) await settled(this.#reading);
    this.#assertUnused();
    return this.#kept ?? (await this.#next());
  }

  get #isOwn(): boolean {
    return this.#source.owns(this.#receive);
  }

  /** The form of the request itself, where this is the body of a `receive` that stands around its own. */
  #formElsewhere(): Promise<FormEntries> | undefined {
    const body = this.#isOwn ? undefined : RequestBody.#ofSource(this.#source);
    return body === undefined || body.#kept !== undefined ? undefined : body.#form;
  }

  #keepReading<T>(reading: Promise<T>): Promise<T> {
    const done = reading.finally(() => (this.#reading = undefined));
    this.#reading = done;
    if (this.#isOwn) this.#source.waitFor(done);
    return done;
  }

  #assertUnused(): void {
    const loss = this.#loss;
    if (loss !== undefined) throw loss;
  }

  #chunks(use: BodyUse, keep: number, maxBytes: number | undefined): AsyncIterator<Uint8Array> {
    const kept = this.#kept;
    if (kept !== undefined) return bodyChunks(() => Promise.resolve(kept), maxBytes);
    this.#assertUnused();
    return this.#read(use, keep, maxBytes);
  }

  #readForm(options: ReadFormOptions, open: OpenForm): Promise<FormEntries> {
    let chunks: AsyncIterator<Uint8Array> | undefined;
    const stream = open((maxBytes) => (chunks = this.#chunks("form", MAX_BODY_BYTES, maxBytes)));
    if (this.#kept === undefined) this.#use = "form";
    const reading = readForm(stream, options, (upload) => {
      const discard = (): void => {
        // The request is over, and a file that cannot be removed is nothing it could be told of.
        upload.discard().catch(() => {});
      };
      this.#connection?.onComplete(discard);
      this.#connection?.onDisconnect(discard);
    });
    // A form that was over a limit leaves off in the middle; what was read of it is given back then.
    return reading.finally(() => chunks?.return?.());
  }

  /** The next event, asked for by a reader of the body: it is refused rather than waited for where there is none left. */
  #next(): Promise<ReceiveEvent> {
    return this.#isOwn ? this.#source.take() : this.#nextOfMiddleware();
  }

  async #nextOfMiddleware(): Promise<ReceiveEvent> {
    this.#source.expectBody(new BodyUsedError("received"));
    try {
      return await this.#receive();
    } finally {
      this.#source.expectBody(undefined);
    }
  }

  /**
   * The chunks as they come. As long as they are no more than `keep` bytes they are kept, and given back in the end, be
   * it good or bad; otherwise whoever asks for the body next is refused.
   */
  async *#read(
    use: BodyUse,
    keep: number,
    maxBytes: number | undefined,
  ): AsyncGenerator<Uint8Array, void, void> {
    const tape: ReceiveEvent[] = [];
    let size = 0;
    let isOver = false;
    /** Events of middleware, which others wait for. */
    const passedBy: ReceiveEvent[] = [];
    const next = async (): Promise<ReceiveEvent> => {
      // Through the `receive` of middleware this reader is not known, and would be refused itself.
      if (size > keep) this.#source.forgive();
      let event = await this.#next();
      for (; !isOfServer(event); event = await this.#next()) {
        if (passedBy.length >= MAX_PASSED_BY) throw new Error(TOO_MANY_EVENTS);
        passedBy.push(event);
      }
      size += bytesOf(event).byteLength;
      if (size <= keep) tape.push(event);
      else {
        tape.length = 0;
        this.#source.refuse(new BodyUsedError(use));
      }
      return event;
    };
    try {
      yield* bodyChunks(next, maxBytes);
      isOver = true;
    } catch (error) {
      throw this.#isTooLate(error) ? new BodyUsedError("answered") : error;
    } finally {
      this.#source.putBack(passedBy);
      if (size > keep) {
        this.#use = use;
        this.#source.refuse(new BodyUsedError(use));
      } else {
        this.#use = undefined;
        this.#kept = isOver ? inOnePiece(tape) : undefined;
        this.#source.unread(this.#kept === undefined ? tape : [this.#kept]);
      }
    }
  }

  /** Once the response is complete there is nothing but the end to receive, though the client may be there. */
  #isTooLate(error: unknown): boolean {
    const connection = this.#connection;
    return (
      error instanceof IncompleteBodyError &&
      connection?.disconnectReason() === undefined &&
      connection?.responseComplete() === true
    );
  }
}

/** What middleware makes is of other types than those that are known. */
function isOfServer({ type }: ReceiveEvent): boolean {
  return /^(?:http|sse|websocket|lifespan)\./.test(type);
}

/** Resolves when somebody else's reading is over, who sees its error. */
function settled(reading: Promise<unknown>): Promise<unknown> {
  return reading.catch(() => {});
}

/** Reads what is kept meanwhile. */
async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of chunks);
}

/** All events of a body as one. */
function inOnePiece(events: readonly ReceiveEvent[]): BodyEvent | undefined {
  const last = events.at(-1);
  if (last?.type !== "http.request" && last?.type !== "sse.request") return undefined;
  const chunks = events.map(bytesOf).filter((each) => each.byteLength > 0);
  const [first = NO_BYTES] = chunks;
  return { ...last, body: chunks.length < 2 ? first : Buffer.concat(chunks), more: false };
}
