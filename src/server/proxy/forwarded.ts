import { isAuthority } from "../../http1/grammar.ts";
import { ipVersion } from "../../spec/ip-address.ts";
import type { Headers } from "../../spec/values.ts";
import { parseForwardedElement } from "./forwarded-element.ts";
import type { TrustedProxies } from "../../options/trusted-proxies.ts";

/** Which fields are read: `X-Forwarded-*`, `Forwarded`, or the second where there are none of the first. */
export type ForwardedFields = "on" | "x-forwarded" | "forwarded";

/** What trusted proxies say of a request; what they do not say is absent. */
export interface Forwarded {
  /** The port is 0 where nobody has named it. */
  readonly client?: readonly [host: string, port: number];
  readonly secure?: boolean;
  /** `host` or `host:port`. */
  readonly host?: string;
  /** Of the URL that the client asked for. */
  readonly port?: number;
  /** Begins with a slash and ends without one; empty is the root. */
  readonly prefix?: string;
}

/** Proxies in a row that are followed; a longer chain is a loop or an attack, and says nothing. */
const MAX_HOPS = 64;
/** Longest host: RFC 1035 section 2.3.4, and a port. */
const MAX_HOST = 261;

const X_FORWARDED = new Set(["for", "proto", "host", "port", "prefix"].map((what) => `x-forwarded-${what}`));

/** Whether a proxy writes a field of this name, in lower case. */
export function isForwardedField(name: string): boolean {
  // Most names begin with another letter, which costs less to find out than to look a name up.
  const letter = name.charCodeAt(0);
  return (letter === 0x78 && X_FORWARDED.has(name)) || (letter === 0x66 && name === "forwarded");
}

/** Whether they are encrypted. */
const SCHEMES = new Map([
  ["http", false],
  ["https", true],
  ["ws", false],
  ["wss", true],
]);
const PORT = /^\d{1,5}$/;
/** Segments of unreserved characters (RFC 3986 section 2.3), none of them `.` or `..`: nothing to escape or resolve. */
const PREFIX = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*\/?$/;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * Reads what proxies have added to the head of a request that came from a trusted one. Every list is read from its
 * right end, where the nearest proxy has written; what stands left of the first address that is not trusted is the
 * client's own claim, and is not looked at. A field that does not say what it should in the part that is read counts
 * as absent, as a whole. `Forwarded` is one field: with one bad parameter, all of it does.
 *
 * @returns undefined when there is nothing to be believed.
 */
export function readForwarded(
  headers: Headers,
  proxies: TrustedProxies,
  fields: ForwardedFields,
): Forwarded | undefined {
  if (fields !== "forwarded") {
    const isThere = headers.some(([name]) => X_FORWARDED.has(name));
    if (isThere) return readXForwarded(headers, proxies);
  }
  return fields === "x-forwarded" ? undefined : readStandard(headers, proxies);
}

// ── X-Forwarded-* ────────────────────────────────────────────────────────────────────────────────────────────────

