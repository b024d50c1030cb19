import { ReceiveWindow } from "../../websocket/receive-window.ts";
import type { BridgedSocket } from "./upgrade-bridge.ts";

/**
 * The client's bytes on their way to the bridge: as many as there is room for what is in them, and the others are held, so
 * that reading stands still.
 */
export class BridgeFeed {
  readonly #maxMessageSize: number;
  #window: ReceiveWindow;
  #held: Uint8Array[] = [];
  #isBlocked = false;
  #isFeeding = false;

  /** @param maxMessageSize bytes of a message, decompressed. */
  constructor(maxMessageSize: number) {
    this.#maxMessageSize = maxMessageSize;
    this.#window = new ReceiveWindow(maxMessageSize, false);
  }

  /** The handshake has agreed on permessage-deflate. Call it before the first {@link feed}. */
  expectCompressed(): void {
    this.#window = new ReceiveWindow(this.#maxMessageSize, true);
  }

  hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
  }

  /** Nothing is held. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Whether there is room for further bytes. */
  get isReading(): boolean {
    return this.isEmpty && !this.#isBlocked;
  }

  /** The bridge takes bytes again, after it was full. */
  unblock(): void {
    this.#isBlocked = false;
  }

  /** A message of so many bytes, or chars of text, has come out of the bridge. */
  delivered(length: number): void {
    this.#window.delivered(length);
  }

  /** The application has taken a message. */
  taken(length: number): void {
    this.#window.taken(length);
  }

  /** Gives what there is room for to the bridge. @returns false when it is called from within. */
  feed(bridged: BridgedSocket): boolean {
    if (this.#isFeeding) return false;
    this.#isFeeding = true; // a message that is taken at once comes back here
    for (let first = this.#held[0]; first !== undefined && !this.#isBlocked; first = this.#held[0]) {
      const end = this.#window.admit(first, 0);
      if (end === 0) break;
      if (end === first.byteLength) this.#held.shift();
      else this.#held[0] = first.subarray(end);
      this.#isBlocked = !bridged.write(end === first.byteLength ? first : first.subarray(0, end));
    }
    this.#isFeeding = false;
    return true;
  }

  /** Drops what is held. */
  clear(): void {
    this.#held = [];
  }
}
