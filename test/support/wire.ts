import { connect } from "node:net";
import type { Socket } from "node:net";

/** A response as it stood on the wire. */
export interface WireResponse {
  readonly status: number;
  /** The status line and the fields, as sent, without the empty line. */
  readonly head: string;
  /** Lower-case names, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** De-chunked, one char a byte. */
  readonly body: string;
  /** The trailer fields of a chunked body. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** How many bytes it took on the wire. */
  readonly size: number;
}

/** A TCP client that speaks bytes: every string here is Latin-1, one char a byte. */
export class Wire implements AsyncDisposable {
  readonly #socket: Socket;
  #received = "";
  #ended = false;
  #error: Error | undefined;
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(socket: Socket) {
    this.#socket = socket;
    const tell = (): void => {
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    socket.on("data", (bytes) => {
      this.#received += bytes.toString("latin1");
      tell();
    });
    socket.on("end", () => {
      this.#ended = true;
      tell();
    });
    socket.on("close", () => {
      this.#ended = true;
      tell();
    });
    socket.on("error", (error) => {
      this.#error = error;
      this.#ended = true;
      tell();
    });
  }

  /** Connects; the client keeps its own direction open after the server's FIN. */
  static async open(address: { host: string; port: number }): Promise<Wire> {
    const socket = connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Wire(socket);
  }

  /** What has been received and not taken yet. */
  get pending(): string {
    return this.#received;
  }

  /** True once the server has ended or reset the connection. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** The error that ended the connection, such as ECONNRESET. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Sends bytes; resolves once the kernel has them. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
      this.#socket.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Stops and resumes reading, so that TCP slows the server down. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits until `found` returns something for what has been received. Fails when the connection ends first. */
  async until<T>(found: (received: string) => T | undefined): Promise<T> {
    for (;;) {
      const result = found(this.#received);
      if (result !== undefined) return result;
      if (this.#ended)
        throw new Error(`the connection ended after: ${JSON.stringify(this.#received.slice(-500))}`);
      await this.#news.promise;
    }
  }

  /** Waits for so many bytes and takes them. */
  async read(length: number): Promise<string> {
    await this.until((received) => (received.length >= length ? true : undefined));
    return this.#take(length);
  }

  /** Waits for a text and takes everything up to and with it. */
  async readTo(text: string): Promise<string> {
    const end = await this.until((received) =>
      received.includes(text) ? received.indexOf(text) + text.length : undefined,
    );
    return this.#take(end);
  }

  /** Waits for the end of the connection and takes everything that came before it. */
  async readToEnd(): Promise<string> {
    while (!this.#ended) await this.#news.promise;
    return this.#take(this.#received.length);
  }

  /** Waits for one whole response and takes it. `method` decides whether a body follows. */
  async response(method = "GET"): Promise<WireResponse> {
    const headEnd = await this.until((all) =>
      all.includes("\r\n\r\n") ? all.indexOf("\r\n\r\n") : undefined,
    );
    const head = this.#received.slice(0, headEnd);
    const [statusLine = "", ...lines] = head.split("\r\n");
    const status = Number(statusLine.split(" ")[1]);
    const headers = lines.map(parseField);
    const at = headEnd + 4;
    const value = (name: string): string | undefined => headers.find(([each]) => each === name)?.[1];
    const done = (body: string, end: number, trailers: WireResponse["trailers"] = []): WireResponse => {
      this.#take(end);
      return { status, head, headers, body, trailers, size: end };
    };
    if (status < 200 || status === 204 || status === 304 || method === "HEAD") return done("", at);
    if (value("transfer-encoding") === "chunked") {
      const chunked = await this.until((all) => readChunked(all, at));
      return done(chunked.body, chunked.end, chunked.trailers);
    }
    const length = value("content-length");
    if (length !== undefined) {
      const end = at + Number(length);
      await this.until((all) => (all.length >= end ? true : undefined));
      return done(this.#received.slice(at, end), end);
    }
    while (!this.#ended) await this.#news.promise;
    // Where the end of the connection is that of the body, a reset says that it is not whole.
    if (this.#error !== undefined) throw this.#error;
    return done(this.#received.slice(at), this.#received.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #take(end: number): string {
    const taken = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return taken;
  }
}

/** Sends a request and waits for its response, on a connection of its own. */
export async function request(address: { host: string; port: number }, bytes: string): Promise<WireResponse> {
  await using wire = await Wire.open(address);
  await wire.send(bytes);
  return await wire.response(bytes.slice(0, bytes.indexOf(" ")));
}

/** The value of a field, if it is there exactly once. */
export function field(response: WireResponse, name: string): string | undefined {
  const found = response.headers.filter(([each]) => each === name);
  if (found.length > 1) throw new Error(`${name} is there ${found.length} times`);
  return found[0]?.[1];
}

function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function readChunked(
  all: string,
  start: number,
): { body: string; end: number; trailers: [string, string][] } | undefined {
  let body = "";
  for (let at = start; ;) {
    const lineEnd = all.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(all.slice(at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error(`no chunk size: ${JSON.stringify(all.slice(at, lineEnd))}`);
    at = lineEnd + 2;
    if (size > 0) {
      if (all.length < at + size + 2) return undefined;
      body += all.slice(at, at + size);
      if (all.slice(at + size, at + size + 2) !== "\r\n") throw new Error("a chunk does not end with CRLF");
      at += size + 2;
      continue;
    }
    const trailers: [string, string][] = [];
    for (;;) {
      const end = all.indexOf("\r\n", at);
      if (end < 0) return undefined;
      const line = all.slice(at, end);
      at = end + 2;
      if (line === "") return { body, end: at, trailers };
      const [name, value] = parseField(line);
      trailers.push([name, value]);
    }
  }
}

/** The bytes of a GET with a Host. `fields` are whole lines. */
export function get(target: string, ...fields: string[]): string {
  return ["GET " + target + " HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n");
}

/** The bytes of a POST with a Host and a Content-Length. */
export function post(target: string, body: string, ...fields: string[]): string {
  const lines = ["POST " + target + " HTTP/1.1", "Host: a", `Content-Length: ${body.length}`, ...fields];
  return [...lines, "", body].join("\r\n");
}

/** The head of a POST whose body comes in chunks. */
export function postChunked(target: string, ...fields: string[]): string {
  const lines = ["POST " + target + " HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", ...fields];
  return [...lines, "", ""].join("\r\n");
}

/** Waits until a condition that nothing announces has come true. Fails after 20 s, or the time that is given. */
export async function eventually(
  what: string,
  condition: () => boolean,
  milliseconds = 20_000,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it did not come true that ${what}`);
    await Bun.sleep(2);
  }
}
