import { OptionError } from "../errors.ts";
import type { ByteString, HeaderPair } from "../spec/values.ts";
import { asciiJson } from "../system/escape-controls.ts";

/** One request, once it has ended: all that a line of the access log can tell. */
export interface AccessRecord {
  /** The client's address; `undefined` on a Unix socket, which is logged as `unix`. */
  readonly client: string | undefined;
  readonly method: ByteString;
  readonly rawPath: ByteString;
  /** Without its `?`. */
  readonly queryString: ByteString;
  /** `1.0`, `1.1`, `2` or `3`. */
  readonly httpVersion: string;
  /** 0 when the request ended before any response had left. */
  readonly status: number;
  /** Bytes of the response's body that were sent. */
  readonly bytes: number;
  readonly durationMs: number;
  /** Request headers, names in lower case. */
  readonly headers: readonly HeaderPair[];
}

/** Makes one line, without its newline. `now` is in milliseconds since 1970. All chars are below U+0100. */
export type AccessLogFormatter = (record: AccessRecord, now: number) => ByteString;

/** The named formats. `json` is the only one that no format string can express. */
export const ACCESS_LOG_PRESETS = {
  clf: '%h - - [%t] "%m %U%q" %s %ds',
  combined: '%h - - [%t] "%r" %s %b "%{Referer}i" "%{User-Agent}i"',
  common: '%h - - [%t] "%r" %s %b',
  tiny: "%m %U%q %s %{ms}Tms",
  json: "one JSON object a line: time, client, method, path, query, protocol, status, bytes, duration (seconds), referer, user_agent",
} as const;

/** What can stand after a `%`, with its meaning, for `--help`, documentation and error messages. */
export const ACCESS_LOG_ATOMS: Readonly<Record<string, string>> = {
  "%h": "address of the client, or unix",
  "%l": "always -",
  "%u": "always -",
  "%t": "time of the line, UTC, such as 10/Feb/2026:12:34:56 +0000",
  "%r": "request line",
  "%m": "method",
  "%U": "path as sent, without the query",
  "%q": "query with its ?, or nothing",
  "%H": "protocol, such as HTTP/1.1",
  "%s": "status, or - when no response left",
  "%b": "bytes of the response body, or - for none",
  "%B": "bytes of the response body",
  "%d": "duration in seconds, three decimals",
  "%D": "duration in microseconds",
  "%T": "duration in whole seconds",
  "%{ms}T": "duration in whole milliseconds",
  "%{Name}i": "request header Name, or -",
  "%%": "a percent sign",
};

/** An atom: what it shows of a request, and how that is written. */
interface Atom {
  /** The value, or several as one text. */
  readonly read: (record: AccessRecord, now: number) => string | number;
  /** Default: the value as it is. */
  readonly render?: (value: string | number) => string;
}

const ATOMS: Readonly<Record<string, Atom>> = {
  "%h": { read: (record) => record.client ?? "unix", render: escaped },
  "%l": { read: () => "-" },
  "%u": { read: () => "-" },
  "%t": { read: (_, now) => Math.floor(now / 1000), render: timestamp },
  "%r": { read: requestLine },
  "%m": { read: (record) => record.method, render: escaped },
  "%U": { read: (record) => record.rawPath, render: escaped },
  "%q": { read: (record) => record.queryString, render: query },
  "%H": { read: (record) => record.httpVersion, render: (version) => `HTTP/${version}` },
  // Not 499 or the like: a status that nobody sent would pass for one that the application chose.
  "%s": { read: (record) => record.status, render: dashForZero },
  "%b": { read: (record) => record.bytes, render: dashForZero },
  "%B": { read: (record) => record.bytes },
  "%d": { read: (record) => Math.round(record.durationMs), render: secondsWithDecimals },
  "%D": { read: (record) => Math.floor(record.durationMs * 1000) },
  "%T": { read: (record) => Math.floor(record.durationMs / 1000) },
  "%{ms}T": { read: (record) => Math.floor(record.durationMs) },
};

/** Makes a part of a line. */
type Part = (record: AccessRecord, now: number) => string;

/**
 * Compiles the name of a preset or a format string. Whatever comes from the client is escaped (`\xHH` for control
 * characters, quotes, backslashes and bytes over 0x7E), so that no request can forge a line or a field in quotes.
 *
 * @throws OptionError for an unknown atom, and for a string that holds no atom at all.
 */
export function compileAccessLogFormat(format: string): AccessLogFormatter {
  if (format === "json") return jsonLine;
  const parts = partsOf(isPreset(format) ? ACCESS_LOG_PRESETS[format] : format);
  return (record, now) => {
    let line = "";
    for (const part of parts) line += part(record, now);
    return line;
  };
}

