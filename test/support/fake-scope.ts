import type {
  ConnectionState,
  DisconnectReason,
  HeaderPair,
  HttpScope,
  ReceiveEvent,
  SendEvent,
  SseScope,
  TransportState,
  WebSocketScope,
} from "../../src/spec/index.ts";

// The server's side of one scope without a server: for tests of the application side.

const TRANSPORT: TransportState = {
  bufferedAmount: () => 0,
  highWaterMark: () => 65536,
  lowWaterMark: () => 16384,
  onHighWater() {},
  onDrain() {},
};

/** A connection that a test can lose. */
export class Connection implements ConnectionState {
  readonly #callbacks: ((reason: DisconnectReason) => void)[] = [];
  readonly signal = new AbortController().signal;
  #reason: DisconnectReason | undefined;

  isConnected(): boolean {
    return this.#reason === undefined;
  }
  disconnectReason(): DisconnectReason | undefined {
    return this.#reason;
  }
  onDisconnect(callback: (reason: DisconnectReason) => void): void {
    if (this.#reason === undefined) this.#callbacks.push(callback);
    else callback(this.#reason);
  }
  onComplete(): void {}
  whenDisconnected(): Promise<DisconnectReason> {
    return new Promise((resolve) => this.onDisconnect(resolve));
  }
  responseStarted(): boolean {
    return false;
  }
  responseComplete(): boolean {
    return false;
  }
  lose(reason: DisconnectReason): void {
    this.#reason = reason;
    for (const callback of this.#callbacks) callback(reason);
  }
}

/** Keys of a request that a test wants otherwise. */
export type Wanted = Partial<Omit<HttpScope, "type" | "pagi.connection">>;

/** What all request scopes share. */
export const REQUEST = {
  pagi: { version: "0.3", spec_version: "0.3" },
  state: {},
  http_version: "1.1" as const,
  method: "GET",
  path: "/",
  raw_path: "/",
  query_string: "",
  root_path: "",
  headers: [["host", "example.org"]] satisfies HeaderPair[],
  server: ["127.0.0.1", 5000] satisfies [string, number],
  extensions: {},
  "pagi.transport": TRANSPORT,
};

/** An `http` scope: GET / over HTTP/1.1, unless wanted otherwise. */
export function httpScope(wanted: Wanted = {}): HttpScope & { "pagi.connection": Connection } {
  return { ...REQUEST, type: "http", scheme: "http", ...wanted, "pagi.connection": new Connection() };
}

/** An `sse` scope, as {@link httpScope}. */
export function sseScope(wanted: Wanted = {}): SseScope {
  return { ...REQUEST, type: "sse", scheme: "http", ...wanted };
}

/** A `websocket` scope, whose server can deny with a response, unless wanted otherwise. */
export function webSocketScope(
  wanted: Omit<Wanted, "scheme"> & { subprotocols?: string[] } = {},
): WebSocketScope {
  const extensions = { "websocket.http.response": {} };
  return { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [], extensions, ...wanted };
}

/** The server's side of one scope: `put` what comes in, look at what was sent. */
export function server(...incoming: ReceiveEvent[]) {
  const waiting: ((event: ReceiveEvent) => void)[] = [];
  const sent: SendEvent[] = [];
  const watchers: (() => void)[] = [];
  let received = 0;
  return {
    sent,
    /** How many times `receive` was called. */
    received: () => received,
    put(event: ReceiveEvent): void {
      const next = waiting.shift();
      if (next === undefined) incoming.push(event);
      else next(event);
    },
    receive: (): Promise<ReceiveEvent> => {
      received += 1;
      const event = incoming.shift();
      if (event !== undefined) return Promise.resolve(event);
      return new Promise((resolve) => waiting.push(resolve));
    },
    send: async (event: SendEvent): Promise<void> => {
      sent.push(event);
      for (const watcher of watchers.splice(0)) watcher();
    },
    /** Resolves once `count` events have been sent. */
    async sentAtLeast(count: number): Promise<void> {
      while (sent.length < count) await new Promise<void>((resolve) => watchers.push(resolve));
    },
  };
}

/** The UTF-8 bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The text of body bytes, or of a body that is a string. */
export const text = (chunk: unknown): string =>
  typeof chunk === "string" ? chunk : chunk instanceof Uint8Array ? new TextDecoder().decode(chunk) : "";

/** Status, headers and body of what was sent. */
export function response(sent: SendEvent[]) {
  const [start, ...rest] = sent;
  if (
    start?.type !== "http.response.start" &&
    start?.type !== "sse.http.response.start" &&
    start?.type !== "websocket.http.response.start"
  ) {
    throw new Error(`no response start, but ${start?.type}`);
  }
  const body = rest.map((event) => ("body" in event ? text(event.body) : "")).join("");
  return { status: start.status, headers: start.headers ?? [], body };
}
