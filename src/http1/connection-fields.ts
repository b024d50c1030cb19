import { listMembers } from "./grammar.ts";
import { ProtocolError } from "../errors.ts";
import type { HeaderPair } from "../spec/values.ts";

/** What a request says about its connection. */
export interface ConnectionWishes {
  /** By the rules of its version (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
  /** Only on 1.1: 1.0 has no expectations (RFC 9110 section 10.1.1). */
  readonly expectContinue: boolean;
}

/**
 * Reads Connection and Expect.
 *
 *     Connection  = #connection-option
 *     Expect      = #expectation
 *     expectation = token [ "=" ( token / quoted-string ) parameters ]
 *
 * @throws ProtocolError 417 for an expectation other than 100-continue. Source: RFC 9110 sections 7.6.1 and 10.1.1.
 */
export function connectionWishes(
  httpVersion: "1.0" | "1.1",
  headers: readonly HeaderPair[],
): ConnectionWishes {
  let close = false;
  let keepAlive = httpVersion === "1.1";
  let expectContinue = false;
  for (const [name, value] of headers) {
    if (name === "connection") {
      for (const option of listMembers(value)) {
        if (option === "close") close = true;
        else if (option === "keep-alive") keepAlive = true;
      }
    } else if (name === "expect" && httpVersion === "1.1") {
      for (const expectation of listMembers(value)) {
        if (expectation === "100-continue") expectContinue = true;
        else if (expectation !== "") throw unmetExpectation();
      }
    }
  }
  return { keepAlive: keepAlive && !close, expectContinue };
}

function unmetExpectation(): ProtocolError {
  return new ProtocolError(417, "Only the expectation 100-continue can be met (RFC 9110 section 10.1.1)");
}
