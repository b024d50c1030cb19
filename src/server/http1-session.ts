import { EventError, ProtocolError } from "../errors.ts";
import type { FileRange } from "../exchange/file-range.ts";
import { HttpExchange } from "../exchange/http-exchange.ts";
import { runApplication } from "../exchange/run.ts";
import { SseExchange } from "../exchange/sse-exchange.ts";
import type { ResponseHead, Transport } from "../exchange/transport.ts";
import { RequestReader } from "../http1/request-reader.ts";
import type { Http1Body, Http1Request } from "../http1/request-reader.ts";
import {
  CONTINUE,
  LAST_CHUNK,
  chunkPrefix,
  errorResponse,
  planResponse,
  trailerSection,
} from "../http1/response-head.ts";
import type { ResponsePlan } from "../http1/response-head.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { Headers } from "../spec/values.ts";
import { isEventStreamRequest } from "../sse/detect.ts";
import type { Connection, Protocol } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { httpDate } from "./http-date.ts";
import { pumpFile, readChunks, readWhole } from "./send-file.ts";
import type { TurnEnd } from "./turn-queue.ts";

/**
 * Where an HTTP/1 connection stands: waiting for a request head (`idle`); a request is with the application
 * (`exchange`); its response is out and the rest of its body is thrown away (`discard`); nothing follows (`over`).
 */
type Phase = "idle" | "exchange" | "discard" | "over";

/** Bytes received ahead of the application before reading stops. */
const READ_AHEAD = 64 * 1024;

/** Bytes of an unread request body that are read away to keep the connection; beyond them it is closed. */
const DISCARD_LIMIT = 64 * 1024;

/** A file up to this size, in bytes, is read at once and leaves together with the head. */
const SMALL_FILE = 64 * 1024;

/**
 * HTTP/1.0 and 1.1 on one connection: feeds the reader, gives one request after the other to the application, and is
 * the transport of the exchange that runs. RFC 9112 section 9.
 */
export class Http1Session implements Protocol, Transport, TurnEnd {
  readonly #connection: Connection;
  readonly #server: ServerContext;
  readonly #reader: RequestReader;
  #phase: Phase = "idle";
  /** The time for a request head runs; on a new connection it does from the start. */
  #isTimingHead = true;
  #pumping = false;
  #halfClosed = false;
  #takenAtGrace = 0;

  // The request that is with the application.
  #exchange: HttpExchange | SseExchange | undefined;
  #request: Http1Request | undefined;
  #startedAt = 0;
  #demanded = false;
  #continueDue = false;

  // Its response.
  #plan: ResponsePlan | undefined;
  #status = 0;
  /** The head, as long as it has not left. */
  #held = "";
  #bodyLength = 0;
  #answered = false;

  #discardLeft = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#server = connection.server;
    this.#reader = new RequestReader(connection.server.limits);
    connection.deadline.set(this.#server.times.header);
  }

  // ── Protocol: what the connection tells ────────────────────────────────────────────────────────────────────────

  onData(bytes: Buffer): void {
    this.#reader.receive(bytes);
    this.#pump();
  }

