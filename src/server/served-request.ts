import { openExchange } from "../exchange/open-exchange.ts";
import type {
  ConnectionInfo,
  Exchange,
  RequestHead,
  ResponseHead,
  Transport,
} from "../exchange/transport.ts";
import type { FileRange } from "../exchange/file-range.ts";
import type { WebSocketOffer } from "../exchange/websocket-transport.ts";
import type { Headers } from "../spec/values.ts";
import type { ServerContext } from "./connection/shared.ts";
import type { LoggedHead, LoggedRequest } from "./request-log.ts";

/**
 * A request of this server's, of whichever version of HTTP: from its head to the application, with its records. A
 * version extends it by how its bytes go out.
 */
export abstract class ServedRequest implements Transport, LoggedRequest {
  readonly context: ServerContext;
  exchange: Exchange | undefined;
  connection: ConnectionInfo;
  head: LoggedHead | undefined;
  /** The status that was sent, or 0. */
  status = 0;
  /** Bytes of the body, without its framing, that were taken. */
  bodyLength = 0;
  startedAt = 0;
  leaveJournal: (() => void) | undefined;

  constructor(context: ServerContext, connection: ConnectionInfo, head: LoggedHead | undefined) {
    this.context = context;
    this.connection = connection;
    this.head = head;
  }

  /**
   * Calls the application, as the trusted proxies in front of the server describe the request.
   *
   * @param offer what a WebSocket handshake offers.
   */
  open(received: RequestHead, hasBody: boolean, offer?: WebSocketOffer): void {
    const { context } = this;
    const proxied = context.readProxied?.(this.connection, received.headers);
    let head = received;
    if (proxied !== undefined) {
      head = { ...received, headers: proxied.headers };
      this.head = head;
      this.connection = proxied.connection;
    }
    const { connection } = this;
    openExchange(context.app, { host: context.host, transport: this, connection, head, hasBody }, offer);
    if (context.isShuttingDown) this.exchange?.deliverShutdown();
  }

  attach(exchange: Exchange): void {
    this.exchange = exchange;
    this.context.requests.began(this);
  }

  applicationSettled(): void {
    this.context.requests.settled(this);
  }

  abstract writeInterim(eventType: string, status: number, headers: Headers): void;
  abstract writeHead(eventType: string, head: ResponseHead): void;
  abstract writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void;
  abstract writeFile(eventType: string, file: FileRange, last: boolean): Promise<void>;
  abstract writeTrailers(eventType: string, headers: Headers): void;
  abstract flush(): void;
  abstract hasResponse(): boolean;
  abstract hasLeft(): boolean;
  abstract discardHead(): void;
  abstract abort(): void;
  abstract demandBody(): void;
  abstract bufferedAmount(): number;
}
