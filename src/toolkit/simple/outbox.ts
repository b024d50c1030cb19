import { completeOptions, limit, oneOf, type Complete, type OptionRules } from "../../spec/option-rules.ts";
/**
 * What becomes of a message for a client that does not keep up: `close` ends its connection, so that it comes back and
 * takes up the present state, `drop-oldest` and `drop-new` leave messages out.
 */
export type SlowConsumerPolicy = "close" | "drop-oldest" | "drop-new";

/** What becomes of messages of others for a client that does not keep up. */
export interface OutboxOptions {
  /** Default `close`. */
  readonly whenSlow?: SlowConsumerPolicy | undefined;
  /** Messages that may wait. Default 1000. */
  readonly maxQueued?: number | undefined;
  /** Bytes that may wait, as UTF-16 units for text. Default 1 MiB. */
  readonly maxQueuedBytes?: number | undefined;
}

/** {@link OutboxOptions}, complete. */
export type OutboxSettings = Complete<OutboxOptions, typeof DEFAULTS>;

const DEFAULTS = { whenSlow: "close", maxQueued: 1000, maxQueuedBytes: 1024 * 1024 } as const;

const OUTBOX_RULES: OptionRules<OutboxOptions> = {
  whenSlow: oneOf("close", "drop-oldest", "drop-new"),
  maxQueued: limit(1),
  maxQueuedBytes: limit(1),
};

/** The options of an outbox, complete. @throws OptionError for an unknown one, and for a value that is none. */
export function checkedOutbox(options: OutboxOptions): OutboxSettings {
  return completeOptions("slowClients", OUTBOX_RULES, DEFAULTS, options);
}

/** One message on its way. */
export interface Outgoing {
  readonly size: number;
  /** Resolves once the client's connection has room for the next. */
  send(): Promise<void>;
}

/** Told of what an outbox does by itself. */
export interface OutboxEvents {
  /** The queue was full, and the policy is `close`. */
  onOverflow(): void;
  /** A message could not be sent. */
  onError(error: unknown): void;
  /** A message was left out. */
  onDrop?(): void;
}

/**
 * The messages of others for one connection, sent one by one as fast as the client takes them. Whoever publishes does
 * not wait for it; what waits is limited.
 */
export class Outbox {
  readonly #options: OutboxSettings;
  readonly #events: OutboxEvents;
  readonly #waiting: Outgoing[] = [];
  #waitingBytes = 0;
  #state: "paused" | "idle" | "sending" | "closed" = "paused";
  #dropped = 0;

  /** @throws OptionError as {@link checkedOutbox}. */
  constructor(options: OutboxOptions, events: OutboxEvents) {
    this.#options = checkedOutbox(options);
    this.#events = events;
  }

  /** Messages that were left out. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Messages that wait. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Nothing is sent before this is called. */
  open(): void {
    if (this.#state !== "paused") return;
    this.#state = "idle";
    this.#sendNext();
  }

  /** What waits is forgotten, and nothing more is taken. */
  close(): void {
    this.#state = "closed";
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  /** Sends it now or later, or does with it what the policy says. */
  add(message: Outgoing): void {
    if (this.#state === "closed") return;
    const { whenSlow } = this.#options;
    // One message always fits, however large: what it may be is not decided here.
    while (this.#waiting.length > 0 && this.#isFullFor(message)) {
      if (whenSlow === "close") {
        this.close();
        this.#events.onOverflow();
        return;
      }
      this.#dropped++;
      this.#events.onDrop?.();
      if (whenSlow === "drop-new") return;
      this.#waitingBytes -= this.#waiting.shift()?.size ?? 0;
    }
    this.#waiting.push(message);
    this.#waitingBytes += message.size;
    if (this.#state === "idle") this.#sendNext();
  }

  #isFullFor({ size }: Outgoing): boolean {
    const { maxQueued, maxQueuedBytes } = this.#options;
    return this.#waiting.length >= maxQueued || this.#waitingBytes + size > maxQueuedBytes;
  }

  #sendNext(): void {
    if (this.#state === "closed") return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#state = "idle";
      return;
    }
    this.#state = "sending";
    this.#waitingBytes -= next.size;
    next
      .send()
      .catch((error: unknown) => this.#events.onError(error))
      .then(() => this.#sendNext());
  }
}
