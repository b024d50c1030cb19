import type { DisconnectReason } from "../spec/connection-state.ts";
import type { Headers } from "../spec/values.ts";
import type { Exchange, Transport } from "./transport.ts";

/** A bare response of the server's. */
export interface ErrorAnswer {
  readonly status: number;
  /** The body, as plain text. It says nothing of the server's insides. */
  readonly text: string;
  /** Further fields, names in lower case. */
  readonly headers?: Headers;
}

/** An error that ends a request, regardless of who caused it. */
export interface RequestError extends ErrorAnswer {
  /** What the application learns, if it runs. */
  readonly reason: DisconnectReason;
  /** Writes the line of the log. */
  log(): void;
}

/**
 * Turns an error into a line of the log and, as far as the client can still be told, into wire output. Where a part of
 * a response has left, the response is cut, so that no client takes the part for the whole.
 *
 * @param exchange the application that runs meanwhile; it learns of the end before the client does.
 */
export function answerError(transport: Transport, error: RequestError, exchange?: Exchange): void {
  error.log();
  exchange?.serverAnswers();
  exchange?.deliverDisconnect(error.reason);
  if (transport.hasLeft()) transport.abort();
  else {
    transport.discardHead();
    writeAnswer(transport, error);
  }
}

/** Writes a bare response of the server's; the connection closes after it. */
export function writeAnswer(transport: Transport, { status, text, headers = [] }: ErrorAnswer): void {
  transport.writeHead("http.response.start", {
    status,
    headers: [
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(Buffer.byteLength(text))],
      ...headers,
    ],
    trailers: false,
    connection: "close",
  });
  transport.writeBody("http.response.body", text, true);
}
