import { assertNotLonger, tooShort } from "../../exchange/declared-length.ts";
import { EventError } from "../../errors.ts";
import type { FileRange } from "../../exchange/file-range.ts";
import type { ResponseHead, Transport } from "../../exchange/transport.ts";
import type { Http1Request } from "../../http1/events.ts";

import {
  LAST_CHUNK,
  chunkPrefix,
  interimHead,
  planResponse,
  trailerSection,
} from "../../http1/response-head.ts";
import type { ResponsePlan } from "../../http1/response-head.ts";
import type { Headers } from "../../spec/values.ts";
import type { Connection } from "../connection/connection.ts";
import { httpDate } from "../http-date.ts";

/** A file up to this size, in bytes, is read at once and leaves together with the head. */
const SMALL_FILE = 64 * 1024;

/** The session that a transport belongs to. */
export interface TransportOwner {
  /** The application waits for body bytes. */
  onDemand(): void;
  /** The application has sent 100 (Continue) itself. */
  onContinued(): void;
  /** Whether the connection has to close after a response that begins now. */
  mustClose(): boolean;
  /** The response has been given to the kernel whole. */
  onDelivered(): void;
  /** The response ends here, incomplete. */
  onTruncated(): void;
}

/** One response on an HTTP/1 connection: its head, its framing and its bytes. RFC 9112 sections 4, 6 and 7. */
export class Http1Transport implements Transport {
  readonly #owner: TransportOwner;
  readonly #connection: Connection;
  readonly request: Http1Request;
  #plan: ResponsePlan | undefined;
  /** The head, as long as it has not left. */
  #held = "";
  #bodyLength = 0;
  #isAnswered = false;
  #isDelivered = false;
  /** The request has ended; whatever the application still does must not reach the next one. */
  #isOver = false;
  #status = 0;

  constructor(owner: TransportOwner, connection: Connection, request: Http1Request) {
    this.#owner = owner;
    this.#connection = connection;
    this.request = request;
  }

  // ── what the exchange asks for ─────────────────────────────────────────────────────────────────────────────────

