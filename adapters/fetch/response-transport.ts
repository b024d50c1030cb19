import { assertNotLonger, tooShort } from "../../src/exchange/declared-length.ts";
import { EventError } from "../../src/errors.ts";
import { chunksOf, FILE_CHUNK } from "../../src/exchange/file-chunks.ts";
import type { FileRange } from "../../src/exchange/file-range.ts";
import type { Exchange, ResponseHead, Transport } from "../../src/exchange/transport.ts";
import { CONNECTION_FIELDS } from "../../src/spec/connection-fields.ts";

/** Fetch standard, "Response class". */
const MAX_STATUS = 599;

/** An exchange that logs what goes wrong with its request. */
type HostedExchange = Exchange & { report(message: string, error?: unknown): void };

/** What is used of a stream's reader. */
interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/**
 * One `Request` and its `Response` as the wire of an exchange. The response is handed to the host as soon as its first
 * bytes are there, or at the end of the turn in which its head was sent; its body is a stream that the host pulls.
 */
export class ResponseTransport implements Transport {
  readonly #request: Request;
  readonly #response = Promise.withResolvers<Response>();
  #exchange: HostedExchange | undefined;
  #reader: BodyReader | undefined;
  #isReading = false;
  /** The end of the body was delivered: behind it there is only the disconnect. */
  #isBodyOver = false;
  #head: ResponseHead | undefined;
  #declared: number | undefined;
  #hasLeft = false;
  #length = 0;
  /** What the host has not pulled yet. */
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #isAnswered = false;
  #isOver = false;
  #pulling: (() => void) | undefined;
  #failure: Error | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: (() => void)[] = [];

  constructor(request: Request) {
    this.#request = request;
  }

  /** The response, once the application has begun it. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** Ties the exchange to the request: its body, and its client's going. */
  attach(exchange: HostedExchange): void {
    this.#exchange = exchange;
    const { signal } = this.#request;
    const gone = (): void => this.#lose();
    if (signal.aborted) gone();
    else signal.addEventListener("abort", gone, { once: true });
  }

  applicationSettled(): void {}

