import { ProtocolError } from "../../errors.ts";
import { HttpExchange } from "../../exchange/http-exchange.ts";
import { runApplication } from "../../exchange/run-application.ts";
import { SseExchange } from "../../exchange/sse-exchange.ts";
import type { Http1Body, Http1Request } from "../../http1/events.ts";
import { HeadMemory } from "../../http1/head-cache.ts";
import { NO_HEAD } from "../../http1/partial-head.ts";
import type { PartialHead } from "../../http1/partial-head.ts";
import { RequestReader } from "../../http1/request-reader.ts";
import { errorResponse } from "../../http1/error-response.ts";
import { CONTINUE } from "../../http1/response-head.ts";
import type { DisconnectReason } from "../../spec/connection-state.ts";
import { isEventStreamRequest } from "../../sse/detect.ts";
import type { WebSocketExchange } from "../../exchange/websocket-exchange.ts";
import type { ExchangeParts } from "../../exchange/request-exchange.ts";
import type { ConnectionInfo } from "../../exchange/transport.ts";
import { maybeHandshake } from "../../websocket/handshake.ts";
import type { Handshake } from "../../websocket/handshake.ts";
import type { Connection, Protocol } from "../connection/connection.ts";
import type { ServerContext } from "../connection/shared.ts";
import { httpDate } from "../http-date.ts";
import { Http1Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";
import { refusalRecord } from "../refusals.ts";
import { StallWatch } from "../connection/stall-watch.ts";
import type { HandshakeOwner } from "../websocket/session.ts";

/**
 * Where an HTTP/1 connection stands: waiting for a request head (`idle`); a request is with the application
 * (`exchange`); its response is out and the rest of its body is thrown away (`discard`); nothing follows (`over`).
 */
type Phase = "idle" | "exchange" | "discard" | "over";

/**
 * What the connection's deadline is for: the next request; the rest of a request head; bytes of a body; the
 * application's answer to a client that has ended its direction. With `nothing` it may still run, and means nothing.
 */
type Timed = "next" | "head" | "body" | "answer" | "nothing";

/** A request that is with the application. */
interface Current {
  readonly exchange: HttpExchange | SseExchange | WebSocketExchange;
  readonly transport: Http1Transport;
  /** Where the request came in, as far as it is known. */
  readonly connection: ConnectionInfo;
  /** Milliseconds of the monotonic clock; 0 when nobody asks. */
  readonly startedAt: number;
  /** The application waits for a piece of the body. */
  isDemanded: boolean;
  /** The client waits for its 100 (Continue). */
  isContinueDue: boolean;
  /** Bytes that the client had taken when its time to take more began; see `#armGrace`. */
  takenAtGrace: number;
}

/** The answer to a handshake when too few descriptors are left. */
const CROWDED: ConstructorParameters<typeof ProtocolError> = [
  503,
  "Too many connections. Try again in a moment",
  "server_error",
  [["retry-after", "1"]],
];

/** Bytes received ahead of the application before reading stops. */
const READ_AHEAD = 64 * 1024;

/**
 * Bytes of a request body that are read and dropped to keep the connection after a response that did not wait for
 * them. Where more are to come, or nobody knows how many, the response says that the connection closes.
 */
const DISCARD_LIMIT = 64 * 1024;

/** Turns of the event loop in which a request that has arrived is read before its idle connection is closed. */
const LAST_TURNS = 3;

/** Readers that a server keeps for the next requests. */
const MAX_SPARE_READERS = 256;

/**
 * HTTP/1.0 and 1.1 on one connection: feeds the reader and gives one request after the other to the application.
 * RFC 9112 section 9.
 */
export class Http1Session implements Protocol, TransportOwner, HandshakeOwner {
  readonly #connection: Connection;
  /** Reads the request that comes in or is being answered; an idle connection has none. */
  #reader: RequestReader | undefined;
  /** The heads that the connection recognises. */
  #memory: HeadMemory | undefined;
  #phase: Phase = "idle";
  #current: Current | undefined;
  /** The handshake of the WebSocket that the connection has become. */
  #upgraded: Current | undefined;
  #timed: Timed = "nothing";
  #isPumping = false;
  #isHalfClosed = false;
  /** Watches the current request where `requestTimeout` is set. */
  #stallWatch: StallWatch | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#time("next", this.#server.times.header);
  }

  // ── what the connection tells ──────────────────────────────────────────────────────────────────────────────────

  get request(): string | undefined {
    return (this.#current ?? this.#upgraded)?.exchange.name;
  }

  onData(bytes: Buffer): void {
    this.#reader ??= this.#takeReader();
    this.#reader.receive(bytes);
    this.#stallWatch?.onProgress();
    this.#pump();
  }

  onEnd(): void {
    this.#isHalfClosed = true;
    if (this.#phase === "exchange") this.#onHalfClose();
    else if (this.#phase !== "over") this.#close();
  }

  onTurnEnd(): void {
    this.#current?.transport.flush();
  }

  onDrain(): void {
    if (this.#current === undefined) return;
    const { output } = this.#connection;
    if (output.size <= this.#server.host.lowWaterMark) output.detach();
    this.#current.exchange.deliverDrain();
    this.#current?.transport.onDrain();
  }

  onClose(error: Error | undefined): void {
    if (this.#current !== undefined) {
      const { output } = this.#connection;
      // It is closed already when a write has failed before the close was reported.
      const hasUnsent = output.size > 0 || output.isClosed || this.#current.transport.isAnswered;
      this.#lose(error === undefined ? "client_closed" : hasUnsent ? "write_error" : "read_error");
    }
    this.#phase = "over";
    this.#memory?.forget();
  }

  onDeadline(): void {
    const timed = this.#timed;
    this.#timed = "nothing";
    switch (timed) {
      case "next":
        this.#closeUnlessUsed(LAST_TURNS);
        return;
      case "head":
        this.#refuse(
          new ProtocolError(408, "The request head did not arrive in time (RFC 9110 section 15.5.9)"),
        );
        return;
      case "body":
        if (this.#phase === "discard") this.#close();
        else this.#refuse(bodyStalled());
        return;
      case "answer":
        this.#onGraceOver();
        return;
      case "nothing":
    }
  }

  onWriteTimeout(): void {
    this.#endExchange("write_timeout");
    this.#phase = "over";
  }

  onDrainServer(): void {
    // A connection on which a request has begun is served once more; its response says that it is the last. So is one
    // that is kept for a moment because another server follows, once the rest of its request has been read.
    if (this.#phase === "discard") {
      if (this.#server.idleGrace === 0) this.#close();
    } else if (this.#phase === "idle" && this.#readerState === "idle") this.#awaitLast();
    else this.#current?.exchange.deliverShutdown();
  }

  onCut(): void {
    this.#endExchange("server_shutdown");
    this.#phase = "over";
  }

  // ── what the transport tells ───────────────────────────────────────────────────────────────────────────────────

  onDemand(): void {
    const current = this.#current;
    if (current === undefined || this.#phase !== "exchange" || this.#readerState !== "body") return;
    current.isDemanded = true;
    if (current.isContinueDue) {
      current.isContinueDue = false;
      // Not when the body is coming already (RFC 9110 section 10.1.1), and never after the response has begun.
      const isComing = this.#reader !== undefined && this.#reader.bufferedBytes > 0;
      if (!isComing && !current.transport.hasResponse()) {
        this.#connection.output.write(CONTINUE, "", 0, "");
      }
    }
    this.#pump();
  }

  onContinued(): void {
    if (this.#current !== undefined) this.#current.isContinueDue = false;
  }

  /**
   * Decided before the head leaves, since a connection must not end without that being announced (RFC 9112 sections 9.3
   * and 9.6): a client would send its next request into it. Without its 100 (Continue) the client may or may not send
   * the body: what follows could be either, so nothing may follow.
   */
  mustClose(): boolean {
    return (
      this.#server.isDraining ||
      this.#current?.isContinueDue === true ||
      (this.#reader?.missingBodyBytes ?? 0) > DISCARD_LIMIT
    );
  }

  onDelivered(): void {
    if (this.#current === undefined) return;
    this.#stallWatch?.stop();
    this.#current.exchange.deliverCompletion();
    this.#account(this.#current);
    // The next request waits until the application has had its turn: it may be about to return.
    if (this.#phase === "exchange") this.#server.afterExchange.add(this);
  }

  onTruncated(): void {
    this.#truncate("server_error");
  }

  /** The application has had its turn after its response was delivered. */
  afterExchange(): void {
    if (this.#phase !== "exchange" || this.#current === undefined) return;
    const { transport } = this.#current;
    transport.end();
    this.#current = undefined;
    if (transport.closes || (this.#server.isDraining && this.#server.idleGrace === 0)) {
      this.#close();
      return;
    }
    if (this.#readerState === "body") {
      this.#phase = "discard";
      this.#timed = "nothing";
    } else {
      this.#awaitNext();
    }
    this.#pump();
  }

  // ── what the WebSocket tells that the connection has become ────────────────────────────────────────────────────

  onAccepted(): readonly Uint8Array[] {
    this.#upgraded = this.#current;
    this.#current?.transport.end();
    this.#current = undefined;
    this.#phase = "over";
    this.#connection.deadline.clear();
    this.#server.metrics?.webSocketBegan();
    const rest = this.#reader?.takeRest() ?? [];
    this.#reader?.nextRequest();
    this.#recycleReader();
    this.#memory?.forget();
    return rest;
  }

  onWebSocketOpen(): void {
    this.#server.metrics?.webSocketOpened();
  }

  onWebSocketEnd(sentBytes: number, status: number): void {
    this.#server.metrics?.webSocketEnded(status);
    if (this.#upgraded !== undefined) this.#logAccess(this.#upgraded, status, sentBytes);
  }

  // ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────

  get #server(): ServerContext {
    return this.#connection.context;
  }

  get #readerState(): RequestReader["state"] {
    return this.#reader?.state ?? "idle";
  }

  /** Takes from the reader what the phase has use for. The application may call back into here from within. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#takeNext()) {
        // each turn is one request head or one piece of a body
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    } finally {
      this.#isPumping = false;
    }
    this.#regulate();
  }

  #takeNext(): boolean {
    if (this.#phase === "over" || (this.#phase === "exchange" && this.#current?.isDemanded !== true))
      return false;
    const event = this.#reader?.next();
    if (event === undefined) return false;
    if (event.type === "request") this.#begin(event);
    else if (this.#phase !== "discard") this.#deliver(event);
    else if (!event.more) this.#awaitNext();
    return true;
  }

  #begin(received: Http1Request): void {
    const { host, accessLog, metrics, readProxied } = this.#server;
    const proxied = readProxied?.(this.#connection, received.headers);
    const request = proxied === undefined ? received : { ...received, headers: proxied.headers };
    const connection = proxied?.connection ?? this.#connection;
    const { hasBody } = request;
    const handshake = maybeHandshake(request);
    if (handshake !== undefined && !this.#server.hasRoomForWebSocket()) throw new ProtocolError(...CROWDED);
    const transport = new Http1Transport(this, this.#connection, request);
    const parts = { host, transport, connection, head: request, hasBody };
    const exchange =
      handshake !== undefined
        ? this.#shake(parts, handshake)
        : isEventStreamRequest(request.headers)
          ? new SseExchange(parts)
          : new HttpExchange(parts);
    const startedAt = accessLog === undefined && metrics === undefined ? 0 : performance.now();
    this.#phase = "exchange";
    this.#current = {
      exchange,
      transport,
      connection,
      startedAt,
      isDemanded: false,
      isContinueDue: request.expectContinue,
      takenAtGrace: 0,
    };
    this.#timed = "nothing";
    if (metrics !== undefined) {
      if (exchange instanceof SseExchange) metrics.streamBegan();
      else metrics.requestBegan();
    }
    this.#server.running++;
    const { journal, onSettled } = this.#server;
    const begun = handshake === undefined ? onSettled : this.#countWebSocket();
    const settled = journal?.begin(request.method, request.rawPath, begun) ?? begun;
    if (this.#server.times.request > 0 && exchange instanceof HttpExchange) this.#watch();
    runApplication(this.#server.app, exchange, settled);
    if (this.#server.isDraining) exchange.deliverShutdown();
    if (this.#isHalfClosed) this.#onHalfClose();
  }

  #countWebSocket(): () => void {
    const server = this.#server;
    server.webSockets++;
    return () => {
      server.webSockets--;
      server.onSettled();
    };
  }

  /** Loaded soon after the start: many applications have no WebSocket. */
  #shake(parts: ExchangeParts, handshake: Handshake): WebSocketExchange {
    const {
      WebSocketExchange: Exchange,
    }: typeof import("../../exchange/websocket-exchange.ts") = require("../../exchange/websocket-exchange.ts");
    const {
      Http1WebSocketOffer: Offer,
    }: typeof import("../websocket/session.ts") = require("../websocket/session.ts");
    return new Exchange(parts, new Offer(this.#connection, handshake, this));
  }

  #deliver({ bytes, more }: Http1Body): void {
    if (this.#current === undefined) return;
    this.#current.isDemanded = false;
    this.#current.exchange.deliverBody(bytes, more);
  }

  #awaitNext(): void {
    this.#phase = "idle";
    this.#reader?.nextRequest();
    if (this.#server.isDraining) this.#awaitLast();
    else this.#time("next", this.#server.times.keepAlive);
  }

  /** A request may be on its way to a connection that was kept; one that is closed now would lose it. */
  #awaitLast(): void {
    const { idleGrace } = this.#server;
    if (idleGrace === 0) this.#close();
    else this.#time("next", idleGrace);
  }

  /** Sets the deadline that fits the phase, and stops reading from a client that is too far ahead. */
  #regulate(): void {
    switch (this.#phase) {
      case "exchange":
        if (this.#current?.isDemanded === true && this.#readerState === "body")
          this.#time("body", this.#server.times.body);
        else if (this.#timed === "body") this.#timed = "nothing";
        if ((this.#reader?.bufferedBytes ?? 0) > READ_AHEAD) this.#connection.pause();
        else this.#connection.resume();
        return;
      case "discard":
        this.#connection.resume();
        // Once for all of it: nobody waits for these bytes.
        if (this.#timed !== "body") this.#time("body", this.#server.times.body);
        return;
      case "idle":
        this.#connection.resume();
        this.#regulateIdle();
        return;
      case "over":
    }
  }

  #regulateIdle(): void {
    if (this.#isHalfClosed) this.#close();
    else if (this.#readerState !== "idle") {
      if (this.#timed !== "head") this.#time("head", this.#server.times.header);
    } else this.#recycleReader();
  }

  #takeReader(): RequestReader {
    const reader = this.#server.readers.pop() ?? new RequestReader(this.#server.limits);
    reader.serve((this.#memory ??= new HeadMemory(this.#server.heads)));
    return reader;
  }

  #recycleReader(): void {
    if (this.#reader?.isFresh !== true) return;
    if (this.#server.readers.length < MAX_SPARE_READERS) this.#server.readers.push(this.#reader);
    this.#reader = undefined;
  }

  /** Begins to wait. What was waited for before is not waited for any more; its deadline moves, and is not cleared. */
  #time(what: Exclude<Timed, "nothing">, milliseconds: number): void {
    this.#timed = what;
    this.#connection.deadline.set(milliseconds);
  }

  // ── a request on which nothing moves ───────────────────────────────────────────────────────────────────────────

  #watch(): void {
    this.#stallWatch ??= new StallWatch(this.#connection, () => this.#onStall());
    this.#stallWatch.start();
  }

  /** What the request waits for decides who is at fault: the client, or the application. */
  #onStall(): void {
    const current = this.#current;
    if (!(current?.exchange instanceof HttpExchange)) return;
    const { output } = this.#connection;
    if (output.size > 0 || output.isBlocked) {
      this.onWriteTimeout();
      this.#connection.cut();
    } else if (current.isDemanded && this.#readerState === "body") this.#refuse(bodyStalled());
    else current.exchange.deliverStall(`${this.#server.times.request / 1000} s (--request-timeout)`);
  }

  // ── a client that has ended its direction ──────────────────────────────────────────────────────────────────────

  /** The application gets its answer off, if it is quick; a request that cannot be finished is lost at once. */
  #onHalfClose(): void {
    this.#deliverRest();
    if (this.#current === undefined) return;
    const isUnfinished = this.#readerState === "body";
    const isRequest = this.#current.exchange instanceof HttpExchange;
    // A write that has failed says that the client does not read either.
    const isGone = isUnfinished || !isRequest || this.#connection.output.isClosed;
    if (isGone || this.#server.times.halfClose === 0) this.#lose("client_closed");
    else this.#armGrace(this.#current);
  }

  /** Takes the rest of a request body that has arrived whole, for no more of it can come. */
  #deliverRest(): void {
    try {
      for (let event = this.#reader?.next(); event?.type === "body"; event = this.#reader?.next())
        this.#deliver(event);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    }
  }

  #armGrace(current: Current): void {
    current.takenAtGrace = this.#connection.output.taken;
    this.#time("answer", this.#server.times.halfClose);
  }

  #onGraceOver(): void {
    // A client that is really gone answers the bytes of a response with a reset. So as long as they flow, or wait
    // for it to read on (which has its own timeout), it is there.
    if (this.#current === undefined) return;
    const { output } = this.#connection;
    if (output.size > 0 || output.taken > this.#current.takenAtGrace) this.#armGrace(this.#current);
    else this.#lose("client_closed");
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Ends a connection that has been idle for too long, but not one whose next request the kernel has already: it would
   * be lost with a reset. Silently, since the client would take an answer for the answer to its next request.
   */
  #closeUnlessUsed(turns: number): void {
    if (this.#phase !== "idle" || this.#readerState !== "idle" || this.#timed !== "nothing") return;
    if (turns === 0) this.#close();
    else setImmediate(() => this.#closeUnlessUsed(turns - 1));
  }

  /** Closes in order; a client that may still be sending is read until it stops. */
  #close(): void {
    const state = this.#readerState;
    const mayBeSending = state === "body" || state === "failed" || (this.#reader?.bufferedBytes ?? 0) > 0;
    this.#phase = "over";
    if (mayBeSending && !this.#isHalfClosed) this.#connection.linger();
    else this.#connection.end();
  }

  /** The client broke a rule: it gets an answer that says so, if it still can, and nothing more is read from it. */
  #refuse(error: ProtocolError): void {
    const head = this.#reader?.partialHead ?? NO_HEAD;
    const client = this.#clientOf(head);
    this.#server.refusals.note(client, head, error);
    if (this.#current?.transport.hasLeft() === true) {
      this.#truncate(error.reason);
      return;
    }
    if (this.#phase === "discard") {
      // The request at fault has been answered already; another answer would be taken for the next one's.
      this.#close();
      return;
    }
    const text = `${error.message}.\n`;
    if (this.#current === undefined) {
      const bytes = head.method === "HEAD" ? 0 : text.length;
      this.#server.metrics?.requestRefused(error.status);
      this.#server.accessLog?.write(refusalRecord(client, head, error.status, bytes));
    } else {
      this.#current.exchange.serverAnswers();
      this.#endExchange(error.reason, error.status);
    }
    this.#phase = "over";
    const answer = errorResponse(error.status, text, httpDate(), error.headers, head.method);
    this.#connection.output.write(answer, "", 0, "");
    this.#connection.linger();
  }

  /** The client is gone, or is treated as gone. */
  #lose(reason: DisconnectReason): void {
    const endsWithConnection = this.#current?.transport.endsWithConnection === true;
    this.#endExchange(reason);
    this.#phase = "over";
    if (endsWithConnection) this.#connection.cut();
    else this.#connection.abandon();
  }

  /** The connection ends in the middle of a response, so that the client cannot take it for a whole one. */
  #truncate(reason: DisconnectReason): void {
    const endsWithConnection = this.#current?.transport.endsWithConnection === true;
    this.#connection.output.detach();
    this.#endExchange(reason);
    this.#phase = "over";
    // Where the end of the connection is the end of the body, only a reset tells the difference.
    if (endsWithConnection) this.#connection.cut();
    else this.#connection.end();
  }

  #endExchange(reason: DisconnectReason, status?: number): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#stallWatch?.stop();
    current.transport.end();
    if (current.transport.isDelivered) return; // it has been told of its end, and is in the log
    current.exchange.deliverDisconnect(reason);
    this.#account(current, status);
  }

  // ── access log and metrics ─────────────────────────────────────────────────────────────────────────────────────

  /** A request has ended, but for one that has become a WebSocket. */
  #account(current: Current, status: number = current.transport.status): void {
    const { metrics } = this.#server;
    this.#logAccess(current, status);
    if (metrics === undefined) return;
    const { exchange, startedAt } = current;
    if (exchange instanceof HttpExchange) metrics.requestEnded(status, performance.now() - startedAt);
    else if (exchange instanceof SseExchange) metrics.streamEnded(status);
    else metrics.handshakeEnded(status);
  }

  #logAccess(
    { transport, connection, startedAt }: Current,
    status: number,
    bytes: number = transport.bodyLength,
  ): void {
    const { request } = transport;
    this.#server.accessLog?.write({
      client: connection.client?.[0],
      method: request.method,
      rawPath: request.rawPath,
      queryString: request.queryString,
      httpVersion: request.httpVersion,
      status,
      bytes,
      durationMs: performance.now() - startedAt,
      headers: request.headers,
    });
  }

  /** The address of the client of a request that was refused. Proxies are believed where they sent a whole head. */
  #clientOf({ headers, isWhole }: PartialHead): string | undefined {
    const proxied = isWhole ? this.#server.readProxied?.(this.#connection, [...headers]) : undefined;
    return (proxied?.connection ?? this.#connection).client?.[0];
  }
}

function bodyStalled(): ProtocolError {
  return new ProtocolError(408, "The request body stalled (RFC 9110 section 15.5.9)", "client_timeout");
}