  demandBody(): void {
    if (!this.#isOver) this.#owner.onDemand();
  }

  writeInterim(eventType: string, status: number, headers: Headers): void {
    if (this.#isOver) return;
    const head = interimHead(eventType, status, headers);
    if (status === 100) this.#owner.onContinued();
    this.#write(head, "", 0, "", false);
  }

  writeHead(eventType: string, head: ResponseHead): void {
    if (this.#isOver) return;
    const outgoing = this.#owner.mustClose() ? { ...head, connection: "close" as const } : head;
    this.#plan = planResponse(this.request, eventType, outgoing, httpDate());
    this.#status = head.status;
    this.#held = this.#plan.head;
    this.#connection.atTurnEnd();
  }

  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    const length = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
    switch (plan.framing) {
      case "none":
        this.#write(this.#takeHeld(), "", 0, "", !last);
        break;
      case "length":
        assertNotLonger(eventType, plan.length, this.#bodyLength + length);
        this.#write(this.#takeHeld(), bytes, length, "", !last);
        break;
      case "chunked":
        if (length === 0) this.#write(this.#takeHeld(), "", 0, last ? LAST_CHUNK : "", !last);
        else {
          const prefix = this.#takeHeld() + chunkPrefix(length);
          this.#write(prefix, bytes, length, last ? `\r\n${LAST_CHUNK}` : "\r\n", !last);
        }
        break;
      case "close":
        this.#write(this.#takeHeld(), bytes, length, "", !last);
        break;
    }
    if (plan.framing !== "none") this.#bodyLength += length;
    if (last) this.#answer(eventType, plan);
  }

  async writeFile(eventType: string, file: FileRange, last: boolean): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    if (plan.framing === "none") {
      this.writeBody(eventType, "", last);
      return;
    }
    const { readWhole } = fileSender();
    const { source, seekable, offset, length } = file;
    if (typeof source === "number" && seekable && length !== undefined) {
      if (length <= SMALL_FILE) this.writeBody(eventType, readWhole(eventType, source, offset, length), last);
      else await this.#writeDescriptor(eventType, plan, source, offset, length, last);
    } else {
      await this.#writeStream(eventType, file, last);
    }
  }

  writeTrailers(eventType: string, headers: Headers): void {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    const section = trailerSection(eventType, headers);
    this.#write(this.#takeHeld(), "", 0, plan.framing === "chunked" ? section : "", false);
    this.#answer(eventType, plan);
  }

  flush(): void {
    if (this.#isOver) return;
    if (this.#held !== "") this.#write(this.#takeHeld(), "", 0, "", false);
    else this.#connection.output.release();
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
    if (!this.#isOver) this.#owner.onTruncated();
  }

  bufferedAmount(): number {
    if (this.#isOver) return 0;
    const { output, context } = this.#connection;
    // A connection that a write has found closed takes nothing more. An application that sends without end has to wait
    // until it is told, or the event loop would never get to telling it.
    return output.isClosed ? context.host.highWaterMark : output.size;
  }

  // ── what the session asks for ──────────────────────────────────────────────────────────────────────────────────

  /** The status that was sent, or 0. */
  get status(): number {
    return this.#status;
  }

  /** Bytes of the body, without its framing, that were taken. */
  get bodyLength(): number {
    return this.#bodyLength;
  }

  /** The response has been given to the output whole. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** The response has been given to the kernel whole. */
  get isDelivered(): boolean {
    return this.#isDelivered;
  }

  /** The connection closes after this response. */
  get closes(): boolean {
    return this.#plan?.close === true;
  }

  /** Only the end of the connection tells the client that the body is over. */
  get endsWithConnection(): boolean {
    return this.#plan?.framing === "close";
  }

  /** Bytes have left the output. */
  onDrain(): void {
    const { output } = this.#connection;
    // A lost connection is empty too; its close is about to be told.
    if (!this.#isAnswered || this.#isDelivered || this.#isOver || output.size > 0 || output.isClosed) return;
    this.#isDelivered = true;
    this.#owner.onDelivered();
  }

  /** Nothing more is written for this request. */
  end(): void {
    this.#isOver = true;
    this.#held = "";
  }

  // ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #write(
    prefix: string,
    body: Uint8Array | string,
    bodyLength: number,
    suffix: string,
    mayWait: boolean,
  ): void {
    const { output, context } = this.#connection;
    const { highWaterMark } = context.host;
    // Bytes that wait for more must not be what makes the application wait.
    const holds = mayWait && output.size + prefix.length + bodyLength + suffix.length < highWaterMark;
    output.write(prefix, body, bodyLength, suffix, holds);
    if (output.size > 0 && output.size < highWaterMark) output.detach();
  }

  #takeHeld(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  #answer(eventType: string, plan: ResponsePlan): void {
    if (plan.framing === "length" && this.#bodyLength < plan.length) {
      this.#owner.onTruncated();
      throw tooShort(eventType, plan.length, this.#bodyLength);
    }
    this.#isAnswered = true;
    this.onDrain();
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
    if (plan.framing === "length") assertNotLonger(eventType, plan.length, this.#bodyLength + length);
    this.#write(this.#takeHeld() + (isChunked ? chunkPrefix(length) : ""), "", 0, "", true);
    const sent = await fileSender().pumpFile(this.#connection, descriptor, offset, length);
    if (this.#isOver) return;
    this.#bodyLength += sent;
    if (this.#connection.output.isClosed) return;
    if (sent < length) {
      this.#owner.onTruncated();
      throw new EventError(
        eventType,
        undefined,
        `the file ended ${length - sent} bytes early; the response is cut`,
      );
    }
    if (isChunked) this.#write("", "", 0, last ? `\r\n${LAST_CHUNK}` : "\r\n", !last);
    if (last) this.#answer(eventType, plan);
  }

  async #writeStream(eventType: string, file: FileRange, last: boolean): Promise<void> {
    for await (const chunk of fileSender().readChunks(file)) {
      if (this.#isOver) return;
      this.writeBody(eventType, chunk, false);
      await this.#connection.output.whenWritable();
    }
    this.writeBody(eventType, "", last);
  }
}

/** Loaded with the first file: many applications send none, and it brings node:fs with it. */
function fileSender(): typeof import("../connection/send-file.ts") {
  return require("../connection/send-file.ts");
}
