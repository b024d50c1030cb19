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

type Part = (record: AccessRecord, now: number) => string;

const PARTS: Readonly<Record<string, Part>> = {
  "%h": (record) => (record.client === undefined ? "unix" : escaped(record.client)),
  "%l": () => "-",
  "%u": () => "-",
  "%t": (_, now) => timestamp(now),
  "%r": (record) => `${escaped(record.method)} ${target(record)} HTTP/${record.httpVersion}`,
  "%m": (record) => escaped(record.method),
  "%U": (record) => escaped(record.rawPath),
  "%q": (record) => query(record),
  "%H": (record) => `HTTP/${record.httpVersion}`,
  // Not 499 or the like: a status that nobody sent would pass for one that the application chose.
  "%s": (record) => (record.status === 0 ? "-" : String(record.status)),
  "%b": (record) => (record.bytes === 0 ? "-" : String(record.bytes)),
  "%B": (record) => String(record.bytes),
  "%d": (record) => secondsWithDecimals(record.durationMs),
  "%D": (record) => String(Math.floor(record.durationMs * 1000)),
  "%T": (record) => String(Math.floor(record.durationMs / 1000)),
  "%{ms}T": (record) => String(Math.floor(record.durationMs)),
};

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
    for (const part of parts) line += typeof part === "string" ? part : part(record, now);
    return line;
  };
}

function isPreset(format: string): format is keyof typeof ACCESS_LOG_PRESETS {
  return Object.hasOwn(ACCESS_LOG_PRESETS, format);
}

function partsOf(format: string): readonly (string | Part)[] {
  const parts: (string | Part)[] = [];
  let atoms = 0;
  // Every `%` starts an atom, a faulty one too, so that the text between atoms never holds one.
  for (const [piece] of format.matchAll(/%\{[^}]*\}.?|%.?|[^%]+/gs)) {
    if (!piece.startsWith("%")) {
      parts.push(Buffer.from(piece, "utf8").toString("latin1"));
    } else if (piece === "%%") {
      parts.push("%");
    } else {
      parts.push(PARTS[piece] ?? headerPart(piece) ?? refuse(`has the unknown atom '${piece}'.`));
      atoms++;
    }
  }
  // A misspelt preset would otherwise log the same word for every request.
  if (atoms === 0) refuse(`'${format}' is neither a preset nor a format string, for it has no atom.`);
  return parts;
}

function refuse(problem: string): never {
  const presets = Object.keys(ACCESS_LOG_PRESETS).join(", ");
  const atoms = Object.keys(ACCESS_LOG_ATOMS).join(" ");
  throw new OptionError(
    "--access-log-format",
    `${problem} The presets are ${presets}; the atoms are ${atoms}`,
  );
}

function headerPart(atom: string): Part | undefined {
  const name = /^%\{([^{}]+)\}i$/.exec(atom)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  return (record) => {
    const value = headerValue(record, name);
    return value === undefined || value === "" ? "-" : escaped(value);
  };
}

/** All fields of one name as one list, as RFC 9110 section 5.3 reads them. */
function headerValue(record: AccessRecord, name: string): string | undefined {
  let joined: string | undefined;
  for (const [candidate, value] of record.headers) {
    if (candidate === name) joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

function query(record: AccessRecord): string {
  return record.queryString === "" ? "" : `?${escaped(record.queryString)}`;
}

function target(record: AccessRecord): string {
  return escaped(record.rawPath) + query(record);
}

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const EACH_UNSAFE = new RegExp(UNSAFE, "gu");

function escaped(text: string): string {
  return UNSAFE.test(text) ? text.replace(EACH_UNSAFE, escapeChar) : text;
}

function escapeChar(char: string): string {
  const bytes = char <= "\xff" ? [char.charCodeAt(0)] : [...Buffer.from(char, "utf8")];
  return bytes.map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function secondsWithDecimals(milliseconds: number): string {
  const whole = Math.round(milliseconds);
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, "0")}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
let timestampSecond = -1;
let timestampText = "";

/** The common log format's time, in UTC; made once a second. */
function timestamp(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== timestampSecond) {
    const iso = new Date(second * 1000).toISOString();
    timestampSecond = second;
    timestampText = `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  }
  return timestampText;
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
