/**
 * A request of the load. In `target` and `headers`, `{n}` stands for a number that grows with each request, or `{n4}` for
 * its last four digits.
 */
export interface LoadRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** Path and query. Default `/`. */
  readonly target?: string;
  /** Besides Host and Content-Length. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const VARYING = /\{n4?\}/g;

/** Whether it differs from one request to the next. */
export function isVarying(request: LoadRequest): boolean {
  return JSON.stringify(request).search(VARYING) >= 0;
}

/** The bytes of an HTTP/1.1 request, all of them ASCII. */
export function requestText(request: LoadRequest, port: number): string {
  const { method = "GET", target = "/", headers = {}, body } = request;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

/** The request with that number as `fetch` sends it. */
export function fetchOptions(request: LoadRequest, count: number): [target: string, init: RequestInit] {
  const numbered = (text: string): string => text.replaceAll(VARYING, String(count));
  const { method = "GET", target = "/", headers = {}, body } = request;
  const fields = Object.entries(headers).map(([name, value]): [string, string] => [name, numbered(value)]);
  return [numbered(target), { method, headers: fields, ...(body !== undefined && { body }) }];
}
