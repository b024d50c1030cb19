import {
  createWSMessageEvent,
  defineWebSocketHelper,
  WSContext,
  type WSEvents,
  type WSReadyState,
} from "hono/ws";
import { requireEnvironment } from "./environment.ts";
import { HANDSHAKE, type HandshakeTaker } from "./handshake.ts";
import { ABNORMAL_CLOSURE, INTERNAL_ERROR, POLICY_VIOLATION } from "../../src/spec/close-code.ts";
import type { WebSocketReceive, WebSocketSendEvent } from "../../src/spec/events.ts";
import { checkOptions, either, limit, oneOf, TEXT, type OptionRules } from "../../src/spec/option-rules.ts";
import type { WebSocketScope } from "../../src/spec/scope.ts";
import type { Headers as HeaderList } from "../../src/spec/values.ts";

export interface UpgradeOptions {
  /**
   * The subprotocol to choose; it must be one that the client offers. Default: a `Sec-WebSocket-Protocol` that the
   * handler has set on its response, else the first one that the client offers, as Hono's other adapters do; `null`
   * chooses none.
   */
  readonly protocol?: string | null | undefined;
  /**
   * Bytes that may wait for a client that reads too slowly; with more of them it is closed with 1008. Default 16 MiB.
   * `ws.send` cannot wait, so nothing else bounds what a fast sender fills the memory with.
   */
  readonly maxBuffered?: number | undefined;
}

const UPGRADE_RULES: OptionRules<UpgradeOptions> = {
  protocol: either(TEXT, oneOf(null)),
  maxBuffered: limit(0),
};

const MAX_BUFFERED = 16 * 2 ** 20;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Fields that belong to the handshake itself, or to a body that it does not have. RFC 6455 section 4.2.2. */
const NOT_OF_THE_ROUTE =
  /^(?:connection|upgrade|sec-websocket-.*|content-(?:type|length)|transfer-encoding)$/;

const helper = defineWebSocketHelper<WebSocketScope, UpgradeOptions>((c, events, options) => {
  const handshake = requireEnvironment(c, "upgradeWebSocket()")[HANDSHAKE];
  if (handshake === undefined) return undefined;
  handshake.taker = (receive, send, headers) =>
    new Socket(handshake.scope, new URL(c.req.url), events, send).run(receive, headers, options);
  return c.newResponse(null, 101);
});

/**
 * Hono's helper for WebSockets: `upgradeWebSocket((c) => ({ onOpen, onMessage, onClose, onError }))` as a handler, or
 * `upgradeWebSocket(c, events)` within one. The handshake is accepted once the route's middleware is done; headers that
 * it has set go with it. To refuse it, return another response instead. A request that is no handshake goes on to the
 * next handler.
 *
 * `ws.raw` is the scope; its `pagi.transport` tells how much waits to be sent, since `ws.send` cannot wait. An error in
 * a handler goes to `onError`; where there is none, the connection closes with 1011 and the server logs the error.
 *
 * @throws TypeError where another server than a PAGI server runs the application.
 */
export const upgradeWebSocket = new Proxy(helper, {
  // The options are checked where the route is made, and not with the first handshake.
  apply(target, self, given) {
    checkOptions<UpgradeOptions>(
      "upgradeWebSocket",
      UPGRADE_RULES,
      (typeof given[0] === "function" ? given[1] : given[2]) ?? {},
    );
    return Reflect.apply(target, self, given);
  },
});