function readXForwarded(headers: Headers, proxies: TrustedProxies): Forwarded {
  const { client, depth } = followAddresses(listOf(headers, "x-forwarded-for"), proxies);
  const at = (name: string): string | undefined => entryAt(listOf(headers, name), depth);
  const secure = SCHEMES.get(at("x-forwarded-proto")?.toLowerCase() ?? "");
  const host = maybeHost(at("x-forwarded-host"));
  const port = maybePort(at("x-forwarded-port"));
  const prefix = maybePrefix(at("x-forwarded-prefix"));
  return {
    ...(client !== undefined && { client }),
    ...(secure !== undefined && { secure }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(prefix !== undefined && { prefix }),
  };
}

/** The members of a list over all its fields, in order; empty ones are none (RFC 9110 section 5.6.1). */
function listOf(headers: Headers, name: string): string[] {
  const members: string[] = [];
  for (const [each, value] of headers) {
    if (each !== name) continue;
    for (const member of value.split(",")) {
      const text = member.trim();
      if (text !== "") members.push(text);
    }
  }
  return members;
}

/**
 * Goes from the right end to the first address that is not trusted, or to the left end. `depth` is how far it came,
 * which is where the other lists speak of the same hop.
 */
function followAddresses(
  list: readonly string[],
  proxies: TrustedProxies,
): { client: Forwarded["client"]; depth: number } {
  const nothing = { client: undefined, depth: 0 };
  let client: Forwarded["client"];
  for (let depth = 0; depth < list.length; depth++) {
    const node = parseNode(list.at(-1 - depth) ?? "");
    if (node === undefined || depth === MAX_HOPS) return nothing;
    // A client that a trusted proxy does not name: what is known is the proxy that it has reached.
    if (node === "hidden") return { client, depth };
    client = node;
    if (!proxies.trusts(node[0])) return { client, depth };
  }
  return client === undefined ? nothing : { client, depth: list.length - 1 };
}

/** The entry of a hop. A proxy that replaces a list instead of adding to it leaves fewer; the leftmost counts then. */
function entryAt(list: readonly string[], depth: number): string | undefined {
  return list[Math.max(0, list.length - 1 - depth)];
}

// ── Forwarded: RFC 7239 ──────────────────────────────────────────────────────────────────────────────────────────

function readStandard(headers: Headers, proxies: TrustedProxies): Forwarded | undefined {
  let said: Forwarded = {};
  let client: Forwarded["client"];
  let hops = 0;
  for (let i = headers.length - 1; i >= 0; i--) {
    const [name, value] = headers[i] ?? ["", ""];
    if (name !== "forwarded") continue;
    for (let end = value.length; end >= 0;) {
      const start = elementStart(value, end);
      const text = value.slice(start, end).trim();
      end = start - 1;
      if (text === "") continue;
      const element = parseForwardedElement(text);
      if (element === undefined || hops++ === MAX_HOPS) return undefined;
      const node = element.for === undefined ? "hidden" : parseNode(element.for);
      const secure = SCHEMES.get(element.proto?.toLowerCase() ?? "");
      const host = maybeHost(element.host);
      const isGood =
        node !== undefined &&
        (secure === undefined) === (element.proto === undefined) &&
        (host === undefined) === (element.host === undefined);
      if (!isGood) return undefined;
      if (node !== "hidden") client = node;
      said = {
        ...(client !== undefined && { client }),
        ...(secure !== undefined && { secure }),
        ...(host !== undefined && { host }),
      };
      if (node === "hidden" || !proxies.trusts(node[0])) return said;
    }
  }
  return hops === 0 ? undefined : said;
}

/**
 * Where the element begins that ends at `end`. Read from the right, quotes that a client has left open on the left
 * cannot hide what the proxies have written.
 */
function elementStart(value: string, end: number): number {
  let isQuoted = false;
  for (let at = end - 1; at >= 0; at--) {
    const char = value.charCodeAt(at);
    if (char === 0x22 && !isEscaped(value, at)) isQuoted = !isQuoted;
    else if (char === 0x2c && !isQuoted) return at + 1;
  }
  return 0;
}

/** A quote within a quoted string has a backslash before it that is not escaped itself (RFC 9110 section 5.6.4). */
function isEscaped(value: string, at: number): boolean {
  let start = at;
  while (value[start - 1] === "\\") start -= 1;
  return (at - start) % 2 === 1;
}

// ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
 * `hidden` for `unknown` and for obfuscated identifiers (RFC 7239 section 6); undefined for everything else, an address
 * with a zone included: the zone is of the machine that has named it, and says nothing here (RFC 4007 section 6).
 */
function parseNode(text: string): readonly [host: string, port: number] | "hidden" | undefined {
  if (ipVersion(text) !== 0) return withPort(text, undefined);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([\w.-]+))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? "";
  if (ipVersion(address) === (bracketed === undefined ? 4 : 6)) return withPort(address, port);
  if (bracketed === undefined && /^(?:unknown|_[\w.-]+)$/i.test(address)) return "hidden";
  return undefined;
}

function withPort(address: string, port: string | undefined): readonly [string, number] | undefined {
  const number = port === undefined || port.startsWith("_") ? 0 : maybePort(port);
  return number === undefined ? undefined : [plainAddress(address), number];
}

/** One spelling for each address (RFC 5952), and IPv4 where it is mapped (RFC 4291 section 2.5.5.2). */
function plainAddress(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = MAPPED.exec(address.toLowerCase())?.[1];
  if (mapped !== undefined) return mapped;
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [, high = "", low = ""] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(short) ?? [];
  if (high === "") return short;
  return [high, low]
    .map((each) => parseInt(each, 16))
    .flatMap((each) => [each >> 8, each & 0xff])
    .join(".");
}

function maybeHost(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_HOST || text.endsWith(":") || !isAuthority(text))
    return undefined;
  return text;
}

function maybePort(text: string | undefined): number | undefined {
  if (text === undefined || !PORT.test(text)) return undefined;
  const port = Number(text);
  return port > 0 && port <= 65_535 ? port : undefined;
}

function maybePrefix(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith("/") || !PREFIX.test(text)) return undefined;
  return text.endsWith("/") ? text.slice(0, -1) : text;
}
