import type { FileRange } from "./file-range.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { TlsExtension } from "../spec/scope.ts";
import type { ByteString, Headers } from "../spec/values.ts";

// The seam between the wire and PAGI's rules. Whatever speaks a protocol (HTTP/1.1 now) offers a `Transport` for
// each request and calls the `Exchange`; nothing on the exchange's side knows which protocol it is.

/** A request as every version of HTTP can put it. */
export interface RequestHead {
  readonly httpVersion: "1.0" | "1.1" | "2" | "3";
  readonly method: ByteString;
  /** The path of the request target, without the query. */
  readonly rawPath: ByteString;
  /** What follows `?`, or empty. */
  readonly queryString: ByteString;
  /** In wire order, names in lower case; repeated `cookie` fields are not joined yet. */
  readonly headers: Headers;
}

/** Where the request came in. One object serves all requests of a connection, unless a proxy says more of each. */
export interface ConnectionInfo {
  readonly secure: boolean;
  readonly client: readonly [host: string, port: number] | undefined;
  readonly server: readonly [host: string, port: number] | readonly [path: string, port: null];
  /** What is known of its TLS; one object for the whole connection, or none where it is plain. */
  readonly tls: TlsExtension | undefined;
  /** Where a proxy says that it has mounted the application; absent leaves that to the server's options. */
  readonly rootPath?: string;
}

/** A response head that has passed the event's own checks, though not yet the header checks of the wire. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Headers;
  /** True when trailer fields will follow the body. */
  readonly trailers: boolean;
  /**
   * What an HTTP/1 response says of its connection beyond what it must: `close` ends the connection after it;
   * `keep-alive` is said in words where the connection stays, as PAGI Www asks of SSE ("Start SSE").
   */
  readonly connection?: "close" | "keep-alive";
}

/** Towards the client: what an exchange can do to the wire. All of it is for one request only. */
export interface Transport {
  /** The exchange of this request is made; its application is called next. Called once, before anything else. */
  attach(exchange: Exchange): void;
  /** The application has returned or thrown, and the exchange has dealt with that. Called once, after `attach`. */
  applicationSettled(): void;
  /**
   * Sends an interim response at once; its status is 1xx and not 101. Absent where the transport has no way to.
   *
   * @throws EventError for a header that cannot be sent.
   */
  writeInterim?(eventType: string, status: number, headers: Headers): void;
  /**
   * Takes the response head. It may be held back until the first body bytes, a flush or the end of the turn.
   *
   * @throws EventError for a header that cannot be sent.
   */
  writeHead(eventType: string, head: ResponseHead): void;
  /**
   * Takes body bytes; `last` ends the body. `bytes` may be reused by its owner once `send` has resolved.
   *
   * @throws EventError when the body grows past the declared Content-Length, or ends short of it.
   */
  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void;
  /** Takes a file as the (rest of the) body; `last` is false only when trailers follow. Resolves when it is taken. */
  writeFile(eventType: string, file: FileRange, last: boolean): Promise<void>;
  /**
   * Takes the trailer section, which ends the response.
   *
   * @throws EventError for a field that cannot be sent.
   */
  writeTrailers(eventType: string, headers: Headers): void;
  /** Sends what is held back. */
  flush(): void;
  /** True once there is a response head, held back or not. */
  hasResponse(): boolean;
  /** True once a byte of the response has been given to the operating system. */
  hasLeft(): boolean;
  /** Forgets a response head that has not left, so that another can take its place. */
  discardHead(): void;
  /** Ends the connection (or stream) so that the client sees a truncated response. */
  abort(): void;
  /** The application waits for request body bytes. */
  demandBody(): void;
  /** Bytes taken and not yet handed to the operating system. */
  bufferedAmount(): number;
}

/** Towards the application: what the wire reports to an exchange. */
export interface Exchange {
  /** The type of its scope. */
  readonly kind: "http" | "sse" | "websocket";
  /** Method and path, for log lines. From the client, not escaped. */
  readonly name: string;
  /** A fragment of the request body; `more` is false on the last one. */
  deliverBody(bytes: Uint8Array, more: boolean): void;
  /** The client is gone or the request was cut. Only the first of this and `deliverCompletion` counts. */
  deliverDisconnect(reason: DisconnectReason): void;
  /** The wire answers in the application's place; `deliverDisconnect` follows. */
  serverAnswers(): void;
  /** Buffered bytes have been handed to the operating system. */
  deliverDrain(): void;
  /** The whole response has been handed to the operating system. */
  deliverCompletion(): void;
  /** The server begins to shut down; live streams are notified. */
  deliverShutdown(): void;
  /** Nothing has been read or written for so long that the server waits no longer. `limit` says for how long. */
  deliverStall(limit: string): void;
}
