import type { DisconnectReason } from "./connection-state.ts";
import type { FileSource, Flag, Headers, Maybe } from "./values.ts";

// Every event of PAGI 0.3, by the name of its `type`. Received events have all their fields; in sent events an
// optional field may be absent, `undefined` or `null`. Source: PAGI Www and PAGI Lifespan.

// ── http ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A fragment of the request body, de-chunked. */
export interface HttpRequest {
  type: "http.request";
  body: Uint8Array;
  more: boolean;
}

/** The response was delivered, or the client has gone. */
export interface HttpDisconnect {
  type: "http.disconnect";
}

/**
 * A response before the response, such as 103 (Early Hints); any number may come before `http.response.start`. With 101
 * (Switching Protocols) HTTP ends: nothing may follow, and this server closes the connection. Needs
 * `extensions["http.response.interim"]`. Source: RFC 9110 section 15.2.
 */
export interface HttpResponseInterim {
  type: "http.response.interim";
  /** 100 to 199. */
  status: number;
  headers?: Maybe<Headers>;
}

/** Status and header section of the response. */
export interface HttpResponseStart {
  type: "http.response.start";
  /** A final status code, 200 to 999. */
  status: number;
  headers?: Maybe<Headers>;
  /** True when `http.response.trailers` will follow the body. Default false. */
  trailers?: Maybe<Flag>;
}

/** A part of a response body: bytes, a file by its path, or a file that the application has opened. */
type ResponseBody<Type> =
  | {
      type: Type;
      /** Default: no bytes. A string is sent as UTF-8. */
      body?: Maybe<Uint8Array | string>;
      /** True when more of the body follows. Default false. */
      more?: Maybe<Flag>;
      file?: null | undefined;
      fh?: null | undefined;
    }
  | (FileRange & { type: Type; file: string; body?: null | undefined; fh?: null | undefined })
  | (FileRange & { type: Type; fh: FileSource; body?: null | undefined; file?: null | undefined });

/** A part of the response body. */
export type HttpResponseBody = ResponseBody<"http.response.body">;

interface FileRange {
  /** Bytes to skip at the start. Default 0. */
  offset?: Maybe<number>;
  /** Bytes to send at most. Default: to the end. */
  length?: Maybe<number>;
  /** Ignored: a file always completes the body. */
  more?: Maybe<Flag>;
}

/** Trailer fields, after the body of a response whose start said `trailers`. */
export interface HttpResponseTrailers {
  type: "http.response.trailers";
  headers?: Maybe<Headers>;
}

/** Sends at once what the server still holds back, in `http` and `sse` scopes. Needs `extensions.fullflush`. */
export interface HttpFullflush {
  type: "http.fullflush";
}

export type HttpReceiveEvent = HttpRequest | HttpDisconnect;
export type HttpSendEvent =
  HttpResponseInterim | HttpResponseStart | HttpResponseBody | HttpResponseTrailers | HttpFullflush;

// ── sse ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A fragment of the request body. */
export interface SseRequest {
  type: "sse.request";
  body: Uint8Array;
  more: boolean;
}

/** The stream has ended: the client has gone, or the server shuts down. */
export interface SseDisconnect {
  type: "sse.disconnect";
  /** A standard reason, or the reason that the application itself gave with `sse.close`. */
  reason: DisconnectReason | (string & {});
}

/** Opens the event stream. Content-Type and Cache-Control are supplied where absent. */
export interface SseStart {
  type: "sse.start";
  /** Default 200. */
  status?: Maybe<number>;
  headers?: Maybe<Headers>;
}

/** One dispatch. */
export interface SseSend {
  type: "sse.send";
  /** The payload; each of its lines becomes a `data:` line. */
  data: string;
  /** No CR or LF. */
  event?: Maybe<string>;
  /** No CR, LF or NUL. */
  id?: Maybe<string>;
  /** Milliseconds. */
  retry?: Maybe<number>;
}

/** A comment line, which browsers ignore. */
export interface SseComment {
  type: "sse.comment";
  comment: string;
}

/** Sends a comment every `interval` seconds from now on; 0 stops that. */
export interface SseKeepalive {
  type: "sse.keepalive";
  /** Seconds. */
  interval: number;
  /** Default empty. */
  comment?: Maybe<string>;
}

/** Ends the stream now, before the application returns. */
export interface SseClose {
  type: "sse.close";
  /** For logs only; it is never sent. */
  reason?: Maybe<string>;
}