  demandBody(): void {
    if (this.#isReading || this.#isBodyOver || this.#isOver || this.#request.body === null) return;
    this.#isReading = true;
    this.#read().catch((error: unknown) => this.#failToRead(error));
  }

  writeHead(eventType: string, head: ResponseHead): void {
    if (this.#isOver) return;
    // What cannot be sent is found out while the application can still be told.
    if (head.status > MAX_STATUS) {
      throw new EventError(
        eventType,
        "status",
        `must be at most ${MAX_STATUS}, which is all that a Response can have`,
      );
    }
    headersOf(eventType, head);
    this.#head = head;
    const declared = head.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
    this.#declared = declared === undefined || this.#isBodiless() ? undefined : Number(declared);
    setTimeout(() => this.flush(), 0);
  }

  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void {
    if (this.#isOver || this.#head === undefined) return;
    const chunk = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    this.#checkLength(eventType, chunk.byteLength, last);
    this.#length += chunk.byteLength;
    if (last && !this.#hasLeft) {
      this.#hasLeft = true;
      this.#response.resolve(
        this.#make(this.#isBodiless() || chunk.byteLength === 0 ? null : new Uint8Array(chunk)),
      );
      this.#complete();
      return;
    }
    if (chunk.byteLength > 0 && !this.#isBodiless()) {
      // Its owner may use it again while it waits here. Not by slice(), which for a Buffer is no copy.
      this.#queue.push(new Uint8Array(chunk));
      this.#queued += chunk.byteLength;
    }
    if (last) this.#isAnswered = true;
    this.flush();
    this.#serve();
  }

  async writeFile(eventType: string, file: FileRange, last: boolean): Promise<void> {
    for await (const chunk of chunksOf(file)) {
      if (this.#isOver) return;
      this.writeBody(eventType, chunk, false);
      while (this.#queued > FILE_CHUNK && !this.#isOver)
        await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
    this.writeBody(eventType, "", last);
  }

  /** A `Response` has no trailers. */
  writeTrailers(eventType: string): void {
    this.writeBody(eventType, "", true);
  }

  flush(): void {
    if (this.#isOver || this.#hasLeft || this.#head === undefined) return;
    this.#hasLeft = true;
    if (this.#isBodiless()) {
      this.#response.resolve(this.#make(null));
      return;
    }
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: () => this.#lose(),
      },
      { highWaterMark: 0 },
    );
    this.#response.resolve(this.#make(body));
  }

  hasResponse(): boolean {
    return this.#head !== undefined;
  }

  hasLeft(): boolean {
    return this.#hasLeft;
  }

  discardHead(): void {
    this.#head = undefined;
    this.#length = 0;
  }

  /** What was queued is dropped too: the host fails the response in the middle, and the client sees that. */
  abort(): void {
    this.#failure = new Error("The application did not complete its response.");
    this.#end();
    this.#controller?.error(this.#failure);
  }

  bufferedAmount(): number {
    return this.#queued;
  }

  async #read(): Promise<void> {
    this.#reader ??= this.#request.body?.getReader();
    if (this.#reader === undefined) return;
    const { done, value } = await this.#reader.read();
    this.#isReading = false;
    if (this.#isOver) return;
    if (value !== undefined && value.byteLength > 0) this.#exchange?.deliverBody(value, true);
    else if (done) {
      this.#isBodyOver = true;
      this.#exchange?.deliverBody(new Uint8Array(0), false);
    } else this.demandBody();
  }

  #pull(): Promise<void> {
    return new Promise((resolve) => {
      this.#pulling = resolve;
      this.#serve();
    });
  }

  /** Gives the host what it waits for, as far as it is there, and the end. */
  #serve(): void {
    const pulling = this.#pulling;
    if (pulling !== undefined) {
      const chunk = this.#queue.shift();
      if (chunk === undefined && !this.#isAnswered) return;
      this.#pulling = undefined;
      if (chunk !== undefined) {
        this.#queued -= chunk.byteLength;
        this.#controller?.enqueue(chunk);
      }
    }
    if (this.#isAnswered && this.#queue.length === 0) {
      this.#controller?.close();
      this.#complete();
    }
    if (pulling === undefined) return;
    pulling();
    this.#tellDrained();
    this.#exchange?.deliverDrain();
  }

  #make(body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null): Response {
    if (this.#head === undefined) throw new Error("there is no response head");
    return new Response(body, {
      status: this.#head.status,
      headers: headersOf("http.response.start", this.#head),
    });
  }

  /** To HEAD, and with 204 and 304, there is no body. RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5. */
  #isBodiless(): boolean {
    const status = this.#head?.status;
    return this.#request.method === "HEAD" || status === 204 || status === 304;
  }

  #checkLength(eventType: string, more: number, last: boolean): void {
    const declared = this.#declared;
    if (declared === undefined) return;
    const length = this.#length + more;
    assertNotLonger(eventType, declared, length);
    if (last && length < declared) throw tooShort(eventType, declared, length);
  }

  #complete(): void {
    this.#isAnswered = true;
    if (this.#isOver) return;
    this.#end();
    this.#exchange?.deliverCompletion();
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#end();
    this.#exchange?.deliverDisconnect("client_closed");
    // Nobody is there to see it, but the host still waits for one.
    this.#response.resolve(new Response(null, { status: 499 }));
    this.#controller?.error(this.#request.signal.reason ?? new Error("The client has disconnected."));
  }

  /**
   * The stream of the request body has failed. Hosts let it fail when the client disconnects, which is nobody's fault. Any
   * other failure is the host's or the client's: it is logged, since the application learns nothing but that the request
   * is over, and answered as HTTP/1.1 answers a body that cannot be read (RFC 9110 section 15.5.1).
   */
  #failToRead(error: unknown): void {
    if (this.#isOver) return;
    if (this.#request.signal.aborted || isAbort(error)) return this.#lose();
    this.#end();
    this.#exchange?.report("the stream of the request body failed", error);
    this.#exchange?.serverAnswers();
    this.#exchange?.deliverDisconnect("read_error");
    const headers = { "content-type": "text/plain; charset=utf-8" };
    this.#response.resolve(new Response("Bad Request\n", { status: 400, headers }));
    this.#controller?.error(new Error("The request body failed.", { cause: error }));
  }

  #end(): void {
    this.#isOver = true;
    this.#queue.length = 0;
    this.#queued = 0;
    this.#pulling?.();
    this.#pulling = undefined;
    this.#tellDrained();
    // What of the request nobody has read is not wanted any more.
    this.#reader?.cancel().catch(() => {});
  }

  #tellDrained(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** What a stream fails with whose reader or client has given it up. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** @throws EventError for a header that cannot be sent. */
function headersOf(eventType: string, { headers }: ResponseHead): Headers {
  const fields = new Headers();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    // Those about the connection are the host's, apart from Upgrade, which Connection must name (RFC 9110 section 7.8).
    if (CONNECTION_FIELDS.has(lower) && lower !== "upgrade") continue;
    try {
      fields.append(name, value);
      if (lower === "upgrade") fields.set("connection", "upgrade");
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new EventError(eventType, "headers", `cannot be sent: ${problem}`);
    }
  }
  return fields;
}
