import type { Logger } from "../../src/logging/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { Server } from "../../src/server/server.ts";
import type {
  Application,
  HttpHandler,
  SseHandler,
  WebSocketHandler,
  WebSocketReceiveEvent,
} from "../../src/spec/index.ts";
import { dispatch } from "../../src/spec/index.ts";

/** A logger that keeps what it was told, and lets a test wait for a message. */
export class RecordingLogger implements Logger {
  readonly level = "debug";
  readonly lines: { level: "error" | "warn" | "info" | "debug"; message: string; error: unknown }[] = [];
  readonly #waiting: { pattern: RegExp; resolve: () => void }[] = [];

  error = (message: string, error?: unknown): void => this.#add("error", message, error);
  warn = (message: string, error?: unknown): void => this.#add("warn", message, error);
  info = (message: string, error?: unknown): void => this.#add("info", message, error);
  debug = (message: string, error?: unknown): void => this.#add("debug", message, error);

  messages(level: "error" | "warn" | "info" | "debug"): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  /** Resolves once a message matches. */
  seen(pattern: RegExp): Promise<void> {
    if (this.lines.some((line) => pattern.test(line.message))) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  #add(level: "error" | "warn" | "info" | "debug", message: string, error: unknown): void {
    this.lines.push({ level, message, error });
    for (const each of this.#waiting) if (each.pattern.test(message)) each.resolve();
  }
}

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly logger: RecordingLogger;
}

/** Starts a server of this process on a free port. `await using` stops it at once. */
export async function startServer(app: Application, options: PartialOptions = {}): Promise<TestServer> {
  const logger = new RecordingLogger();
  const resolved = await resolveOptions({ port: 0, env: "production", validateEvents: true, ...options });
  const server = new Server(app, resolved, logger);
  await server.start();
  const address = server.listeners.find((each) => each.type === "tcp");
  return {
    server,
    logger,
    host: address?.host ?? "",
    port: address?.port ?? 0,
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server.stop({ force: true });
    },
  };
}

/** A server with one http handler. */
export function startHttp(http: HttpHandler, options?: PartialOptions): Promise<TestServer> {
  return startServer(dispatch({ http }), options);
}

/** A server with one sse handler. */
export function startSse(sse: SseHandler, options?: PartialOptions): Promise<TestServer> {
  return startServer(dispatch({ sse }), options);
}

/** A server with one websocket handler. */
export function startWebSocket(websocket: WebSocketHandler, options?: PartialOptions): Promise<TestServer> {
  return startServer(dispatch({ websocket }), options);
}

/** A websocket handler that sends back every message, and tells `onEvent` of everything that it receives. */
export function echoMessages(onEvent?: (event: WebSocketReceiveEvent) => void): WebSocketHandler {
  return async (_scope, receive, send) => {
    for (;;) {
      const event = await receive();
      onEvent?.(event);
      switch (event.type) {
        case "websocket.connect":
          await send({ type: "websocket.accept" });
          break;
        case "websocket.receive":
          await send(
            event.text === undefined
              ? { type: "websocket.send", bytes: event.bytes }
              : { type: "websocket.send", text: event.text },
          );
          break;
        case "websocket.disconnect":
          return;
      }
    }
  };
}

/** An http handler that reads the request body and answers with what it saw, as JSON. */
export const echo: HttpHandler = async (scope, receive, send) => {
  const chunks: Uint8Array[] = [];
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== "http.request") return;
    chunks.push(event.body);
    more = event.more;
  }
  const { method, path, raw_path, query_string, headers, http_version } = scope;
  const body = Buffer.concat(chunks).toString("latin1");
  const text = JSON.stringify({ method, path, raw_path, query_string, headers, http_version, body });
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-length", String(Buffer.byteLength(text))]],
  });
  await send({ type: "http.response.body", body: text });
};

/** An http handler that answers `200` with a text. */
export function text(body: string): HttpHandler {
  return async (_scope, _receive, send) => {
    const headers: [string, string][] = [
      ["content-type", "text/plain"],
      ["content-length", String(Buffer.byteLength(body))],
    ];
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body });
  };
}
