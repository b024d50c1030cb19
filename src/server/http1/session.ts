import { ProtocolError } from "../../errors.ts";
import { answerError } from "../../exchange/answer-error.ts";
import type { RequestError } from "../../exchange/answer-error.ts";
import type { ConnectionInfo } from "../../exchange/transport.ts";
import type { WebSocketOffer } from "../../exchange/websocket-transport.ts";
import type { Http1Body, Http1Request } from "../../http1/events.ts";
import { HeadMemory } from "../../http1/head-cache.ts";
import { NO_HEAD } from "../../http1/partial-head.ts";
import type { PartialHead } from "../../http1/partial-head.ts";
import { RequestReader } from "../../http1/request-reader.ts";
import { CONTINUE } from "../../http1/response-head.ts";
import type { RequestTraits } from "../../http1/response-head.ts";
import type { DisconnectReason } from "../../spec/connection-state.ts";
import { maybeHandshake } from "../../websocket/handshake.ts";
import type { Handshake } from "../../websocket/handshake.ts";
import type { Connection, Protocol } from "../connection/connection.ts";
import type { ServerContext } from "../connection/shared.ts";
import { StallWatch } from "../connection/stall-watch.ts";
import { loggedHead } from "../request-log.ts";
import type { LoggedHead } from "../request-log.ts";
import type { HandshakeOwner } from "../websocket/session.ts";
import { ActiveRequest } from "./active-request.ts";
import type { RequestOwner } from "./active-request.ts";
import { PHASES } from "./phases.ts";
import type { Phase, PhaseNode, PhaseStep, Wait } from "./phases.ts";

/** The answer to a handshake when too few descriptors are left, and to a connection that is one too many. */
const CROWDED = { status: 503, text: "Too many connections. Try again in a moment" } as const;
const RETRY_SOON: [string, string][] = [["retry-after", "1"]];

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

/** How a response is framed for a client whose request head is not known. */
const UNKNOWN: RequestTraits = { httpVersion: "1.1", method: "-", keepAlive: false };

/**
 * HTTP/1.0 and 1.1 on one connection: feeds the reader and gives one request after the other to the application. What
 * happens when stands in the table of `phases.ts`; how it is done, here. RFC 9112 section 9.
 */
