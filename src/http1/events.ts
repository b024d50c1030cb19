import type { HeaderPair } from "../spec/values.ts";

/** The head of a request. Source: RFC 9112 sections 3 and 5. */
export interface Http1Request {
  readonly type: "request";
  readonly httpVersion: "1.0" | "1.1";
  /** As sent: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** The target's path; `*` in asterisk form, the authority in authority form. */
  readonly rawPath: string;
  /** What follows `?`, or empty. */
  readonly queryString: string;
  /** Names in lower case, order and duplicates kept; `host` is the authority of an absolute-form target. */
  readonly headers: HeaderPair[];
  /** False: no body events follow. */
  readonly hasBody: boolean;
  /** What the client wants, by the rules of its version (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
  /** The client waits for 100 (Continue) before it sends its body. Only on 1.1, and only with a body. */
  readonly expectContinue: boolean;
}

/** A piece of a request body. `bytes` is part of what was received, not a copy. */
export interface Http1Body {
  readonly type: "body";
  readonly bytes: Uint8Array;
  /** False on the last piece, which may be empty. */
  readonly more: boolean;
}
