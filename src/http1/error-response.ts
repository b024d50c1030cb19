import { statusLine } from "./status-line.ts";
import type { Headers } from "../spec/values.ts";

/**
 * A whole response that the server makes in the application's place; the connection closes after it. The text goes out
 * as UTF-8.
 *
 * @param date the value of `date`.
 * @param extraHeaders safe fields with names in lower case, e.g. `retry-after`.
 * @param method of the request, as far as it is known: a response to HEAD has no body (RFC 9110 section 9.3.2).
 * @returns one char for each byte: write it as latin-1.
 */
export function errorResponse(
  status: number,
  message: string,
  date: string,
  extraHeaders: Headers = [],
  method?: string,
): string {
  const body = Buffer.from(message, "utf8").toString("latin1");
  let head = `${statusLine(status)}content-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\n`;
  for (const [name, value] of extraHeaders) head += `${name}: ${value}\r\n`;
  // A sender of Upgrade has to name it in Connection as well (RFC 9110 section 7.8).
  const options = extraHeaders.some(([name]) => name === "upgrade") ? "upgrade, close" : "close";
  return `${head}connection: ${options}\r\ndate: ${date}\r\n\r\n${method === "HEAD" ? "" : body}`;
}
