import type { ApplicationRun } from "./application-run.ts";
import type { ReceivedHead } from "./test-transport.ts";
import { PagiHeaders } from "../src/toolkit/values/headers.ts";
import { parameterOf, parseParameterized } from "../src/spec/parameters.ts";
import type { Headers } from "../src/spec/values.ts";

/** Chars of a body that are shown where it is not the JSON that was expected. */
const SHOWN_OF_BODY = 200;

/** What a response is made of. */
export interface ResponseParts {
  readonly url: URL;
  readonly head: ReceivedHead;
  readonly run: ApplicationRun;
  /** Responses that were followed to come here, the first one first. */
  readonly history: readonly TestResponse[];
}

/** A response. Its body is read whole or, with `stream: true`, as it comes. */
export class TestResponse implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** From 200 on; of a WebSocket 101. */
  readonly status: number;
  /** In the server's order, names in lower case; several of a name are kept apart. */
  readonly headers: PagiHeaders;
  /** Where the request went, after redirects were followed. */
  readonly url: string;
  /** Responses with redirects that were followed, the first one first. */
  readonly history: readonly TestResponse[];
  readonly #parts: ResponseParts;
  #whole: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #isStreamed = false;

  constructor(parts: ResponseParts) {
    this.#parts = parts;
    this.status = parts.head.status;
    this.headers = new PagiHeaders(parts.head.headers);
    this.url = parts.url.href;
    this.history = parts.history;
  }

  /** Whether redirects were followed to come here. */
  get redirected(): boolean {
    return this.history.length > 0;
  }

  /** A status from 200 to 299. */
  get ok(): boolean {
    return this.isSuccess();
  }

  /** A status from 200 to 299. */
  isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** A status from 300 to 399. */
  isRedirect(): boolean {
    return this.status >= 300 && this.status < 400;
  }

  /** A status from 400 on. */
  isError(): boolean {
    return this.status >= 400;
  }

  /** The value of a field, the last one where there are several. */
  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  /** The field `content-type`. */
  get contentType(): string | undefined {
    return this.headers.get("content-type");
  }

  /** What `content-length` declares, in bytes. */
  get contentLength(): number | undefined {
    const value = this.headers.get("content-length");
    return value === undefined ? undefined : Number(value);
  }

  /** The field `location`. */
  get location(): string | undefined {
    return this.headers.get("location");
  }

  /** The cookies that this response sets, by name: their values as they stand in `Set-Cookie`. */
  get cookies(): Readonly<Record<string, string>> {
    const pairs = this.headers.getAll("set-cookie").map((field): [string, string] => {
      const pair = field.split(";", 1)[0] ?? "";
      const equals = pair.indexOf("=");
      return [pair.slice(0, Math.max(equals, 0)).trim(), pair.slice(equals + 1).trim()];
    });
    return Object.fromEntries(pairs);
  }

  /** The fields that follow the body; complete once the body is. */
  get trailers(): PagiHeaders {
    return new PagiHeaders(this.#parts.run.transport.trailers);
  }

  /** What the application has thrown or done wrong, where the client was told not to throw it. */
  get exception(): unknown {
    return this.#parts.run.exception;
  }

  /** The fields as they came, copied. */
  get rawHeaders(): Headers {
    return this.headers.toPairs();
  }

  /**
   * The whole body. It can be asked for again.
   *
   * @throws TruncatedError when the response is cut, TypeError when the body has been read as a stream.
   */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#whole === undefined) {
      if (this.#isStreamed) return Promise.reject(alreadyRead());
      this.#isStreamed = true;
      this.#whole = this.#parts.run.waitOrLeave(
        `the body of the response from ${this.url}`,
        this.#readWhole(),
      );
      this.#whole.catch(() => {}); // whoever asks is told
    }
    return this.#whole;
  }

  /** The body as text, in the charset that its `Content-Type` names; in UTF-8 where it names none, or an unknown one. */
  async text(): Promise<string> {
    return decoderOf(this.contentType).decode(await this.bytes());
  }

  /**
   * The body as JSON, which is UTF-8 whatever its type says (RFC 8259 section 8.1). `T` is not checked.
   *
   * @throws SyntaxError that shows the body, when it is none.
   */
  async json<T = unknown>(): Promise<T> {
    const text = new TextDecoder().decode(await this.bytes());
    try {
      return JSON.parse(text);
    } catch (error) {
      const shown = text.length > SHOWN_OF_BODY ? `${text.slice(0, SHOWN_OF_BODY)}...` : text;
      throw new SyntaxError(`The body of the ${this.status} is no JSON: ${JSON.stringify(shown)}`, {
        cause: error,
      });
    }
  }

  /** The body as it comes, piece by piece. Leaving the loop early is a client that goes away. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    if (this.#whole !== undefined) {
      yield await this.#whole;
      return;
    }
    if (this.#isStreamed) throw alreadyRead();
    this.#isStreamed = true;
    let isComplete = false;
    try {
      for (;;) {
        const chunk = await this.#next();
        if (chunk === undefined) break;
        yield chunk;
      }
      isComplete = true;
    } finally {
      if (!isComplete) this.cancel();
    }
  }

  /** The body as a stream of the web. */
  get body(): ReadableStream<Uint8Array> {
    const chunks = this[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel: async () => void (await chunks.return()),
      },
      { highWaterMark: 0 },
    );
  }

  /** The client goes away: the application sees a disconnect, unless the response was delivered. */
  cancel(): void {
    this.#parts.run.lose("client_closed", new DOMException("The response was cancelled.", "AbortError"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { run } = this.#parts;
    const { line } = run.transport;
    await run.waitOrLeave(`the next piece of the response from ${this.url}`, line.whenReadable());
    try {
      return line.read();
    } catch (error) {
      throw run.preferred(error);
    }
  }

  async #readWhole(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    const { line } = this.#parts.run.transport;
    for (let chunk = await line.next(); chunk !== undefined; chunk = await line.next()) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  }
}

function decoderOf(contentType: string | undefined): TextDecoder {
  const { parameters } = parseParameterized(contentType ?? "");
  try {
    // The types know three labels; the runtime knows all of the Encoding standard.
    return Reflect.construct(TextDecoder, [parameterOf(parameters, "charset")]);
  } catch {
    return new TextDecoder();
  }
}

function alreadyRead(): TypeError {
  return new TypeError("The body has been read as a stream; it is gone.");
}
