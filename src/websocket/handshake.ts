import { ProtocolError } from "../errors.ts";
import { listMembers, trimWhitespace } from "../http1/grammar.ts";
import { isToken } from "../spec/token.ts";
import type { Headers } from "../spec/values.ts";

/** What of a request says whether it asks for a WebSocket. */
export interface HandshakeRequest {
  readonly httpVersion: "1.0" | "1.1" | "2" | "3";
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly hasBody: boolean;
}

/** A client's opening handshake. */
export interface Handshake {
  /** The value of Sec-WebSocket-Key: base64 of 16 bytes. */
  readonly key: string;
  /** What the client offers, in its order of preference. */
  readonly subprotocols: string[];
  /** The value of Sec-WebSocket-Extensions, repeated fields joined; empty when the client offers none. */
  readonly extensions: string;
}

/** Goes into the answer's Sec-WebSocket-Accept with the key. Source: RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Base64 of 16 bytes: 22 digits, of which the last holds two bits, and padding. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * Reads the client's opening handshake. Source: RFC 6455 section 4.2.1.
 *
 * @returns undefined when the request asks for no WebSocket: it has no `Upgrade: websocket`, or it is HTTP/1.0, where
 * Upgrade means nothing (RFC 9110 section 7.8).
 * @throws ProtocolError 426 for a version other than 13, 400 for anything else that is wrong.
 */
export function maybeHandshake(request: HandshakeRequest): Handshake | undefined {
  const { headers } = request;
  if (request.httpVersion !== "1.1" || !lists(headers, "upgrade", "websocket")) return undefined;
  if (request.method !== "GET") throw malformed("its method is not GET");
  if (request.hasBody) throw malformed("it has a body");
  if (!lists(headers, "connection", "upgrade")) throw malformed("Connection does not list 'upgrade'");
  // Before the rest, which another version may have changed.
  if (only(headers, "sec-websocket-version") !== "13") throw wrongVersion();
  const key = only(headers, "sec-websocket-key");
  if (key === undefined || !KEY.test(key)) throw malformed("Sec-WebSocket-Key is not base64 of 16 bytes");
  return {
    key,
    subprotocols: readSubprotocols(headers),
    extensions: valuesOf(headers, "sec-websocket-extensions").join(", "),
  };
}

/** What proves to the client that its handshake was read: Sec-WebSocket-Accept. Source: RFC 6455 section 4.2.2. */
export function acceptOf(key: string): string {
  return new Bun.CryptoHasher("sha1").update(key + GUID).digest("base64");
}

function readSubprotocols(headers: Headers): string[] {
  const offered = members(headers, "sec-websocket-protocol");
  const wrong = offered.find((each) => !isToken(each));
  if (wrong !== undefined) throw malformed("Sec-WebSocket-Protocol lists a name that is no token");
  return [...new Set(offered)];
}

function wrongVersion(): ProtocolError {
  const message = "Only version 13 of WebSocket is spoken here (RFC 6455 section 4.4)";
  return new ProtocolError(426, message, "protocol_error", [
    ["sec-websocket-version", "13"],
    ["upgrade", "websocket"], // RFC 9110 section 15.5.22
  ]);
}

function malformed(problem: string): ProtocolError {
  return new ProtocolError(400, `The WebSocket handshake is malformed: ${problem} (RFC 6455 section 4.2.1)`);
}

function valuesOf(headers: Headers, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value);
}

/** The value of a field that may occur once only. */
function only(headers: Headers, name: string): string | undefined {
  const values = valuesOf(headers, name);
  return values.length === 1 ? trimWhitespace(values[0] ?? "") : undefined;
}

/** The members of a comma-separated list; empty ones count for nothing (RFC 9110 section 5.6.1). */
function members(headers: Headers, name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(","))
    .map((each) => trimWhitespace(each))
    .filter((each) => each !== "");
}

function lists(headers: Headers, name: string, token: string): boolean {
  for (const [each, value] of headers) {
    // The usual request has no such field, and is not to pay for this.
    if (each === name && listMembers(value).includes(token)) return true;
  }
  return false;
}
