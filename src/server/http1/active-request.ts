import { assertNotLonger, tooShort } from "../../exchange/declared-length.ts";
import { EventError } from "../../errors.ts";
import type { FileRange } from "../../exchange/file-range.ts";
import type { ResponseHead } from "../../exchange/transport.ts";
import { LAST_CHUNK, chunkPrefix, interimHead } from "../../http1/response-head.ts";
import type { RequestTraits, ResponsePlan } from "../../http1/response-head.ts";
import { trailerSection } from "../../http1/trailers.ts";
import type { Headers } from "../../spec/values.ts";
import type { Connection } from "../connection/connection.ts";
import { httpDate } from "../http-date.ts";
import type { LoggedHead } from "../request-log.ts";
import { ServedRequest } from "../served-request.ts";

/** A file up to this size, in bytes, is read at once and leaves together with the head. */
const SMALL_FILE = 64 * 1024;

/** The session that a request belongs to. */
export interface RequestOwner {
  /** The application waits for body bytes. */
  onDemand(): void;
  /** Whether the connection has to close after a response that begins now. */
  mustClose(): boolean;
  /** Whether the client's next request is here already, so that a whole response may wait to leave with the next one. */
  isFollowed(): boolean;
  /** The response was given to the kernel whole, or is held with nothing before it to leave with the next one. */
  onDelivered(): void;
  /** The response ends here, incomplete. */
  onTruncated(): void;
}

/** One request on an HTTP/1 connection, and its response: head, framing and bytes. RFC 9112 sections 4, 6 and 7. */
export class ActiveRequest extends ServedRequest {
  /** The client waits for its 100 (Continue). */
  isContinueDue = false;
  /** Bytes that the client had taken when its time to take more began. */
  takenAtGrace = 0;
  readonly #owner: RequestOwner;
  readonly #connection: Connection;
  readonly #traits: RequestTraits;
  #plan: ResponsePlan | undefined;
  /** The head, as long as it has not left. */
  #held = "";
  #isAnswered = false;
  #isDelivered = false;
  /** The request has ended; what the application still does must not reach the next one. */
  #isOver = false;

  /** `traits` decide how the response is framed; `head` is for the records. */
  constructor(
    owner: RequestOwner,
    connection: Connection,
    traits: RequestTraits,
    head: LoggedHead | undefined,
  ) {
    super(connection.context, connection, head);
    this.#owner = owner;
    this.#connection = connection;
    this.#traits = traits;
  }

  // ── what the exchange asks for ─────────────────────────────────────────────────────────────────────────────────

  demandBody(): void {
    if (!this.#isOver) this.#owner.onDemand();
  }

  writeInterim(eventType: string, status: number, headers: Headers): void {
    if (this.#isOver) return;
    const head = interimHead(eventType, status, headers);
    if (status === 100) this.isContinueDue = false;
    this.#write(head, "", 0, "", false);
  }

  writeHead(eventType: string, head: ResponseHead): void {
    if (this.#isOver) return;
    const outgoing = this.#owner.mustClose() ? { ...head, connection: "close" as const } : head;
    this.#plan = this.context.plans.plan(this.#traits, eventType, outgoing, httpDate());
    this.status = head.status;
    this.#held = this.#plan.head;
    this.context.turnEnd.add(this);
  }

  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    const length = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
    const mayWait = !last || this.#owner.isFollowed();
    switch (plan.framing) {
      case "none":
        this.#write(this.#takeHeld(), "", 0, "", mayWait);
        break;
      case "length":
        assertNotLonger(eventType, plan.length, this.bodyLength + length);
        this.#write(this.#takeHeld(), bytes, length, "", mayWait);
        break;
      case "chunked":
        if (length === 0) this.#write(this.#takeHeld(), "", 0, last ? LAST_CHUNK : "", mayWait);
        else {
          const prefix = this.#takeHeld() + chunkPrefix(length);
          this.#write(prefix, bytes, length, last ? `\r\n${LAST_CHUNK}` : "\r\n", mayWait);
        }
        break;
      case "close":
        this.#write(this.#takeHeld(), bytes, length, "", mayWait);
        break;
    }
    if (plan.framing !== "none") this.bodyLength += length;
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

  /** The response has been given to the output whole. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Its end was reported to the owner. */
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

  /** The turn is over in which the head was sent; mostly it has left with the body. */
  onTurnEnd(): void {
    if (this.#held !== "") this.#connection.onTurnEnd();
  }

  /** The kernel has taken bytes. */
  onWritable(): void {
    const { output } = this.#connection;
    // A lost connection is empty too; its close is about to be reported.
    if (!this.#isAnswered || this.#isDelivered || this.#isOver || output.isClosed) return;
    if (output.size > 0 && (output.isBlocked || output.queued > 0 || !this.#owner.isFollowed())) return;
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
    if (plan.framing === "length" && this.bodyLength < plan.length) {
      this.#owner.onTruncated();
      throw tooShort(eventType, plan.length, this.bodyLength);
    }
    this.#isAnswered = true;
    this.onWritable();
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
    if (plan.framing === "length") assertNotLonger(eventType, plan.length, this.bodyLength + length);
    this.#write(this.#takeHeld() + (isChunked ? chunkPrefix(length) : ""), "", 0, "", true);
    const sent = await fileSender().pumpFile(this.#connection.output, descriptor, offset, length);
    if (this.#isOver) return;
    this.bodyLength += sent;
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
