import type { ProtocolError } from "../errors.ts";
import type { ConnectionInfo, Exchange } from "../exchange/transport.ts";
import type { PartialHead } from "../http1/partial-head.ts";
import type { AccessLog, AccessRecord } from "../logging/access-log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Refusals } from "./refusals.ts";
import type { RequestJournal } from "./request-journal.ts";

/** The head of a request as the access log shows it. */
export type LoggedHead = Pick<AccessRecord, "method" | "rawPath" | "queryString" | "httpVersion" | "headers">;

/** A request as its records need it. */
export interface LoggedRequest {
  /** Undefined for what is not recorded. */
  readonly head: LoggedHead | undefined;
  readonly connection: Pick<ConnectionInfo, "client">;
  /** Undefined where the request did not reach the application. */
  readonly exchange: Pick<Exchange, "kind"> | undefined;
  /** What was sent, or 0. */
  readonly status: number;
  /** Bytes of the body that were sent. */
  readonly bodyLength: number;
  /** Milliseconds of the monotonic clock; 0 where nothing measures. */
  startedAt: number;
  /** Takes the request out of the journal. */
  leaveJournal: (() => void) | undefined;
}

/** Where requests are recorded; what is absent was not asked for. */
export interface Records {
  readonly accessLog: AccessLog | undefined;
  readonly metrics: Metrics | undefined;
  readonly refusals: Refusals;
  readonly journal: RequestJournal | undefined;
  /** An application has settled. */
  readonly onSettled: () => void;
}

/**
 * Counts and records the requests of a server, whatever carries them: access log, metrics, the journal of running
 * requests, refusals.
 */
export class RequestLog {
  readonly #records: Records;
  readonly #isTimed: boolean;
  /** Applications that were called and have not settled. */
  running = 0;
  /** Connections that are WebSockets, or ask to be. They take more descriptors than their own. */
  webSockets = 0;

  constructor(records: Records) {
    this.#records = records;
    this.#isTimed = records.accessLog !== undefined || records.metrics !== undefined;
  }

  /** A request goes to the application. */
  began(request: LoggedRequest): void {
    const { metrics, journal } = this.#records;
    const kind = request.exchange?.kind;
    this.running++;
    if (kind === "websocket") this.webSockets++;
    if (this.#isTimed) request.startedAt = performance.now();
    if (kind === "sse") metrics?.streamBegan();
    else metrics?.requestBegan();
    const { head } = request;
    if (journal !== undefined && head !== undefined)
      request.leaveJournal = journal.begin(head.method, head.rawPath, nothing);
  }

  /** Its application has returned or thrown. */
  settled(request: LoggedRequest): void {
    this.running--;
    if (request.exchange?.kind === "websocket") this.webSockets--;
    request.leaveJournal?.();
    this.#records.onSettled();
  }

  /** A request has ended, or was refused; one that has become a WebSocket has not. */
  ended(request: LoggedRequest): void {
    if (!this.#isTimed || request.head === undefined) return;
    const { metrics } = this.#records;
    const { status } = request;
    const duration = request.exchange === undefined ? 0 : performance.now() - request.startedAt;
    this.#writeAccess(request, status, request.bodyLength, duration);
    if (metrics === undefined) return;
    switch (request.exchange?.kind) {
      case "http":
        metrics.requestEnded(status, duration);
        return;
      case "sse":
        metrics.streamEnded(status);
        return;
      case "websocket":
        metrics.handshakeEnded(status);
        return;
      case undefined:
        metrics.requestRefused(status);
    }
  }

  /** The application takes a WebSocket. */
  webSocketBegan(): void {
    this.#records.metrics?.webSocketBegan();
  }

  /** The client of a WebSocket has its answer. */
  webSocketOpened(): void {
    this.#records.metrics?.webSocketOpened();
  }

  /** A WebSocket has ended. `status` is what its handshake was answered. */
  webSocketEnded(request: LoggedRequest, status: number, sentBytes: number): void {
    this.#records.metrics?.webSocketEnded(status);
    this.#writeAccess(request, status, sentBytes, performance.now() - request.startedAt);
  }

  /** A client has broken a rule, or is refused for lack of room. */
  refused(client: string | undefined, head: PartialHead, error: ProtocolError): void {
    this.#records.refusals.note(client, head, error);
  }

  #writeAccess({ head, connection }: LoggedRequest, status: number, bytes: number, durationMs: number): void {
    if (head === undefined) return;
    this.#records.accessLog?.write({
      client: connection.client?.[0],
      method: head.method,
      rawPath: head.rawPath,
      queryString: head.queryString,
      httpVersion: head.httpVersion,
      status,
      bytes,
      durationMs,
      headers: head.headers,
    });
  }
}

/** The head of a request of which not everything is known. */
export function loggedHead({ method, rawPath, queryString, httpVersion, headers }: PartialHead): LoggedHead {
  return {
    method: method ?? "-",
    rawPath: rawPath ?? "-",
    queryString,
    httpVersion: httpVersion ?? "-",
    headers,
  };
}

function nothing(): void {}
