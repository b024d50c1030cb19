/** Why a request ended before its response was fully delivered. Source: PAGI Www, "Standard Disconnect Reasons". */
export const DISCONNECT_REASONS = [
  "client_closed",
  "client_timeout",
  "idle_timeout",
  "keepalive_timeout",
  "write_timeout",
  "write_error",
  "read_error",
  "protocol_error",
  "server_shutdown",
  "server_error",
  "body_too_large",
  "queue_overflow",
] as const;

/** One of {@link DISCONNECT_REASONS}, or a server's own reason, which starts with `x-`. */
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number] | `x-${string}`;

/**
 * `scope['pagi.connection']` of an `http` scope: how this one request stands, without consuming events.
 * Exactly one of `onDisconnect` and `onComplete` fires for a request. Source: PAGI Www, "Connection State".
 */
export interface ConnectionState {
  /** True until the request has ended, for whatever reason; it never becomes true again. */
  isConnected(): boolean;
  /** Why the request ended abnormally; `undefined` while it runs and after a normal end. */
  disconnectReason(): DisconnectReason | undefined;
  /** Runs `callback` on an abnormal end, in order of registration, or at once if that has already happened. */
  onDisconnect(callback: (reason: DisconnectReason) => void): void;
  /** Runs `callback` once the response is fully delivered, or at once if that has already happened. */
  onComplete(callback: () => void): void;
  /** Resolves with the reason on an abnormal end; stays pending otherwise. */
  whenDisconnected(): Promise<DisconnectReason>;
  /** True once `http.response.start` was taken, or the server answered in the application's place. */
  responseStarted(): boolean;
  /** True once the last byte of the response has been handed to the operating system. */
  responseComplete(): boolean;
  /** Aborted with the reason on an abnormal end. Made when first read. */
  readonly signal: AbortSignal;
}
