import { request as ask } from "../../support/wire.ts";

/** One request of the table. */
export interface RequestRow {
  readonly target: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A response as its fields and body stood on the wire: all but the date, in the order of their names. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A row by what it asks for; rows that differ in nothing else are told apart by their headers or body. */
export function nameOf({ method = "GET", target, headers = {}, body }: RequestRow): string {
  const fields = Object.entries(headers).map(([name, value]) => ` ${name}: ${value.slice(0, 24)}`);
  const size = body === undefined ? "" : ` with ${body.length} chars`;
  return `${method} ${target}${size}${fields.join(",")}`;
}

/** Asks on a connection of its own, by bytes: no client stands between. */
export async function answerTo(port: number, row: RequestRow): Promise<Answer> {
  const { target, method = "GET", headers = {}, body } = row;
  const bytes = Buffer.from(body ?? "").toString("latin1");
  const lines = [`${method} ${target} HTTP/1.1`, "Host: example.org"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${bytes.length}`);
  const response = await ask({ host: "127.0.0.1", port }, [...lines, "", bytes].join("\r\n"));
  return {
    status: response.status,
    headers: response.headers
      .filter(([name]) => name !== "date")
      .map(([name, value]) => `${name}: ${value}`)
      .sort(),
    body: response.body,
  };
}
