import type { ConnectionState } from "../../spec/connection-state.ts";
import { warnOf } from "../shared/warning.ts";
import type { ResponseEvents } from "./events.ts";

/** Runs when a writer is closed, or its client has gone. */
export type OnClose = () => void | Promise<void>;

/**
 * The body of a response in the making. `write` waits while the client is slow; once the client has gone it does
 * nothing, so a loop that has no other end asks {@link isConnected}.
 */
export class ResponseWriter implements AsyncDisposable {
  readonly #events: ResponseEvents;
  readonly #connection: ConnectionState | undefined;
  #onClose: OnClose[] = [];
  #bytesWritten = 0;
  #isClosed = false;

  /** `onClose` is known before anything can happen to the client. */
  constructor(events: ResponseEvents, connection: ConnectionState | undefined, onClose?: OnClose) {
    this.#events = events;
    this.#connection = connection;
    if (onClose !== undefined) this.#onClose.push(onClose);
    connection?.onDisconnect(() => {
      void this.#runOnClose();
    });
  }

  /** Bytes given to `write` so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** True after {@link close}. */
  isClosed(): boolean {
    return this.#isClosed;
  }

  /** False once the client has gone; true where that is not known. */
  isConnected(): boolean {
    return this.#connection?.isConnected() ?? true;
  }

  /** Sends a chunk; a string as UTF-8. Resolves when the next one may come. @throws Error after {@link close}; TypeError for another chunk. */
  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.#isClosed)
      throw new Error("The response is complete: its writer was closed, and takes nothing more.");
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array))
      throw new TypeError(
        `A chunk of a body is a Uint8Array or a string, not ${bytes === null ? "null" : typeof bytes}.`,
      );
    this.#bytesWritten += bytes.byteLength;
    if (bytes.byteLength > 0 && this.isConnected()) await this.#events.body(bytes, true);
  }

  /** Completes the response. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#events.body("", false);
    } finally {
      await this.#runOnClose();
    }
  }

  /** Runs `callback` on {@link close} or when the client goes, whichever is first; at once if that has happened. */
  onClose(callback: OnClose): this {
    this.#onClose.push(callback);
    if (this.#isClosed || !this.isConnected()) void this.#runOnClose();
    return this;
  }

  /** Ends it without completing the response, which so is seen to be cut. */
  async abandon(): Promise<void> {
    this.#isClosed = true;
    await this.#runOnClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #runOnClose(): Promise<void> {
    const callbacks = this.#onClose;
    this.#onClose = [];
    for (const callback of callbacks) {
      try {
        await callback();
      } catch (error) {
        // The response is over, and the others have to run.
        warnOf(error, "PagiOnCloseWarning");
      }
    }
  }
}
