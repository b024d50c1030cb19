/** What streams fail with when their other end goes. */
const LOSSES = new Set([
  "ECONNRESET",
  "EPIPE",
  "ABORT_ERR",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
]);

/** Whether an error only passes on that the client has disconnected. */
export function isAboutTheClient(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOSSES.has(String(error.code));
}
