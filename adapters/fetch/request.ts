import type { Inbox } from "./inbox.ts";
import { rawPathBelow } from "../../src/spec/request-path.ts";
import type { RequestScope } from "../../src/spec/scope.ts";

// A `Host` that can stand in a URL: a name, an IPv4 address or a bracketed IPv6 address, with a port or without.
// Nothing in it can end the authority, so a forged one never changes the path (RFC 9110 section 7.2).
const AUTHORITY = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-fA-F:.]+\])(?::\d{0,5})?$/;
// Chars of a byte string that the URL parser would re-encode, or read as a fragment or as another separator.
const UNSAFE_IN_TARGET = /[^!-~]|[#\\]/;
const UNSAFE_IN_TARGET_ALL = /[^!-~]|[#\\]/g;
// What the URL parser may rewrite within a path: dot segments, and the chars that it encodes.
const MAY_BE_REWRITTEN = /\/\.|\/%2e|["<>`{}^'|]/i;

// Any of these, in a target: looked for once, since most targets have none.
const NOT_AS_SENT = /[^!-~]|[#\\"<>`{}^'|]|\/\.|\/%2e/i;

/** The scope as a `Request`. Its body is received only when the handler reads it. */
export function requestOf(scope: RequestScope, inbox: Inbox): Request {
  return new ScopeRequest(scope, inbox);
}

// Accessors cannot override what the types call properties, though accessors they are.
const NativeRequest: new (url: string) => object = Request;

/** What is the same for every request that a server gets. */
interface ScopeRequest extends Pick<
  Request,
  | ("cache" | "credentials" | "destination" | "integrity" | "keepalive")
  | ("mode" | "redirect" | "referrer" | "referrerPolicy")
> {}

/**
 * A `Request` that is made of its scope as it is asked: most handlers want the method, the URL and a header, and the
 * rest of a request costs more to make than all of these. What it is made of as a `Request` is never seen: Bun reads
 * one of a class of its own by its properties, in `new Request(it, init)` and in `fetch(it, init)` too.
 */
class ScopeRequest extends NativeRequest implements Request {
  readonly #scope: RequestScope;
  readonly #inbox: Inbox;
  #url: string | undefined;
  #headers: Headers | undefined;
  /** What reads and copies the body; made when something wants more of it than its bytes. */
  #carrier: Request | undefined;
  /** The bytes were read without a carrier. */
  #wasRead = false;

  constructor(scope: RequestScope, inbox: Inbox) {
    super("http://localhost/");
    this.#scope = scope;
    this.#inbox = inbox;
    // Without a body nothing else would look for the client's going.
    if (inbox.watchesBody && !hasBody(scope)) inbox.noBody();
  }

  get method(): string {
    return this.#scope.method;
  }

  get url(): string {
    return (this.#url ??= urlOf(this.#scope));
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers(this.#scope.headers));
  }

  get signal(): AbortSignal {
    return this.#inbox.signal;
  }

  get body(): Request["body"] {
    if (!this.#wasRead) return hasBody(this.#scope) ? this.#native().body : null;
    const spent = new ReadableStream<Uint8Array<ArrayBuffer>>();
    spent.getReader();
    return spent;
  }

  get bodyUsed(): boolean {
    return this.#wasRead || (this.#carrier?.bodyUsed ?? false);
  }

  /** What a request with a stream as its body has to say of itself where it is sent on. */
  get duplex(): "half" {
    return "half";
  }

  clone(): Request {
    if (this.#wasRead) throw new TypeError("Body already used");
    const { headers, signal, method } = this;
    const { url, body } = this.#native().clone();
    return withMethod(new Request(url, { method, headers, signal, body }), method);
  }

  text(): Promise<string> {
    return this.#read(textOf);
  }

  json(): Promise<unknown> {
    return this.#read((bytes) => JSON.parse(textOf(bytes)));
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#read((bytes) => bytes);
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read(bufferOf);
  }

  async blob(): Promise<Awaited<ReturnType<Request["blob"]>>> {
    const type = this.headers.get("content-type");
    return new Response(
      await this.bytes(),
      type === null ? {} : { headers: { "content-type": type } },
    ).blob();
  }

  textStream(): ReturnType<Request["textStream"]> {
    if (this.#wasRead) throw new TypeError("Body already used");
    return this.#native().textStream();
  }

  formData(): ReturnType<Request["formData"]> {
    if (this.#wasRead) return Promise.reject(new TypeError("Body already used"));
    return this.#native().formData();
  }

  /** The whole body in a form that `convert` makes of it, at once where it has come already. */
  #read<T>(convert: (bytes: Uint8Array<ArrayBuffer>) => T): Promise<T> {
    try {
      const bytes = this.#takeBytes();
      return bytes instanceof Promise ? bytes.then(convert) : Promise.resolve(convert(bytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #takeBytes(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (this.#wasRead) throw new TypeError("Body already used");
    if (this.#carrier !== undefined || this.#inbox.readBody === undefined)
      return this.#native()
        .arrayBuffer()
        .then((buffer) => new Uint8Array(buffer));
    if (!hasBody(this.#scope)) return new Uint8Array(0);
    this.#wasRead = true;
    return this.#inbox.readBody();
  }

  #native(): Request {
    if (this.#carrier !== undefined) return this.#carrier;
    const request = new Request(this.url, {
      method: this.method,
      headers: this.headers,
      body: hasBody(this.#scope) ? this.#inbox.bodyStream() : null,
    });
    return (this.#carrier = withMethod(request, this.method));
  }
}

const UTF_8 = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  return UTF_8.decode(bytes);
}

/** A buffer with these bytes and no others. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}

/**
 * Bun turns a method that it does not know into GET. Methods are case-sensitive (RFC 9110 section 9.1), so what the
 * client sent is put back.
 */
function withMethod(request: Request, method: string): Request {
  if (request.method !== method) Object.defineProperty(request, "method", { value: method });
  return request;
}

/**
 * The absolute URL of the request: scheme, `Host`, path and query as they were sent, but for what the URL parser
 * writes otherwise. Below a mount it has the rest of the path, as it does below Hono's and Express' own mounts; the whole path
 * is the scope's `raw_path`. Where `Host` is missing or no authority, the server's own address takes its place; `localhost` on
 * a Unix socket.
 */
export function urlOf(scope: RequestScope): string {
  const rawPath = rawPathBelow(scope);
  const rawQuery = scope.query_string ?? "";
  const origin = `${scope.scheme === "https" || scope.scheme === "wss" ? "https" : "http"}://${authorityOf(scope)}`;
  if (rawPath.startsWith("/") && !NOT_AS_SENT.test(rawPath) && !NOT_AS_SENT.test(rawQuery))
    return rawQuery === "" ? origin + rawPath : `${origin}${rawPath}?${rawQuery}`;
  const path = inTarget(rawPath);
  const query = inTarget(rawQuery);
  const url = `${origin}${path.startsWith("/") ? "" : "/"}${path}${query === "" ? "" : `?${query}`}`;
  return MAY_BE_REWRITTEN.test(url) ? new URL(url).href : url;
}

function inTarget(bytes: string): string {
  if (!UNSAFE_IN_TARGET.test(bytes)) return bytes;
  return bytes.replace(
    UNSAFE_IN_TARGET_ALL,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

let lastHost = "";
let lastScheme = "";
let lastAuthority = "";

function authorityOf(scope: RequestScope): string {
  const host = hostOf(scope);
  if (host !== "") {
    // Most requests of a server carry the same Host, so the last one that passed is not parsed again.
    if (host === lastHost && scope.scheme === lastScheme) return lastAuthority;
    const scheme = scope.scheme === "https" || scope.scheme === "wss" ? "https" : "http";
    if (AUTHORITY.test(host) && URL.canParse(`${scheme}://${host}/`)) {
      [lastHost, lastScheme] = [host, scope.scheme];
      return (lastAuthority = new URL(`${scheme}://${host}/`).host);
    }
  }
  // A server may leave it out (PAGI Www, "HTTP Connection Scope").
  const [address, port] = scope.server ?? ["localhost", null];
  if (port === null) return "localhost";
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function hostOf({ headers }: RequestScope): string {
  for (const [name, value] of headers) if (name === "host") return value;
  return "";
}

/**
 * Whether a request body can follow: `GET` and `HEAD` have none in the Fetch standard, HTTP/1 announces it
 * (RFC 9112 section 6), and later versions need not.
 */
function hasBody(scope: RequestScope): boolean {
  if (scope.method === "GET" || scope.method === "HEAD") return false;
  for (const [name, value] of scope.headers) {
    if (name === "content-length") return value !== "0";
    if (name === "transfer-encoding") return true;
  }
  return scope.http_version?.startsWith("1") === false;
}
