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
