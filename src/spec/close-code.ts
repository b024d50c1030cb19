/** Stands for the lack of a Close frame, and is never sent. Source: RFC 6455 section 7.4.1. */
export const ABNORMAL_CLOSURE = 1006;

export const NORMAL_CLOSURE = 1000;
export const GOING_AWAY = 1001;
export const UNSUPPORTED_DATA = 1003;
export const INVALID_PAYLOAD = 1007;
export const POLICY_VIOLATION = 1008;
export const MESSAGE_TOO_BIG = 1009;
export const INTERNAL_ERROR = 1011;
/** Source: IANA, "WebSocket Close Code Number Registry". */
export const TRY_AGAIN_LATER = 1013;

/** Bytes of UTF-8 that fit into a Close frame behind its code. Source: RFC 6455 section 5.5. */
export const MAX_REASON_BYTES = 123;

/**
 * Whether a Close frame may carry the code: one that is registered for that, or of a library's or an application's
 * own range. Source: RFC 6455 section 7.4; IANA, "WebSocket Close Code Number Registry".
 */
export function isSendableCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
