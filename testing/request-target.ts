import type { CookieJar } from "tough-cookie";
import type { RequestOptions, ScopeOptions } from "./client-options.ts";
import { pairsOf } from "./request-body.ts";
import type { EncodedBody, Pairs } from "./request-body.ts";
import type { ConnectionInfo, RequestHead } from "../src/exchange/transport.ts";
import { isFieldValue } from "../src/http1/grammar.ts";
import { isToken } from "../src/spec/token.ts";
import type { Headers } from "../src/spec/values.ts";

/** Where a request goes: its URL for cookies and redirects, and its target as it is sent, which a URL would tidy up. */
export interface RequestTarget {
  readonly url: URL;
  readonly rawPath: string;
  readonly queryString: string;
}

/** Methods that have a body where nothing else is said, so that a client says that there is none. */
const EXPECT_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Fields that say how the body is framed, which is the client's to say. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

/**
 * Takes apart a path with or without a query, or a whole URL. A path goes out as it is, `..` and `//` included; only
 * what no request line can carry is percent-encoded.
 *
 * @throws TypeError for anything else.
 */
export function targetOf(target: string | URL, base: URL, query?: Pairs): RequestTarget {
  const text = String(target);
  const isWhole = /^(https?|wss?):\/\//i.test(text);
  if (!isWhole && !text.startsWith("/") && text !== "*")
    throw new TypeError(`The path ${JSON.stringify(text)} has to begin with '/'.`);
  const origin = isWhole ? new URL(text.replace(/^ws/i, "http")) : base;
  const sent = (isWhole ? text.replace(/^[^/]*\/\/[^/?#]*/, "") : text).replace(/#.*$/s, "");
  const mark = sent.indexOf("?");
  const path = mark < 0 ? sent : sent.slice(0, mark);
  const search = mark < 0 ? [] : [encoded(sent.slice(mark + 1))];
  const added = query === undefined ? "" : new URLSearchParams(pairsOf(query)).toString();
  const rawPath = path === "" ? "/" : encoded(path);
  const queryString = [...search, ...(added === "" ? [] : [added])].join("&");
  const url = new URL(origin.origin);
  url.pathname = rawPath;
  url.search = queryString;
  return { url, rawPath, queryString };
}

/** Chars that a request line cannot carry, as UTF-8 in percent-encoding. */
function encoded(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]+/gu, (chars) => encodeURIComponent(chars));
}

/** What a header is made of. */
interface HeaderParts {
  readonly defaults: Pairs;
  readonly options: RequestOptions;
  readonly jar: CookieJar;
  readonly body: EncodedBody | undefined;
  /** Fields of this kind of call, which the caller's own replace. */
  readonly own?: Headers;
}

/** The request head that a client sends. @throws TypeError for a field that cannot be sent. */
export function requestHead(method: string, target: RequestTarget, parts: HeaderParts): RequestHead {
  const { options, body } = parts;
  const set = callerFields([...(parts.own ?? []), ...fieldsOf(parts.defaults)], options.headers ?? {});
  const framing = framingOf(method, body);
  const headers = set.filter(([name]) => framing.length === 0 || !FRAMING.has(name));
  const has = (name: string): boolean => headers.some(([each]) => each === name);
  if (!has("host")) headers.unshift(["host", target.url.host]);
  if (body?.contentType !== undefined && !has("content-type"))
    headers.push(["content-type", body.contentType]);
  const cookie = cookieField(target.url, parts.jar, options.cookies ?? {});
  if (cookie !== "") headers.push(["cookie", cookie]);
  return {
    httpVersion: options.httpVersion ?? "1.1",
    method,
    rawPath: target.rawPath,
    queryString: target.queryString,
    headers: [...headers, ...framing],
  };
}

/** What the scope says of the connection. */
export function connectionInfo(url: URL, options: ScopeOptions): ConnectionInfo {
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const { client = ["127.0.0.1", 50_000], server = [url.hostname, port], tls, rootPath } = options;
  const info = { secure, client: client ?? undefined, server, tls };
  return rootPath === undefined ? info : { ...info, rootPath };
}

/** The fields of a call, which take the place of defaults of the same name. @throws TypeError for one that cannot be sent. */
export function callerFields(defaults: Pairs, given: Pairs): Headers {
  const fields = fieldsOf(given);
  const names = new Set(fields.map(([name]) => name));
  return [...fieldsOf(defaults).filter(([name]) => !names.has(name)), ...fields];
}

function framingOf(method: string, body: EncodedBody | undefined): Headers {
  if (body === undefined) return EXPECT_BODY.has(method) ? [["content-length", "0"]] : [];
  if (body.bytes instanceof Uint8Array) return [["content-length", String(body.bytes.byteLength)]];
  return [["transfer-encoding", "chunked"]];
}

function fieldsOf(pairs: Pairs): Headers {
  return pairsOf(pairs).map(([spelling, given]) => {
    const value = given.trim();
    if (!isToken(spelling)) throw new TypeError(`The header name ${JSON.stringify(spelling)} is no token.`);
    if (!isFieldValue(value))
      throw new TypeError(`The header '${spelling}' has a control character or a char over U+00FF.`);
    return [spelling.toLowerCase(), value];
  });
}

function cookieField(url: URL, jar: CookieJar, more: Readonly<Record<string, string>>): string {
  const kept = jar.getCookiesSync(url.href).filter(({ key }) => !Object.hasOwn(more, key));
  const pairs = [
    ...kept.map((each) => each.cookieString()),
    ...Object.entries(more).map((each) => each.join("=")),
  ];
  return pairs.join("; ");
}
