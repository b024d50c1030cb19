import { checkOutgoingValue, outgoingName } from "./outgoing-field.ts";
import { statusLine } from "./status-line.ts";
import { EventError } from "../errors.ts";
import { CONNECTION_FIELDS } from "../spec/connection-fields.ts";
import type { Headers } from "../spec/values.ts";

/** Fields that say how the handshake went, which is not the application's to say, or that a 101 cannot have. */
const NOT_OF_THE_APPLICATION: { readonly [name: string]: string } = {
  connection: "the server sets it",
  upgrade: "the server sets it",
  "sec-websocket-accept": "the server sets it",
  "sec-websocket-extensions": "the server agrees on extensions",
  "sec-websocket-version": "the server sets it",
  "sec-websocket-protocol": "give it as 'subprotocol'",
  "content-length": "a 101 has no body (RFC 9110 section 8.6)",
  "transfer-encoding": "a 101 has no body (RFC 9112 section 6.1)",
};

/**
 * Checks the fields that an application adds to a handshake's answer and puts them into lines, without those about the
 * connection, which are the server's (RFC 9110 section 7.6.1).
 *
 * @param eventType for errors: the event that brought them.
 * @throws EventError for a field that is unsafe, malformed, or the handshake's own.
 */
export function upgradeFields(eventType: string, headers: Headers): string {
  let lines = "";
  for (const [spelling, value] of headers) {
    const name = outgoingName(eventType, spelling);
    checkOutgoingValue(eventType, name, value);
    const why = Object.hasOwn(NOT_OF_THE_APPLICATION, name) ? NOT_OF_THE_APPLICATION[name] : undefined;
    if (why !== undefined) throw new EventError(eventType, "headers", `has '${name}': ${why}`);
    if (CONNECTION_FIELDS.has(name)) continue;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** What a server says of a WebSocket that it has accepted. */
export interface WebSocketAnswer {
  /** The value of Sec-WebSocket-Accept. */
  readonly accept: string;
  readonly subprotocol: string | undefined;
  /** The value of Sec-WebSocket-Extensions, or empty. */
  readonly extensions: string;
}

/**
 * The head that completes a WebSocket's opening handshake. Source: RFC 6455 section 4.2.2.
 *
 * @param fields made by {@link upgradeFields}.
 * @param date the value of `date`, where the application gives none.
 * @returns one char for each byte: write it as latin-1.
 */
export function webSocketHead(answer: WebSocketAnswer, fields: string, date: string): string {
  let head = `${statusLine(101)}upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${answer.accept}\r\n`;
  if (answer.subprotocol !== undefined) head += `sec-websocket-protocol: ${answer.subprotocol}\r\n`;
  if (answer.extensions !== "") head += `sec-websocket-extensions: ${answer.extensions}\r\n`;
  const hasDate = fields.startsWith("date:") || fields.includes("\ndate:");
  return `${head}${fields}${hasDate ? "" : `date: ${date}\r\n`}\r\n`;
}