/** One WebSocket, between Hono's events and PAGI's. */
class Socket {
  readonly #events: WSEvents<WebSocketScope>;
  readonly #scope: WebSocketScope;
  readonly #send: (event: WebSocketSendEvent) => Promise<void>;
  readonly #url: URL;
  #readyState: WSReadyState = CONNECTING;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    scope: WebSocketScope,
    url: URL,
    events: WSEvents<WebSocketScope>,
    send: (event: WebSocketSendEvent) => Promise<void>,
  ) {
    this.#scope = scope;
    this.#url = url;
    this.#url.protocol = `${scope.scheme}:`;
    this.#events = events;
    this.#send = send;
  }

  /** Accepts the handshake and lives until the connection has ended. */
  async run(
    receive: Parameters<HandshakeTaker>[0],
    headers: Headers,
    options: UpgradeOptions = {},
  ): Promise<void> {
    const protocol = this.#protocol(headers, options);
    await this.#send({
      type: "websocket.accept",
      subprotocol: protocol ?? null,
      headers: ownFields(headers),
    });
    this.#readyState = OPEN;
    const ws = this.#context(protocol, options.maxBuffered ?? MAX_BUFFERED);
    const { onOpen, onMessage, onClose } = this.#events;
    if (onOpen !== undefined) this.#call(() => onOpen(new Event("open"), ws), ws);
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.receive" && onMessage !== undefined) {
        this.#call(() => onMessage(createWSMessageEvent(dataOf(event, ws.binaryType)), ws), ws);
      } else if (event.type === "websocket.disconnect") {
        const { code, reason } = event;
        this.#readyState = CLOSED;
        const closed = new CloseEvent("close", { code, reason, wasClean: code !== ABNORMAL_CLOSURE });
        if (onClose !== undefined) await this.#call(() => onClose(closed, ws), ws);
        break;
      }
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #protocol(headers: Headers, { protocol }: UpgradeOptions): string | undefined {
    if (protocol !== undefined) return protocol ?? undefined;
    return headers.get("sec-websocket-protocol") ?? this.#scope.subprotocols[0];
  }

  #context(protocol: string | undefined, maxBuffered: number): WSContext<WebSocketScope> {
    const readyState = (): WSReadyState => this.#readyState;
    const ws: WSContext<WebSocketScope> = new WSContext<WebSocketScope>({
      send: (data) => {
        if (this.#readyState !== OPEN) return;
        // A copy: whoever calls this cannot know how long the bytes wait.
        this.#give(
          typeof data === "string"
            ? { type: "websocket.send", text: data }
            : { type: "websocket.send", bytes: new Uint8Array(data).slice() },
          ws,
        );
        if (this.#scope["pagi.transport"].bufferedAmount() > maxBuffered)
          ws.close(POLICY_VIOLATION, "reads too slowly");
      },
      close: (code, reason) => {
        if (this.#readyState !== OPEN) return;
        this.#readyState = CLOSING;
        this.#give({ type: "websocket.close", code: code ?? null, reason: reason ?? null }, ws);
      },
      get readyState() {
        return readyState();
      },
      raw: this.#scope,
      url: this.#url,
      protocol: protocol ?? "",
    });
    return ws;
  }

  /** Hono's methods cannot wait, nor say what went wrong. */
  #give(event: WebSocketSendEvent, ws: WSContext<WebSocketScope>): void {
    this.#send(event).catch((error: unknown) => this.#fail(error, ws));
  }

  /** Runs a handler. One that is async is not waited for, so that messages come as they do on any other server. */
  #call(handler: () => unknown, ws: WSContext<WebSocketScope>): Promise<void> {
    const fail = (error: unknown): void => this.#fail(error, ws);
    try {
      return Promise.resolve(handler()).then(() => {}, fail);
    } catch (error) {
      fail(error);
      return Promise.resolve();
    }
  }

  #fail(error: unknown, ws: WSContext<WebSocketScope>): void {
    try {
      if (this.#events.onError !== undefined) {
        const message = error instanceof Error ? error.message : String(error);
        this.#events.onError(new ErrorEvent("error", { error, message }), ws);
        return;
      }
      this.#failure ??= { error };
    } catch (thrown) {
      this.#failure ??= { error: thrown };
    }
    // The error is thrown once the connection has closed, for the server to log.
    this.#send({ type: "websocket.close", code: INTERNAL_ERROR }).catch(() => {});
  }
}

function ownFields(headers: Headers): HeaderList {
  const fields: HeaderList = [];
  headers.forEach((value, name) => {
    if (!NOT_OF_THE_ROUTE.test(name)) fields.push([name, value]);
  });
  return fields;
}

function dataOf({ text, bytes }: WebSocketReceive, binaryType: string): string | ArrayBuffer | Blob {
  if (bytes === undefined) return text;
  const copy = new Uint8Array(bytes).buffer; // not by slice(), which for a Buffer is no copy
  return binaryType === "blob" ? new Blob([copy]) : copy;
}