function isPreset(format: string): format is keyof typeof ACCESS_LOG_PRESETS {
  return Object.hasOwn(ACCESS_LOG_PRESETS, format);
}

function partsOf(format: string): readonly Part[] {
  const parts: Part[] = [];
  let before = "";
  let atom: Atom | undefined;
  let after = "";
  // Every `%` starts an atom, a faulty one too, so that the text between atoms never holds one.
  for (const [piece] of format.matchAll(/%\{[^}]*\}.?|%.?|[^%]+/gs)) {
    if (piece === "%%" || !piece.startsWith("%")) {
      const text = piece === "%%" ? "%" : Buffer.from(piece, "utf8").toString("latin1");
      if (atom === undefined) before += text;
      else after += text;
      continue;
    }
    if (atom !== undefined) parts.push(partOf(atom, before, after));
    if (atom !== undefined) before = "";
    after = "";
    atom = ATOMS[piece] ?? headerAtom(piece) ?? refuse(`has the unknown atom '${piece}'.`);
  }
  // A misspelt preset would otherwise log the same word for every request.
  if (atom === undefined)
    return refuse(`'${format}' is neither a preset nor a format string, for it has no atom.`);
  return [...parts, partOf(atom, before, after)];
}

/**
 * An atom with the text around it. Most of a line is as in the line before: what one value becomes is kept until there
 * is another one, for escaping and joining are what a line costs.
 */
function partOf({ read, render }: Atom, before: string, after: string): Part {
  let last: string | number | undefined;
  let text = "";
  return (record, now) => {
    const value = read(record, now);
    if (value === last) return text;
    last = value;
    return (text = `${before}${render === undefined ? value : render(value)}${after}`);
  };
}

function refuse(problem: string): never {
  const presets = Object.keys(ACCESS_LOG_PRESETS).join(", ");
  const atoms = Object.keys(ACCESS_LOG_ATOMS).join(" ");
  throw new OptionError(
    "--access-log-format",
    `${problem} The presets are ${presets}; the atoms are ${atoms}`,
  );
}

function headerAtom(atom: string): Atom | undefined {
  const name = /^%\{([^{}]+)\}i$/.exec(atom)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  return { read: (record) => headerValue(record, name) || "-", render: escaped };
}

/** All fields of one name as one list, as RFC 9110 section 5.3 reads them. */
function headerValue(record: AccessRecord, name: string): string | undefined {
  let joined: string | undefined;
  for (const [candidate, value] of record.headers) {
    if (candidate === name) joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

function query(queryString: string | number): string {
  return queryString === "" ? "" : `?${escaped(queryString)}`;
}

function dashForZero(value: string | number): string {
  return value === 0 ? "-" : String(value);
}

let lastRecord: Pick<AccessRecord, "method" | "rawPath" | "queryString" | "httpVersion"> | undefined;
let lastLine = "";

function requestLine(record: AccessRecord): string {
  const { method, rawPath, queryString, httpVersion } = record;
  const isSame =
    lastRecord?.rawPath === rawPath &&
    lastRecord.method === method &&
    lastRecord.queryString === queryString &&
    lastRecord.httpVersion === httpVersion;
  if (!isSame) {
    lastRecord = { method, rawPath, queryString, httpVersion };
    lastLine = `${escaped(method)} ${escaped(rawPath)}${query(queryString)} HTTP/${httpVersion}`;
  }
  return lastLine;
}

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const EACH_UNSAFE = new RegExp(UNSAFE, "gu");

function escaped(value: string | number): string {
  const text = String(value);
  return UNSAFE.test(text) ? text.replace(EACH_UNSAFE, escapeChar) : text;
}

function escapeChar(char: string): string {
  const bytes = char <= "\xff" ? [char.charCodeAt(0)] : [...Buffer.from(char, "utf8")];
  return bytes.map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function secondsWithDecimals(milliseconds: string | number): string {
  const whole = Number(milliseconds);
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, "0")}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** The common log format's time, in UTC. */
function timestamp(second: string | number): string {
  const iso = new Date(Number(second) * 1000).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

function jsonLine(record: AccessRecord, now: number): string {
  return asciiJson({
    time: new Date(now).toISOString(),
    client: record.client ?? "unix",
    method: record.method,
    path: record.rawPath,
    query: record.queryString,
    protocol: `HTTP/${record.httpVersion}`,
    status: record.status === 0 ? null : record.status,
    bytes: record.bytes,
    duration: Math.round(record.durationMs * 1000) / 1_000_000,
    referer: headerValue(record, "referer") ?? null,
    user_agent: headerValue(record, "user-agent") ?? null,
  });
}