export class Http1Session implements Protocol, RequestOwner, HandshakeOwner {
  readonly #connection: Connection;
  /** Reads the request that comes in or is being answered; an idle connection has none. */
  #reader: RequestReader | undefined;
  /** The heads that the connection recognises. */
  #memory: HeadMemory | undefined;
  #at: PhaseNode = PHASES.idle;
  #current: ActiveRequest | undefined;
  /** The handshake of the WebSocket that the connection has become. */
  #upgraded: ActiveRequest | undefined;
  #isPumping = false;
  /** Watches the current request where `requestTimeout` is set. */
  #stallWatch: StallWatch | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.deadline.set(this.#server.times.header);
  }

  // ── what the connection reports ────────────────────────────────────────────────────────────────────────────────

  get request(): string | undefined {
    return (this.#current ?? this.#upgraded)?.exchange?.name;
  }

  onData(bytes: Buffer): void {
    this.#reader ??= this.#takeReader();
    this.#reader.receive(bytes);
    this.#stallWatch?.onProgress();
    this.#pump();
  }

  onEnd(): void {
    // Of a request body that has arrived whole, the rest is delivered first: no more of it can come.
    if (this.#current !== undefined && this.#phase !== "delivered") this.#deliverRest();
    this.#take(this.#at.on[this.#isAnswerable() ? "fin, answerable" : "fin"]);
  }

  onTurnEnd(): void {
    this.#current?.flush();
  }

  onWritable(): void {
    if (this.#current === undefined) return;
    const { output } = this.#connection;
    if (output.size <= this.#server.host.lowWaterMark) output.detach();
    this.#current.exchange?.deliverDrain();
    this.#current?.onWritable();
  }

  onClose(error: Error | undefined): void {
    if (this.#current !== undefined) {
      const { output } = this.#connection;
      // It is closed already when a write has failed before the close was reported.
      const hasUnsent = output.size > 0 || output.isClosed || this.#current.isAnswered;
      this.#endRequest(error === undefined ? "client_closed" : hasUnsent ? "write_error" : "read_error");
    }
    this.#take(this.#at.on.lost);
    this.#memory?.forget();
  }

  onLost(reason: DisconnectReason): void {
    this.#endRequest(reason);
    this.#take(this.#at.on.lost);
  }

  onDeadline(): void {
    if (this.#phase !== "answer") {
      this.#take(this.#at.on.deadline);
      if (this.#phase === "expiring") this.#closeUnlessUsed(LAST_TURNS);
      return;
    }
    const { output } = this.#connection;
    const isFlowing = output.size > 0 || output.taken > (this.#current?.takenAtGrace ?? 0);
    this.#take(this.#at.on[isFlowing ? "deadline, flowing" : "deadline"]);
  }

  onShutDown(): void {
    this.#take(this.#at.on[this.#server.idleGrace > 0 ? "shutdown, followed" : "shutdown"]);
  }

  /** The connection is one too many: it is answered before anything is read from it. */
  turnAway(): void {
    const { logger } = this.#server;
    const client = this.#connection.client?.[0] ?? "unix";
    this.#take(this.#at.on["turned away"]);
    this.#answer(undefined, "-", {
      status: CROWDED.status,
      text: `${CROWDED.text}.`,
      headers: RETRY_SOON,
      reason: "server_error",
      log: () => logger.debug(`${client}: a connection was turned away: ${CROWDED.text}`),
    });
  }

  // ── what the request reports ───────────────────────────────────────────────────────────────────────────────────

  onDemand(): void {
    const current = this.#current;
    if (current === undefined || this.#readerState !== "body") return;
    this.#take(this.#at.on.demand);
    if (current.isContinueDue) {
      current.isContinueDue = false;
      // Not when the body is coming already (RFC 9110 section 10.1.1), and never after the response has begun.
      const isComing = this.#reader !== undefined && this.#reader.bufferedBytes > 0;
      if (!isComing && !current.hasResponse()) this.#connection.output.write(CONTINUE, "", 0, "");
    }
    this.#pump();
  }

  /**
   * Decided before the head leaves, since a connection must not end without that being announced (RFC 9112 sections 9.3
   * and 9.6): a client would send its next request into it. Without its 100 (Continue) the client may or may not send
   * the body: what follows could be either, so nothing may follow.
   */
  mustClose(): boolean {
    return (
      this.#server.isShuttingDown ||
      this.#current?.isContinueDue === true ||
      (this.#reader?.missingBodyBytes ?? 0) > DISCARD_LIMIT
    );
  }

  isFollowed(): boolean {
    const reader = this.#reader;
    return (
      reader !== undefined &&
      reader.bufferedBytes > 0 &&
      reader.state === "complete" &&
      this.#current?.closes === false
    );
  }

  onDelivered(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#stallWatch?.stop();
    current.exchange?.deliverCompletion();
    this.#server.requests.ended(current);
    this.#take(this.#at.on.delivered);
    if (this.#phase !== "delivered") return;
    if (this.#isQuiet(current)) this.#finish(current);
    // The next request waits until the application has had its turn: it may be about to return.
    else this.#server.afterExchange.add(this);
  }

  onTruncated(): void {
    this.#take(this.#at.on.truncated);
  }

  /** The application has had its turn after its response was delivered. */
  afterExchange(): void {
    if (this.#phase !== "delivered" || this.#current === undefined) return;
    this.#finish(this.#current);
    this.#pump();
  }

  // ── what the WebSocket reports that the connection has become ──────────────────────────────────────────────────

  onAccepted(): readonly Uint8Array[] {
    this.#upgraded = this.#current;
    this.#current?.end();
    this.#current = undefined;
    this.#take(this.#at.on.upgraded);
    this.#connection.deadline.clear();
    this.#server.requests.webSocketBegan();
    const rest = this.#reader?.takeRest() ?? [];
    this.#reader?.nextRequest();
    this.#recycleReader();
    this.#memory?.forget();
    return rest;
  }

  onWebSocketFailed(error: Error | undefined): void {
    const { logger } = this.#server;
    answerError(new ActiveRequest(this, this.#connection, UNKNOWN, undefined), {
      status: 503,
      text: "No WebSocket can be opened now. Try again in a moment.",
      reason: "server_error",
      log: () => logger.error("no WebSocket could be opened", error),
    });
  }

  onWebSocketOpen(): void {
    this.#server.requests.webSocketOpened();
  }

  onWebSocketEnd(sentBytes: number, status: number): void {
    if (this.#upgraded !== undefined) this.#server.requests.webSocketEnded(this.#upgraded, status, sentBytes);
  }

  // ── the phases ─────────────────────────────────────────────────────────────────────────────────────────────────

  get #server(): ServerContext {
    return this.#connection.context;
  }

  get #readerState(): RequestReader["state"] {
    return this.#reader?.state ?? "idle";
  }

  get #phase(): Phase {
    return this.#at.phase;
  }

  /** Takes a step that the phase has for an event, if it has one. `fault` goes with the event of that name. */
  #take(step: PhaseStep | undefined, fault?: ProtocolError): void {
    if (step === undefined) return;
    this.#at = step.to;
    if (step.wait !== undefined) this.#await(step.wait);
    switch (step.action) {
      case undefined:
        return;
      case "close":
        if (this.#mayBeSending()) this.#connection.lingeringClose();
        else this.#connection.closeWhenFlushed();
        return;
      case "linger":
        this.#connection.lingeringClose();
        return;
      case "lose":
        this.#lose();
        return;
      case "truncate":
        this.#truncate();
        return;
      case "refuse":
        if (fault !== undefined) this.#refuse(fault);
        return;
      case "late head":
        this.#refuse(
          new ProtocolError(408, "The request head did not arrive in time (RFC 9110 section 15.5.9)"),
        );
        return;
      case "late body":
        this.#refuse(
          new ProtocolError(408, "The request body stalled (RFC 9110 section 15.5.9)", "client_timeout"),
        );
        return;
      case "notify":
        this.#current?.exchange?.deliverShutdown();
    }
  }

  /** Begins to wait. The deadline of what was waited for before moves, and is not cleared. */
  #await(wait: Wait): void {
    const { times, idleGrace } = this.#server;
    const { deadline, output } = this.#connection;
    switch (wait) {
      case "next request":
        deadline.set(times.keepAlive);
        return;
      case "last request":
        deadline.set(idleGrace);
        return;
      case "head":
        deadline.set(times.header);
        return;
      case "body":
        deadline.set(times.body);
        return;
      case "answer":
        if (this.#current !== undefined) this.#current.takenAtGrace = output.taken;
        deadline.set(times.halfClose);
        return;
      case "nothing":
    }
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
      this.#fault(error);
    } finally {
      this.#isPumping = false;
    }
    this.#settle();
  }

  #takeNext(): boolean {
    const reads = this.#at.reads;
    if (reads === "nothing") return false;
    const event = this.#reader?.next();
    if (event === undefined) return false;
    if (event.type === "request") this.#begin(event);
    else if (reads === "body") this.#deliver(event);
    else if (!event.more) this.#awaitNext();
    return true;
  }

  #begin(request: Http1Request): void {
    const handshake = maybeHandshake(request);
    if (handshake !== undefined && !this.#server.hasRoomForWebSocket())
      throw new ProtocolError(CROWDED.status, CROWDED.text, "server_error", RETRY_SOON);
    const current = new ActiveRequest(this, this.#connection, request, request);
    current.isContinueDue = request.expectContinue;
    this.#take(this.#at.on.request);
    this.#current = current;
    if (this.#server.times.request > 0) this.#watch();
    current.open(request, request.hasBody, handshake && this.#offer(handshake));
    if (current.exchange?.kind !== "http") this.#stallWatch?.stop();
    if (this.#current === current && this.#connection.isHalfClosed) this.onEnd();
  }

  /** Loaded soon after the start: many applications have no WebSocket. */
  #offer(handshake: Handshake): WebSocketOffer {
    const {
      Http1WebSocketOffer: Offer,
    }: typeof import("../websocket/offer.ts") = require("../websocket/offer.ts");
    return new Offer(this.#connection, handshake, this);
  }

  #deliver({ bytes, more }: Http1Body): void {
    this.#take(this.#at.on.piece);
    this.#current?.exchange?.deliverBody(bytes, more);
  }

  /** Takes the rest of a request body that has arrived whole. */
  #deliverRest(): void {
    try {
      for (let event = this.#reader?.next(); event?.type === "body"; event = this.#reader?.next())
        this.#deliver(event);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fault(error);
    }
  }

  /** Whether the client of a request may still read its answer. A write that has failed says that it does not. */
  #isAnswerable(): boolean {
    const current = this.#current;
    if (current === undefined) return false;
    const { kind } = current.exchange ?? { kind: "http" };
    return (
      kind === "http" &&
      this.#readerState !== "body" &&
      !this.#connection.output.isClosed &&
      this.#server.times.halfClose > 0
    );
  }

  /** Nothing more has come, and nothing has to be done before it may come: the request can end at once. */
  #isQuiet(current: ActiveRequest): boolean {
    const reader = this.#reader;
    return (
      !current.closes &&
      !this.#server.isShuttingDown &&
      !this.#connection.isHalfClosed &&
      !this.#connection.isPaused &&
      reader !== undefined &&
      reader.state === "complete" &&
      reader.bufferedBytes === 0
    );
  }

  /** Ends a request whose response was delivered. */
  #finish(current: ActiveRequest): void {
    current.end();
    const isRefused = current.exchange === undefined;
    this.#current = undefined;
    if (isRefused) this.#take(this.#at.on.refused);
    else if (current.closes || (this.#server.isShuttingDown && this.#server.idleGrace === 0))
      this.#take(this.#at.on.end);
    else if (this.#readerState === "body") this.#take(this.#at.on.unread);
    else this.#awaitNext();
    if (this.#phase === "idle") this.#recycleReader();
  }

  #awaitNext(): void {
    this.#reader?.nextRequest();
    if (!this.#server.isShuttingDown) this.#take(this.#at.on.next);
    else this.#take(this.#at.on[this.#server.idleGrace === 0 ? "end" : "next, last"]);
  }

  /** After the reader has given what there was: what the connection waits for now, and whether it reads on. */
  #settle(): void {
    switch (this.#at.reads) {
      case "head":
        if (this.#connection.isHalfClosed) this.#take(this.#at.on.fin);
        else if (this.#readerState !== "idle") this.#take(this.#at.on["partial head"]);
        else this.#recycleReader();
        break;
      case "body":
        this.#take(this.#at.on.progress);
        break;
      case "rest":
        break;
      case "nothing":
        // A client that is too far ahead waits.
        if (this.#phase !== "over" && (this.#reader?.bufferedBytes ?? 0) > READ_AHEAD) {
          this.#connection.pause();
          return;
        }
    }
    if (this.#phase !== "over") this.#connection.resume();
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

  // ── a request on which nothing moves ───────────────────────────────────────────────────────────────────────────

  #watch(): void {
    this.#stallWatch ??= new StallWatch(this.#connection, () => this.#onStall());
    this.#stallWatch.start();
  }

  /** What the request waits for decides who is at fault: the client, or the application. */
  #onStall(): void {
    const exchange = this.#current?.exchange;
    if (exchange?.kind !== "http") return;
    const { output } = this.#connection;
    if (output.size > 0 || output.isBlocked) {
      this.onLost("write_timeout");
      this.#connection.reset();
    } else if (this.#phase === "body") this.#take(this.#at.on.deadline);
    else exchange.deliverStall(`${this.#server.times.request / 1000} s (--request-timeout)`);
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Ends a connection that has been idle for too long, but not one whose next request the kernel has already: it would
   * be lost with a reset. Silently, since the client would take an answer for the answer to its next request.
   */
  #closeUnlessUsed(turns: number): void {
    if (turns === 0) this.#take(this.#at.on.quiet);
    else if (this.#phase === "expiring") setImmediate(() => this.#closeUnlessUsed(turns - 1));
  }

  /** A client that may still be sending is read until it stops, or its bytes would reset the connection. */
  #mayBeSending(): boolean {
    const state = this.#readerState;
    return state === "body" || state === "failed" || (this.#reader?.bufferedBytes ?? 0) > 0;
  }

  /** The client has broken a rule. */
  #fault(error: ProtocolError): void {
    const isAnswered = this.#phase === "discard";
    this.#take(this.#at.on.fault, error);
    if (isAnswered) this.#note(this.#partialHead, error);
  }

  /** The client gets an answer that says which rule it has broken, if it still can, and nothing more is read from it. */
  #refuse(error: ProtocolError): void {
    const head = this.#partialHead;
    const { method = "-" } = head;
    this.#answer(loggedHead(head), method, {
      status: error.status,
      text: `${error.message}.\n`,
      headers: error.headers,
      reason: error.reason,
      log: () => this.#note(head, error),
    });
  }

  /** The server answers in the application's place. A request that did not get there has no exchange. */
  #answer(record: LoggedHead | undefined, method: string, error: RequestError): void {
    if (this.#current === undefined) {
      const traits = { httpVersion: "1.1", method, keepAlive: false } as const;
      this.#current = new ActiveRequest(this, this.#connection, traits, record);
      this.#current.connection = this.#origin(this.#partialHead);
    }
    answerError(this.#current, error, this.#current.exchange);
  }

  #note(head: PartialHead, error: ProtocolError): void {
    this.#server.requests.refused(this.#origin(head).client?.[0], head, error);
  }

  get #partialHead(): PartialHead {
    return this.#reader?.partialHead ?? NO_HEAD;
  }

  /** Where a request came from that was refused. Proxies are believed where they sent a whole head. */
  #origin({ headers, isWhole }: PartialHead): ConnectionInfo {
    const proxied = isWhole ? this.#server.readProxied?.(this.#connection, [...headers]) : undefined;
    return proxied?.connection ?? this.#connection;
  }

  /** The client is gone, or is treated as gone. */
  #lose(): void {
    const endsWithConnection = this.#current?.endsWithConnection === true;
    this.#endRequest("client_closed");
    if (endsWithConnection) this.#connection.reset();
    else this.#connection.close();
  }

  /** The connection ends in the middle of a response, so that the client cannot take it for a whole one. */
  #truncate(): void {
    const endsWithConnection = this.#current?.endsWithConnection === true;
    this.#connection.output.detach();
    this.#endRequest("server_error");
    // Where the end of the connection is the end of the body, only a reset tells the difference.
    if (endsWithConnection) this.#connection.reset();
    else this.#connection.closeWhenFlushed();
  }

  #endRequest(reason: DisconnectReason): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#stallWatch?.stop();
    current.end();
    if (current.isDelivered) return; // its end was reported, and is in the log
    current.exchange?.deliverDisconnect(reason);
    this.#server.requests.ended(current);
  }
}
