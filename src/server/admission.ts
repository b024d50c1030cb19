import type { Metrics } from "../metrics/metrics.ts";
import { connectionBudget, loweredText, OF_WEB_SOCKET } from "./descriptor-limit.ts";

/** The part of a connection that is counted. */
interface Counted {
  readonly output: { readonly taken: number };
}

export interface AdmissionOptions {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Files that this process may have open; infinity where that is not known. */
  readonly openFiles: number;
  readonly metrics: Pick<Metrics, "connectionOpened" | "connectionRejected" | "connectionClosed"> | undefined;
  /** Connections that are WebSockets, or ask to be, which take more descriptors than their own. */
  readonly webSockets: () => number;
}

/**
 * The open connections of a server, and which of them are served: at most so many as the options allow, and as there are
 * descriptors for. Any further connection is answered with 503 and closed.
 */
export class Admission<Connection extends Counted = Counted> {
  readonly #options: AdmissionOptions;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  /** Descriptors that connections may take. */
  readonly #budget: number;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#budget = connectionBudget(options.openFiles);
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** Why fewer connections are accepted than the options allow, as a sentence without its full stop; else undefined. */
  get note(): string | undefined {
    const { maxConnections, openFiles } = this.#options;
    return this.#budget < maxConnections ? loweredText(this.#budget, maxConnections, openFiles) : undefined;
  }

  /** A connection was accepted. It may be one too many, which is only decided here. */
  open(connection: Connection): void {
    this.#connections.add(connection);
    this.#options.metrics?.connectionOpened();
    // One that was turned away and is still open takes nobody's place.
    const count = this.#connections.size - this.#turnedAway.size;
    if (count > this.#options.maxConnections || this.#descriptorsOf(count) > this.#budget)
      this.#turnedAway.add(connection);
  }

  /** Bytes can go both ways. @returns false for a connection that is one too many: it is to be answered with 503. */
  admit(connection: Connection): boolean {
    if (!this.#turnedAway.has(connection)) return true;
    this.#options.metrics?.connectionRejected();
    return false;
  }

  close(connection: Connection): void {
    this.#connections.delete(connection);
    this.#options.metrics?.connectionClosed(connection.output.taken);
    this.#turnedAway.delete(connection);
  }

  /** Whether descriptors are left for a further WebSocket. */
  get hasRoomForWebSocket(): boolean {
    return this.#descriptorsOf(this.#connections.size) + OF_WEB_SOCKET <= this.#budget;
  }

  /** How many descriptors so many connections use, with those of the WebSockets among them. */
  #descriptorsOf(connections: number): number {
    return connections + OF_WEB_SOCKET * this.#options.webSockets();
  }
}
