import type { SseHandler, SseReceiveEvent, TransportState } from "../../src/spec/index.ts";
import { Wire } from "./wire.ts";

/** What a request for an event stream may have of its own. */
export interface StreamRequest {
  readonly method?: string;
  readonly target?: string;
  readonly version?: "1.0" | "1.1";
  /** Further field lines. */
  readonly fields?: readonly string[];
  readonly body?: string;
}

/** The bytes of a request for an event stream. A body needs its framing fields. */
export function streamRequest({
  method = "GET",
  target = "/",
  version = "1.1",
  fields = [],
  body = "",
}: StreamRequest = {}): string {
  const lines = [
    `${method} ${target} HTTP/${version}`,
    "Host: example.org",
    "Accept: text/event-stream",
    ...fields,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Connects and sends a request for an event stream. */
export async function openWire(
  address: { host: string; port: number },
  wanted?: StreamRequest,
): Promise<Wire> {
  const wire = await Wire.open(address);
  await wire.send(streamRequest(wanted));
  return wire;
}

/** Connects, asks for an event stream, and waits for its head, which is taken. */
export async function openStream(
  address: { host: string; port: number },
  wanted?: StreamRequest,
): Promise<Wire> {
  const wire = await openWire(address, wanted);
  await wire.readTo("\r\n\r\n");
  return wire;
}

/** What a promise was rejected with, or `undefined`. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Things that an application has noted, in order, for a test to wait for. */
export class Journal<T> {
  readonly entries: T[] = [];
  #news = Promise.withResolvers<void>();

  add(entry: T): void {
    this.entries.push(entry);
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** The first `count` entries, once there are that many. */
  async first(count: number): Promise<T[]> {
    while (this.entries.length < count) await this.#news.promise;
    return this.entries.slice(0, count);
  }
}

/** An application that sends events as fast as it may, until its client is gone. */
export class Flood {
  readonly #ended = Promise.withResolvers<SseReceiveEvent>();
  readonly #returned = Promise.withResolvers<void>();
  readonly #data: string;
  #transport: TransportState | undefined;
  #isOver = false;
  /** Events that `send` has resolved for. */
  sent = 0;
  reason: string | undefined;

  /** Each event has `size` bytes of data. */
  constructor(size = 16 * 1024) {
    this.#data = "x".repeat(size);
  }

  /** The event that told of the end. */
  get ended(): Promise<SseReceiveEvent> {
    return this.#ended.promise;
  }

  get returned(): Promise<void> {
    return this.#returned.promise;
  }

  get bufferedAmount(): number {
    return this.#transport?.bufferedAmount() ?? 0;
  }

  readonly handler: SseHandler = async (scope, receive, send) => {
    this.#transport = scope["pagi.transport"];
    await receive();
    await send({ type: "sse.start" });
    void receive().then((event) => {
      this.#isOver = true;
      this.reason = event.type === "sse.disconnect" ? event.reason : event.type;
      this.#ended.resolve(event);
    });
    while (!this.#isOver) {
      await send({ type: "sse.send", data: this.#data });
      this.sent++;
      if (this.sent % 16 === 0) await Bun.sleep(0);
    }
    this.#returned.resolve();
  };

  /** Resolves once the client takes nothing more: no `send` has resolved for a while, and bytes are waiting. */
  async stalled(): Promise<void> {
    for (let last = -1; last !== this.sent || this.bufferedAmount === 0;) {
      last = this.sent;
      await Bun.sleep(60);
    }
  }
}
