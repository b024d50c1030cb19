import { isFieldName } from "../header-rules.ts";
import type { HttpScope, LifespanScope, Scope, SseScope, WebSocketScope } from "../scope.ts";
import {
  BYTE_STRING,
  described,
  HEADERS,
  isIntegerFrom,
  isRecord,
  kind,
  optional,
  required,
  STRING,
  TOKEN,
  type FieldRule,
  type ValueKind,
} from "./value-kind.ts";

/** The keys that a scope's type names, without those of its index signature, and without `type`. */
type NamedKeys<S extends Scope> = Exclude<
  keyof { [Key in keyof S as string extends Key ? never : Key]: S[Key] },
  "type"
>;

/** The rules for one type of scope, by key. */
export type ScopeRules<S extends Scope = Scope> = Readonly<Record<NamedKeys<S>, FieldRule>>;

const HTTP_SCOPE = 'PAGI Www, "HTTP Connection Scope"';
const WEBSOCKET_SCOPE = 'PAGI Www, "WebSocket Connection Scope"';
const LIFESPAN_SCOPE = 'PAGI Lifespan, "Scope"';

const OBJECT = kind("must be an object", isRecord);

const VERSIONS = kind(
  "must be an object with the string 'version', and 'spec_version', if present, a string",
  (value) =>
    isRecord(value) &&
    typeof value.version === "string" &&
    (value.spec_version === undefined || typeof value.spec_version === "string"),
);

const LIFESPAN_VERSIONS = kind(
  "must be an object with the strings 'version' and 'spec_version', 'is_worker' 0 or 1, " +
    "'role' single, supervisor or worker, and in a worker 'worker_num' from 1",
  (value) =>
    VERSIONS.check(value) === undefined &&
    isRecord(value) &&
    (value.is_worker === 0 || value.is_worker === 1) &&
    (value.role === "single" || value.role === "supervisor" || value.role === "worker") &&
    (value.worker_num === undefined || isIntegerFrom(1, Number.MAX_SAFE_INTEGER)(value.worker_num)),
);

const REQUEST_HEADERS: ValueKind = {
  text: `${HEADERS.text}; and at most one 'cookie'`,
  check(value) {
    const problem = HEADERS.check(value);
    if (problem !== undefined || !Array.isArray(value)) return problem;
    const cookies = value.filter((pair: unknown) => Array.isArray(pair) && pair[0] === "cookie").length;
    return cookies > 1 ? `found ${cookies} cookie fields` : undefined;
  },
};

const isPort = isIntegerFrom(0, 65_535);

function isAddress(value: unknown, port: (value: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && port(value[1]);
}

const CLIENT = kind("must be [host, port]", (value) => isAddress(value, isPort));

const SERVER = kind("must be [host, port], or [path, null] for a Unix socket", (value) =>
  isAddress(value, (port) => port === null || isPort(port)),
);

const EXTENSIONS: ValueKind = {
  text: "must be an object with an object for each extension, each name in lower case",
  check(value) {
    if (!isRecord(value)) return `found ${described(value)}`;
    for (const [name, data] of Object.entries(value)) {
      if (!isFieldName(name)) return `found the name ${JSON.stringify(name)}`;
      if (!isRecord(data)) return `'${name}' is ${described(data)}`;
    }
    return undefined;
  },
};

const SUBPROTOCOLS = kind(
  "must be a list of strings",
  (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
);

function oneOf(...values: readonly string[]): ValueKind {
  const shown = values.map((value) => JSON.stringify(value)).join(" or ");
  return kind(`must be ${shown}`, (value) => typeof value === "string" && values.includes(value));
}

function withMethods(...names: readonly string[]): ValueKind {
  return {
    text: `must be an object with the methods ${names.join(", ")}`,
    check(value) {
      if (!isRecord(value)) return `found ${described(value)}`;
      const missing = names.find((name) => typeof value[name] !== "function");
      return missing === undefined ? undefined : `it has no method ${missing}`;
    },
  };
}

const state = required(OBJECT, 'PAGI Lifespan, "Lifespan State"');

const request = {
  pagi: required(VERSIONS, 'PAGI Spec, "Connection Scope"'),
  state,
  http_version: required(oneOf("1.0", "1.1", "2", "3"), HTTP_SCOPE),
  method: required(TOKEN, `${HTTP_SCOPE}; RFC 9110 section 9.1`),
  path: required(STRING, `${HTTP_SCOPE} and "PAGI Encoding Differences"`),
  raw_path: required(BYTE_STRING, HTTP_SCOPE),
  query_string: required(BYTE_STRING, HTTP_SCOPE),
  root_path: required(STRING, HTTP_SCOPE),
  headers: required(REQUEST_HEADERS, 'PAGI Www, "Headers Format" and "Cookie Header Normalization"'),
  client: optional(CLIENT, HTTP_SCOPE),
  server: required(SERVER, HTTP_SCOPE),
  extensions: required(EXTENSIONS, 'PAGI Extensions, "Declaring Extensions"'),
  "pagi.transport": required(
    withMethods("bufferedAmount", "highWaterMark", "lowWaterMark", "onHighWater", "onDrain"),
    'PAGI Www, "Transport Flow Control"',
  ),
};

const sse: ScopeRules<SseScope> = { ...request, scheme: required(oneOf("http", "https"), HTTP_SCOPE) };

const http: ScopeRules<HttpScope> = {
  ...sse,
  "pagi.connection": required(
    withMethods(
      "isConnected",
      "disconnectReason",
      "onDisconnect",
      "onComplete",
      "whenDisconnected",
      "responseStarted",
      "responseComplete",
    ),
    'PAGI Www, "Connection State"',
  ),
};

const websocket: ScopeRules<WebSocketScope> = {
  ...request,
  scheme: required(oneOf("ws", "wss"), WEBSOCKET_SCOPE),
  subprotocols: required(SUBPROTOCOLS, WEBSOCKET_SCOPE),
};

const lifespan: ScopeRules<LifespanScope> = { pagi: required(LIFESPAN_VERSIONS, LIFESPAN_SCOPE), state };

/** Every key that a scope has besides `type`, by type of scope. Keys of middleware and applications are not checked. */
export const SCOPE_RULES: { readonly [Type in Scope["type"]]: Readonly<Record<string, FieldRule>> } = {
  http,
  sse,
  websocket,
  lifespan,
};
