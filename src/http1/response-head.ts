import { checkOutgoingValue, outgoingName } from "./outgoing-field.ts";
import { parseContentLength, responseFraming } from "./framing.ts";
import type { ResponseFraming } from "./framing.ts";
import { statusLine } from "./status-line.ts";
import { EventError } from "../errors.ts";
import { CONNECTION_FIELDS, connectionOptions } from "../spec/connection-fields.ts";
import type { Headers } from "../spec/values.ts";

/** How a response goes out. */
export interface ResponsePlan {
  /** The whole head with its empty line, one char for each byte: write it as latin-1. */
  readonly head: string;
  /** How the body is framed; `none` when no body byte may be written. */
  readonly framing: ResponseFraming;
  /** The declared Content-Length in bytes when `framing` is `length`, else 0. */
  readonly length: number;
  /** The connection must close after this response. */
  readonly close: boolean;
}

/** What of a request decides about its response. */
export interface RequestTraits {
  readonly httpVersion: "1.0" | "1.1";
  readonly method: string;
  readonly keepAlive: boolean;
}

/** An application's response head. */
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Headers;
  /** `close` ends the connection; `keep-alive` says so in the head where the connection stays. */
  readonly connection?: "close" | "keep-alive";
}

/** Fields that say how the body is framed or what becomes of the connection. */
const NOT_IN_INTERIM = new Set([...CONNECTION_FIELDS, "content-length", "trailer"]);

/** The interim answer to `Expect: 100-continue`. Source: RFC 9110 section 10.1.1. */
export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** Ends a chunked body that has no trailer fields. */
export const LAST_CHUNK = "0\r\n\r\n";

/**
 * Makes the head of an application's response and decides how its body goes out. Content-Length counts. Fields about
 * the connection are the server's: Keep-Alive, Proxy-Connection, TE and Transfer-Encoding are dropped, Upgrade is kept
 * and named in Connection, and of the application's own Connection the option `close` counts, and options that name
 * other fields of the response. Trailers go out where `framing` is `chunked`, and must be dropped elsewhere. Source:
 * RFC 9110 sections 7.6.1 and 7.8; RFC 9112 sections 4, 6 and 9; PAGI Www, "Server-Supplied Headers and Behaviors".
 *
 * @param eventType for errors: the event that brought the response.
 * @param date the value of `date` where the application gives none.
 * @throws EventError for a header that is unsafe or malformed.
 */
export function planResponse(
  request: RequestTraits,
  eventType: string,
  response: OutgoingResponse,
  date: string,
): ResponsePlan {
  const { status } = response;
  let close = !request.keepAlive || response.connection === "close";
  let hasUpgrade = false;
  let named: string[] | undefined;
  let length: number | undefined;
  let hasDate = false;
  const isTunnel = request.method === "CONNECT" && status < 300;
  const dropsLength = status === 204 || status < 200 || isTunnel;
  let head = statusLine(status);
  for (const [spelling, value] of response.headers) {
    const name = outgoingName(eventType, spelling);
    checkOutgoingValue(eventType, name, value);
    switch (name) {
      case "keep-alive":
      case "proxy-connection":
      case "te":
      case "transfer-encoding":
        continue;
      case "connection":
        named = [...(named ?? []), ...connectionOptions(value)];
        continue;
      case "upgrade":
        hasUpgrade = true;
        break;
      case "content-length":
        length = declaredLength(eventType, length, value);
        if (dropsLength) continue;
        break;
      case "date":
        hasDate = true;
        break;
    }
    head += `${name}: ${value}\r\n`;
  }
  let options = hasUpgrade ? "upgrade, " : "";
  if (named !== undefined) {
    if (named.includes("close")) close = true;
    for (const option of fieldsNamed(named, response.headers)) options += `${option}, `;
  }
  const framing = responseFraming(request, status, length !== undefined);
  if (framing === "close") close = true;
  if (framing === "chunked") head += "transfer-encoding: chunked\r\n";
  const saysKeepAlive = request.httpVersion === "1.0" || response.connection === "keep-alive";
  // Behind a 101 there is no HTTP left to close, and its Connection names what is switched to (RFC 9110 section 7.8).
  if (close && status !== 101) head += `connection: ${options}close\r\n`;
  else if (saysKeepAlive) head += `connection: ${options}keep-alive\r\n`;
  else if (options !== "") head += `connection: ${options.slice(0, -2)}\r\n`;
  head += hasDate ? "\r\n" : `date: ${date}\r\n\r\n`;
  return {
    head,
    framing,
    length: framing === "length" && length !== undefined ? length : 0,
    close,
  };
}

/**
 * The head of an interim response; one char for each byte: write it as latin-1. What frames a body or manages the
 * connection is dropped, for neither may be in it (RFC 9110 sections 8.6 and 15.2, RFC 9112 section 6.1).
 *
 * @param status 1xx, though not 101.
 * @throws EventError for a header that is unsafe or malformed.
 */
export function interimHead(eventType: string, status: number, headers: Headers): string {
  let head = statusLine(status);
  for (const [spelling, value] of headers) {
    const name = outgoingName(eventType, spelling);
    checkOutgoingValue(eventType, name, value);
    if (!NOT_IN_INTERIM.has(name)) head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/**
 * What stands before the data of a chunk; CRLF stands behind it.
 *
 * @param byteLength of the data; not 0, which would end the body.
 */
export function chunkPrefix(byteLength: number): string {
  return `${byteLength.toString(16)}\r\n`;
}

/**
 * Fields that are for all recipients, whatever an application says: a recipient that dropped the length would read another
 * message than the one that was sent. Source: RFC 9110 section 7.6.1.
 */
const END_TO_END: ReadonlySet<string> = new Set(["content-length", "cache-control", "date"]);

/** The options that name a field of the response for which the recipient, too, must see to it that it goes no further. */
function fieldsNamed(options: readonly string[], headers: Headers): Set<string> {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  return new Set(
    options.filter(
      (option) => names.has(option) && !CONNECTION_FIELDS.has(option) && !END_TO_END.has(option),
    ),
  );
}

function declaredLength(eventType: string, earlier: number | undefined, value: string): number {
  if (earlier !== undefined) {
    throw new EventError(eventType, "headers", "has content-length more than once: give it once");
  }
  const length = parseContentLength(value);
  if (length === undefined || !Number.isSafeInteger(length)) {
    throw new EventError(
      eventType,
      "headers",
      "has a content-length that is no number of bytes: write digits only (RFC 9110 section 8.6)",
    );
  }
  return length;
}
