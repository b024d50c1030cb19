/**
 * `scope['pagi.transport']`: outbound flow control, read without side effects. All amounts are bytes.
 * Source: PAGI Www, "Transport Flow Control".
 */
export interface TransportState {
  /** Bytes queued for the client and not yet handed to the operating system. */
  bufferedAmount(): number;
  /** At or above this amount `send` waits. */
  highWaterMark(): number;
  /** Below this amount waiting `send` calls resolve. */
  lowWaterMark(): number;
  /** Runs `callback` whenever the amount climbs to the high-water mark; at once if it is there already. */
  onHighWater(callback: () => void): void;
  /** Runs `callback` whenever the amount falls back below the low-water mark after having been at the high one. */
  onDrain(callback: () => void): void;
}
