import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";
import type { ResponseEvents } from "./response-events.ts";
import type { ResponsePart } from "./response-reader.ts";

type Head = Extract<ResponsePart, { type: "head" }>;

/** Somebody who counts what waits to be sent. */
export interface DeliveryOwner {
  /** A piece of the body has been taken. */
  onSent(bytes: Uint8Array | string): void;
}

/** Sends the parts of one response as events, and counts its body where the head has announced a length. */
export class ResponseDelivery {
  readonly #events: ResponseEvents;
  readonly #scope: HttpScope | SseScope;
  readonly #owner: DeliveryOwner | undefined;
  #isStarted = false;
  #isOver = false;
  #hasTrailers = false;
  /** Bytes that the announced length has room for. */
  #left = Infinity;
  #surplus = 0;

  constructor(scope: HttpScope | SseScope, events: ResponseEvents, owner?: DeliveryOwner) {
    this.#scope = scope;
    this.#events = events;
    this.#owner = owner;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }
  /** The whole response has been sent. */
  get isOver(): boolean {
    return this.#isOver;
  }
  /** How many bytes came behind the announced length; they were not sent. */
  get surplus(): number {
    return this.#surplus;
  }

  /**
   * Sends all parts and removes them, with those that are added meanwhile.
   *
   * @param trailers of the response, where the `end` part has none itself.
   * @throws what `send` throws, the error of a `failure` part, and an Error for a body that is too short.
   */
  async deliver(parts: ResponsePart[], trailers: () => Headers): Promise<void> {
    for (let part; (part = parts.shift()) !== undefined;) {
      switch (part.type) {
        case "failure":
          throw part.error;
        case "interim":
          await this.#interim(part.status, part.headers);
          break;
        case "head":
          this.#isStarted = true;
          this.#hasTrailers = part.mayHaveTrailers && this.#events.canSendTrailers;
          if (part.length !== undefined) this.#left = part.length;
          await this.#events.start(part.status, this.#headersOf(part), this.#hasTrailers);
          break;
        case "body": {
          const next = parts[0];
          if (next?.type === "end") {
            parts.shift();
            await this.#end(part.bytes, next.trailers.length > 0 ? next.trailers : trailers());
          } else await this.#events.body(this.#fitting(part.bytes), true);
          this.#owner?.onSent(part.bytes);
          break;
        }
        case "end":
          await this.#end("", part.trailers.length > 0 ? part.trailers : trailers());
      }
    }
  }

  async #interim(status: number, headers: Headers): Promise<void> {
    if (this.#events.canSendInterim) await this.#events.interim(status, headers);
    else if (status === 101) throw new Error("No event of this server can carry a response of status 101.");
    // any recipient may ignore another one (RFC 9110 section 15.2)
    if (status === 101) this.#isOver = true;
  }

  async #end(rest: Uint8Array | string, trailers: Headers): Promise<void> {
    const bytes = this.#fitting(rest);
    if (this.#left > 0 && this.#left !== Infinity) {
      if (bytes.length > 0) await this.#events.body(bytes, true);
      throw new Error(`The response ended ${this.#left} bytes short of its content-length.`);
    }
    await this.#events.body(bytes, false);
    if (this.#hasTrailers) await this.#events.trailers(trailers);
    this.#isOver = true;
  }

  /** As much of the bytes as the announced length has room for. */
  #fitting(bytes: Uint8Array | string): Uint8Array | string {
    if (this.#left === Infinity) return bytes;
    const size = byteLength(bytes);
    if (size > this.#left) {
      this.#surplus += size - this.#left;
      const fitting = Buffer.from(bytes).subarray(0, this.#left);
      this.#left = 0;
      return fitting;
    }
    this.#left -= size;
    return bytes;
  }

  /** HTTP/1 alone has options of a connection (RFC 9113 section 8.2.2). */
  #headersOf({ headers, closes }: Head): HeaderPair[] {
    if (this.#scope.http_version?.startsWith("1") === false)
      return headers.filter(([name]) => name !== "connection" && name !== "upgrade");
    return closes ? [...headers, ["connection", "close"]] : headers;
  }
}

/** @returns bytes of a text in UTF-8. */
export function byteLength(bytes: Uint8Array | string): number {
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
}
