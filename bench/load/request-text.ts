/** A request of the load. In `target` and `headers`, `{n}` stands for a number that grows with each request. */
export interface LoadRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** Path and query. Default `/`. */
  readonly target?: string;
  /** Besides Host, Content-Length and Connection. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ask on a new connection each time. */
  readonly closes?: boolean;
}

/** The bytes of an HTTP/1.1 request, all of them ASCII. */
export function requestText(request: LoadRequest, port: number): string {
  const { method = "GET", target = "/", headers = {}, body, closes } = request;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (closes === true) lines.push("Connection: close");
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

/** Two requests of the load as `fetch` sends them, so that an answer that depends on the target shows. */
export function fetchOptions(request: LoadRequest, count: number): [target: string, init: RequestInit] {
  const numbered = (text: string): string => text.replaceAll("{n}", String(count));
  const { method = "GET", target = "/", headers = {}, body } = request;
  const fields = Object.entries(headers).map(([name, value]): [string, string] => [name, numbered(value)]);
  return [numbered(target), { method, headers: fields, ...(body !== undefined && { body }) }];
}