/** Declines the stream: an ordinary response begins. */
export interface SseHttpResponseStart {
  type: "sse.http.response.start";
  status: number;
  headers?: Maybe<Headers>;
}

/** A part of the body of the response that declines the stream. */
export type SseHttpResponseBody = ResponseBody<"sse.http.response.body">;

export type SseReceiveEvent = SseRequest | SseDisconnect;
export type SseSendEvent =
  | SseStart
  | SseSend
  | SseComment
  | SseKeepalive
  | SseClose
  | SseHttpResponseStart
  | SseHttpResponseBody
  | HttpFullflush;

// ── websocket ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The client asks for a WebSocket; answer with accept, close or a denial response. */
export interface WebSocketConnect {
  type: "websocket.connect";
}

/** A message: exactly one of `text` and `bytes`. */
export type WebSocketReceive =
  | { type: "websocket.receive"; text: string; bytes?: undefined }
  | { type: "websocket.receive"; bytes: Uint8Array; text?: undefined };

/** The connection is closed. */
export interface WebSocketDisconnect {
  type: "websocket.disconnect";
  code: number;
  reason: string;
}

/** Accepts the handshake. */
export interface WebSocketAccept {
  type: "websocket.accept";
  subprotocol?: Maybe<string>;
  headers?: Maybe<Headers>;
}

/** A message: exactly one of `text` and `bytes`. */
export type WebSocketSend =
  | { type: "websocket.send"; text: string; bytes?: null | undefined }
  | { type: "websocket.send"; bytes: Uint8Array; text?: null | undefined };

/** Pings every `interval` seconds and closes when nothing comes back for `timeout` seconds; interval 0 stops that. */
export interface WebSocketKeepalive {
  type: "websocket.keepalive";
  /** Seconds. */
  interval: number;
  /** Seconds. */
  timeout?: Maybe<number>;
}

/** Closes the connection, or refuses the handshake with 403. */
export interface WebSocketClose {
  type: "websocket.close";
  /** Default 1000. */
  code?: Maybe<number>;
  /** At most 123 bytes of UTF-8. Default empty. */
  reason?: Maybe<string>;
}

/** Refuses the handshake with an ordinary response. Needs `extensions['websocket.http.response']`. */
export interface WebSocketHttpResponseStart {
  type: "websocket.http.response.start";
  status: number;
  headers?: Maybe<Headers>;
}

/** The body of the response that refuses the handshake. */
export interface WebSocketHttpResponseBody {
  type: "websocket.http.response.body";
  body?: Maybe<Uint8Array | string>;
  more?: Maybe<Flag>;
}

export type WebSocketReceiveEvent = WebSocketConnect | WebSocketReceive | WebSocketDisconnect;
export type WebSocketSendEvent =
  | WebSocketAccept
  | WebSocketSend
  | WebSocketKeepalive
  | WebSocketClose
  | WebSocketHttpResponseStart
  | WebSocketHttpResponseBody;

// ── lifespan ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The server is about to accept connections. */
export interface LifespanStartup {
  type: "lifespan.startup";
}

/** The server has closed its connections. */
export interface LifespanShutdown {
  type: "lifespan.shutdown";
}

/** Startup is done. */
export interface LifespanStartupComplete {
  type: "lifespan.startup.complete";
}

/** Startup failed: the server must not start. */
export interface LifespanStartupFailed {
  type: "lifespan.startup.failed";
  /** Default empty. */
  message?: Maybe<string>;
}

/** Shutdown is done. */
export interface LifespanShutdownComplete {
  type: "lifespan.shutdown.complete";
}

/** Shutdown failed; the server ends all the same. */
export interface LifespanShutdownFailed {
  type: "lifespan.shutdown.failed";
  /** Default empty. */
  message?: Maybe<string>;
}

export type LifespanReceiveEvent = LifespanStartup | LifespanShutdown;
export type LifespanSendEvent =
  LifespanStartupComplete | LifespanStartupFailed | LifespanShutdownComplete | LifespanShutdownFailed;

// ── all ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything `receive` can resolve with; narrow it by `type`. */
export type ReceiveEvent = HttpReceiveEvent | SseReceiveEvent | WebSocketReceiveEvent | LifespanReceiveEvent;

/** Everything `send` can be called with. */
export type SendEvent = HttpSendEvent | SseSendEvent | WebSocketSendEvent | LifespanSendEvent;