  onEnd(): void {
    this.#halfClosed = true;
    if (this.#phase === "exchange") this.#onHalfClose();
    else if (this.#phase === "idle" || this.#phase === "discard") this.#close();
  }

  onDrain(): void {
    if (this.#phase !== "exchange") return;
    const { output } = this.#connection;
    if (output.size <= this.#server.host.lowWaterMark) output.detach();
    this.#exchange?.deliverDrain();
    if (this.#answered && output.size === 0) this.#delivered();
  }

  onClose(error: Error | undefined): void {
    if (this.#phase === "exchange") {
      const reason = error === undefined ? "client_closed" : this.#hasUnsent() ? "write_error" : "read_error";
      this.#lose(reason);
    }
    this.#phase = "over";
  }

  onDeadline(): void {
    switch (this.#phase) {
      case "idle":
        // A connection on which no byte came is closed without a word: it may be one that a browser opened ahead of
        // its need, and an answer to no request would be taken for the answer to the next one.
        if (this.#reader.state === "idle") this.#close();
        else
          this.#refuse(
            new ProtocolError(408, "The request head did not arrive in time (RFC 9110 section 15.5.9)."),
          );
        return;
      case "exchange":
        if (this.#halfClosed) this.#onGraceOver();
        else
          this.#refuse(
            new ProtocolError(408, "The request body stalled (RFC 9110 section 15.5.9).", "client_timeout"),
          );
        return;
      case "discard":
        this.#close();
        return;
      case "over":
    }
  }

  onWriteTimeout(): void {
    if (this.#phase === "exchange") this.#lose("write_timeout");
  }

  onDrainServer(): void {
    // A connection on which a request has begun is served once more; its response says that it is the last.
    if (this.#phase === "idle" && this.#reader.state === "idle") this.#close();
    else this.#exchange?.deliverShutdown();
  }

  onCut(): void {
    if (this.#phase === "exchange") this.#lose("server_shutdown");
  }

  // ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes from the reader what the phase has use for. The application may call back into here from within. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#takeNext()) {
        // each turn is one request head or one piece of a body
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    } finally {
      this.#pumping = false;
    }
    this.#regulate();
  }

  #takeNext(): boolean {
    if (this.#phase === "over" || (this.#phase === "exchange" && !this.#demanded)) return false;
    const event = this.#reader.next();
    if (event === undefined) return false;
    if (event.type === "request") this.#begin(event);
    else if (this.#phase === "discard") this.#discard(event);
    else {
      this.#demanded = false;
      this.#exchange?.deliverBody(event.bytes, event.more);
    }
    return true;
  }

  #begin(request: Http1Request): void {
    const { host, accessLog } = this.#server;
    const { hasBody } = request;
    const parts = { host, transport: this, connection: this.#connection.info, head: request, hasBody };
    this.#phase = "exchange";
    this.#isTimingHead = false;
    this.#request = request;
    this.#continueDue = request.expectContinue && request.hasBody;
    this.#demanded = false;
    this.#plan = undefined;
    this.#status = 0;
    this.#held = "";
    this.#bodyLength = 0;
    this.#answered = false;
    this.#connection.deadline.clear();
    if (accessLog !== undefined) this.#startedAt = performance.now();
    const exchange = isEventStreamRequest(request.headers) ? new SseExchange(parts) : new HttpExchange(parts);
    this.#exchange = exchange;
    this.#server.running++;
    runApplication(this.#server.app, exchange, this.#settled);
    if (this.#server.isDraining) exchange.deliverShutdown();
    if (this.#halfClosed) this.#onHalfClose();
  }

  readonly #settled = (): void => {
    this.#server.running--;
    this.#server.onSettled();
  };

  /** Sets the deadline that fits the phase, and stops reading from a client that is too far ahead. */
  #regulate(): void {
    const { deadline } = this.#connection;
    if (this.#phase === "exchange") {
      const waitsForBody = this.#demanded && this.#reader.state === "body";
      if (waitsForBody) deadline.set(this.#server.times.body);
      else if (!this.#halfClosed) deadline.clear();
    } else if (this.#phase === "discard") {
      deadline.set(this.#server.times.body);
    } else if (this.#phase === "idle" && !this.#isTimingHead && this.#reader.state !== "idle") {
      this.#isTimingHead = true;
      deadline.set(this.#server.times.header);
    }
    if (this.#reader.bufferedBytes > READ_AHEAD && this.#phase === "exchange") this.#connection.pause();
    else this.#connection.resume();
  }

  #discard({ bytes, more }: Http1Body): void {
    this.#discardLeft -= bytes.byteLength;
    if (!more) this.#awaitNext();
    else if (this.#discardLeft < 0) this.#close();
  }

  /** The application gets its answer off, if it is quick; a request that cannot be finished is lost at once. */
  #onHalfClose(): void {
    this.#deliverRest();
    if (this.#phase !== "exchange") return;
    const unfinished = this.#reader.state === "body";
    const grace = this.#server.times.halfClose;
    if (unfinished || grace === 0 || this.#exchange instanceof SseExchange) this.#lose("client_closed");
    else this.#armGrace();
  }

  #armGrace(): void {
    this.#takenAtGrace = this.#connection.output.taken;
    this.#connection.deadline.set(this.#server.times.halfClose);
  }

  /** Takes the rest of a request body that has arrived whole, for no more of it can come. */
  #deliverRest(): void {
    try {
      for (let event = this.#reader.next(); event?.type === "body"; event = this.#reader.next()) {
        this.#demanded = false;
        this.#exchange?.deliverBody(event.bytes, event.more);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    }
  }

  #onGraceOver(): void {
    // A client that is really gone answers the bytes of a response with a reset. So as long as they flow, or wait
    // for it to read on (which has its own timeout), it is there.
    const { output } = this.#connection;
    if (output.size > 0 || output.taken > this.#takenAtGrace) this.#armGrace();
    else this.#lose("client_closed");
  }

  // ── Transport: what the exchange asks for ──────────────────────────────────────────────────────────────────────

  demandBody(): void {
    if (this.#phase !== "exchange" || this.#reader.state !== "body") return;
    this.#demanded = true;
    if (this.#continueDue) {
      this.#continueDue = false;
      // Not when the body is coming already (RFC 9110 section 10.1.1), and never after the response has begun.
      if (this.#reader.bufferedBytes === 0 && this.#plan === undefined) this.#write(CONTINUE, "", 0, "");
    }
    this.#pump();
  }

  writeHead(eventType: string, head: ResponseHead): void {
    const request = this.#request;
    if (request === undefined) return;
    // Without its 100 the client may or may not send the body: what follows could be either, so nothing may follow.
    const last = this.#server.isDraining || this.#continueDue;
    this.#plan = planResponse(
      request,
      eventType,
      last ? { ...head, connection: head.connection ?? "close" } : head,
      httpDate(),
    );
    this.#status = head.status;
    this.#held = this.#plan.head;
    this.#server.turn.add(this);
  }

  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    const length = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
    switch (plan.framing) {
      case "none":
        this.#write(this.#takeHeld(), "", 0, "");
        break;
      case "length":
        this.#checkLength(eventType, plan.length, length);
        this.#write(this.#takeHeld(), bytes, length, "");
        break;
      case "chunked":
        if (length === 0) this.#write(this.#takeHeld(), "", 0, last ? LAST_CHUNK : "");
        else
          this.#write(
            this.#takeHeld() + chunkPrefix(length),
            bytes,
            length,
            last ? `\r\n${LAST_CHUNK}` : "\r\n",
          );
        break;
      case "close":
        this.#write(this.#takeHeld(), bytes, length, "");
        break;
    }
    if (plan.framing !== "none") this.#bodyLength += length;
    if (last) this.#answer(eventType, plan);
  }

  async writeFile(eventType: string, file: FileRange, last: boolean): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    if (plan.framing === "none") {
      this.writeBody(eventType, "", last);
      return;
    }
    const { source, seekable, length } = file;
    if (typeof source === "number" && seekable && length !== undefined) {
      if (length <= SMALL_FILE)
        this.writeBody(eventType, readWhole(eventType, source, file.offset, length), last);
      else await this.#writeDescriptor(eventType, plan, source, file.offset, length, last);
      return;
    }
    const exchange = this.#exchange;
    for await (const chunk of readChunks(file)) {
      if (this.#exchange !== exchange || this.#phase !== "exchange") return;
      this.writeBody(eventType, chunk, false);
      await this.#connection.output.whenWritable();
    }
    if (this.#exchange === exchange && this.#phase === "exchange") this.writeBody(eventType, "", last);
  }

  async #writeDescriptor(
    eventType: string,
    plan: ResponsePlan,
    descriptor: number,
    offset: number,
    length: number,
    last: boolean,
  ): Promise<void> {
    const isChunked = plan.framing === "chunked";
    if (plan.framing === "length") this.#checkLength(eventType, plan.length, length);
    const exchange = this.#exchange;
    this.#write(this.#takeHeld() + (isChunked ? chunkPrefix(length) : ""), "", 0, "");
    const sent = await pumpFile(this.#connection.output, descriptor, offset, length);
    if (this.#exchange !== exchange || this.#phase !== "exchange") return;
    this.#bodyLength += sent;
    if (sent < length) {
      this.#truncate();
      throw new EventError(
        eventType,
        undefined,
        `the file ended ${length - sent} bytes early; the response is cut`,
      );
    }
    if (isChunked) this.#write("", "", 0, last ? `\r\n${LAST_CHUNK}` : "\r\n");
    if (last) this.#answer(eventType, plan);
  }

  writeTrailers(eventType: string, headers: Headers): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    const section = trailerSection(eventType, headers);
    this.#write(this.#takeHeld(), "", 0, plan.framing === "chunked" ? section : "");
    this.#answer(eventType, plan);
  }

  flush(): void {
    if (this.#held !== "") this.#write(this.#takeHeld(), "", 0, "");
  }

  onTurnEnd(): void {
    this.flush();
  }

  hasResponse(): boolean {
    return this.#plan !== undefined;
  }

  hasLeft(): boolean {
    return this.#plan !== undefined && this.#held === "";
  }

  discardHead(): void {
    this.#plan = undefined;
    this.#held = "";
  }

  abort(): void {
    if (this.#phase !== "exchange") return;
    this.#truncate();
  }

  bufferedAmount(): number {
    return this.#connection.output.size;
  }

  // ── responses ──────────────────────────────────────────────────────────────────────────────────────────────────

  #write(prefix: string, body: Uint8Array | string, bodyLength: number, suffix: string): void {
    const { output } = this.#connection;
    output.write(prefix, body, bodyLength, suffix);
    if (output.size > 0 && output.size < this.#server.host.highWaterMark) output.detach();
  }

  #takeHeld(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  #checkLength(eventType: string, declared: number, more: number): void {
    const excess = this.#bodyLength + more - declared;
    if (excess <= 0) return;
    throw new EventError(
      eventType,
      "body",
      `is ${excess} bytes longer than the content-length of ${declared} allows`,
    );
  }

  /** The response has been given to the output whole. */
  #answer(eventType: string, plan: ResponsePlan): void {
    if (plan.framing === "length" && this.#bodyLength < plan.length) {
      const missing = plan.length - this.#bodyLength;
      this.#truncate();
      throw new EventError(
        eventType,
        "body",
        `is ${missing} bytes shorter than the content-length of ${plan.length}`,
      );
    }
    this.#answered = true;
    if (this.#connection.output.size === 0) this.#delivered();
  }

  /** The response has been given to the kernel whole. */
  #delivered(): void {
    this.#exchange?.deliverCompletion();
    this.#logAccess();
    // The next request waits until the application has had its turn: it may be about to return.
    if (this.#phase === "exchange") queueMicrotask(this.#afterExchange);
  }

  readonly #afterExchange = (): void => {
    if (this.#phase !== "exchange") return;
    this.#exchange = undefined;
    if (this.#plan?.close === true || this.#server.isDraining) this.#close();
    else if (this.#reader.state === "body") {
      this.#phase = "discard";
      this.#discardLeft = DISCARD_LIMIT;
      this.#pump();
    } else {
      this.#awaitNext();
      this.#pump();
    }
  };

  #awaitNext(): void {
    this.#phase = "idle";
    this.#request = undefined;
    this.#reader.nextRequest();
    if (this.#server.isDraining || (this.#halfClosed && this.#reader.bufferedBytes === 0)) this.#close();
    else this.#connection.deadline.set(this.#server.times.keepAlive);
  }

  /** Closes in order; a client that may still be sending is read until it stops. */
  #close(): void {
    const hasRest =
      this.#reader.state === "body" || this.#reader.state === "failed" || this.#reader.bufferedBytes > 0;
    this.#phase = "over";
    if (hasRest && !this.#halfClosed) this.#connection.linger();
    else this.#connection.end();
  }

  /** The client broke a rule: it is told, if it still can be, and nothing more is read from it. */
  #refuse(error: ProtocolError): void {
    this.#server.logger.debug(`${this.#clientName()}: ${error.status} ${error.message}`);
    if (this.#phase === "exchange") {
      const canBeTold = !this.hasLeft() && !this.#answered;
      this.#endExchange(error.reason);
      if (!canBeTold) {
        this.#truncate();
        return;
      }
    }
    this.#status = error.status;
    this.#logAccess();
    this.#phase = "over";
    this.#write(errorResponse(error.status, error.message, httpDate()), "", 0, "");
    this.#connection.linger();
  }

  /** The client is gone, or is treated as gone. */
  #lose(reason: DisconnectReason): void {
    this.#endExchange(reason);
    this.#logAccess();
    this.#phase = "over";
    this.#connection.abandon();
  }

  /** Ends the connection in the middle of a response, so that the client cannot take it for a whole one. */
  #truncate(): void {
    this.#endExchange("server_error");
    this.#logAccess();
    this.#phase = "over";
    // Where the end of the connection is the end of the body, only a reset tells the difference.
    if (this.#plan?.framing === "close") this.#connection.cut();
    else this.#connection.end();
  }

  #endExchange(reason: DisconnectReason): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#held = "";
    exchange?.deliverDisconnect(reason);
  }

  #hasUnsent(): boolean {
    return this.#connection.output.size > 0 || this.#answered;
  }

  #clientName(): string {
    return this.#connection.info.client?.join(":") ?? "unix";
  }

  #logAccess(): void {
    const { accessLog } = this.#server;
    if (accessLog === undefined) return;
    const request = this.#request;
    accessLog.write({
      client: this.#connection.info.client?.[0],
      method: request?.method ?? "-",
      rawPath: request?.rawPath ?? "-",
      queryString: request?.queryString ?? "",
      httpVersion: request?.httpVersion ?? "-",
      status: this.#status,
      bytes: this.#bodyLength,
      durationMs: request === undefined ? 0 : performance.now() - this.#startedAt,
      headers: request?.headers ?? [],
    });
  }
}
