import { isSendableCloseCode, MAX_REASON_BYTES } from "../close-code.ts";
import type { ReceiveEvent, SendEvent } from "../events.ts";
import type { Scope } from "../scope.ts";
import {
  BODY,
  BYTES,
  COUNT,
  described,
  FLAG,
  HEADERS,
  isIntegerFrom,
  isRecord,
  kind,
  optional,
  required,
  SECONDS,
  STRING,
  TOKEN,
  type FieldRule,
  type ValueKind,
} from "./value-kind.ts";

export type EventType = SendEvent["type"] | ReceiveEvent["type"];

/** Fields that exclude each other, `null` and `undefined` counting as absent. */
export interface ChoiceRule<Field extends string = string> {
  readonly fields: readonly Field[];
  /** True when one of them must be there. */
  readonly required: boolean;
  readonly text: string;
  readonly source: string;
}

/** The rules for one type of event. */
export interface EventRule<Field extends string = string> {
  /** `send` for an event of the application, `receive` for one of the server. */
  readonly direction: "send" | "receive";
  /** The types of scope that it belongs to. */
  readonly scopes: readonly Scope["type"][];
  readonly source: string;
  readonly fields: Readonly<Record<Field, FieldRule>>;
  readonly choice?: ChoiceRule<Field>;
}

/** The keys of every member of a union. */
type KeyOfEach<T> = T extends unknown ? keyof T : never;

/** The table has a rule for every event and every field of `events.ts`, or it does not compile. */
type EventRules = {
  readonly [Type in EventType]: EventRule<
    Exclude<KeyOfEach<Extract<SendEvent | ReceiveEvent, { type: Type }>>, "type">
  >;
};

const RESPONSE_START = 'PAGI Www, "Response Start"';
const RESPONSE_BODY = 'PAGI Www, "Response Body"';
const HEADERS_FORMAT = 'PAGI Www, "Headers Format" and "Header byte safety"';

const FINAL_STATUS = kind(
  "must be a final status, an integer from 200 to 999 (1xx is for the server)",
  isIntegerFrom(200, 999),
);

const INTERIM_STATUS = kind("must be an interim status, an integer from 100 to 199", isIntegerFrom(100, 199));

const PATH = kind(
  "must be the path of a file, without NUL",
  (value) => typeof value === "string" && value !== "" && !value.includes("\0"),
);

const isDescriptor = isIntegerFrom(0, 2 ** 31 - 1);

const FILE_SOURCE = kind("must be an open FileHandle, a file descriptor or a Blob", (value) => {
  if (typeof value === "number") return isDescriptor(value);
  // A FileHandle that has been closed has the descriptor -1.
  return (
    value instanceof Blob || (isRecord(value) && typeof value.read === "function" && isDescriptor(value.fd))
  );
});

const SSE_EVENT = kind(
  "must be a string without CR and LF, which would forge a line of the stream",
  (value) => typeof value === "string" && !/[\r\n]/.test(value),
);

const SSE_ID = kind(
  "must be a string without CR, LF and NUL, for which a browser ignores it",
  (value) => typeof value === "string" && !/[\r\n\0]/.test(value),
);

const CLOSE_CODE = kind("must be 1000 to 1003, 1007 to 1014 or 3000 to 4999", isSendableCloseCode);

const DISCONNECT_CODE = kind("must be an integer from 1000 to 4999", isIntegerFrom(1000, 4999));

const CLOSE_REASON: ValueKind = {
  text: `must be a string of at most ${MAX_REASON_BYTES} bytes of UTF-8`,
  check(value) {
    if (typeof value !== "string") return `found ${described(value)}`;
    const bytes = Buffer.byteLength(value, "utf8");
    return bytes <= MAX_REASON_BYTES ? undefined : `found ${bytes} bytes`;
  },
};

const requestBody = {
  body: required(BYTES, 'PAGI Www, "Request"'),
  more: required(FLAG, 'PAGI Www, "Request"'),
};

function declineStart(source: string) {
  return { status: required(FINAL_STATUS, source), headers: optional(HEADERS, HEADERS_FORMAT) };
}

function declineBody(source: string) {
  return { body: optional(BODY, source), more: optional(FLAG, source) };
}

function textOrBytes(source: string): ChoiceRule<"text" | "bytes"> {
  return {
    fields: ["text", "bytes"],
    required: true,
    text: "a message has exactly one of 'text' and 'bytes'",
    source,
  };
}

/** What a body event may hold: bytes, or one of the two ways to name a file. */
const BODY_OR_FILE = {
  fields: {
    body: optional(BODY, RESPONSE_BODY),
    more: optional(FLAG, RESPONSE_BODY),
    file: optional(PATH, RESPONSE_BODY),
    fh: optional(FILE_SOURCE, RESPONSE_BODY),
    offset: optional(COUNT, RESPONSE_BODY),
    length: optional(COUNT, RESPONSE_BODY),
  },
  choice: {
    fields: ["body", "file", "fh"],
    required: false,
    text: "'body', 'file' and 'fh' exclude each other",
    source: RESPONSE_BODY,
  },
} as const;

/**
 * Every event of PAGI 0.3: who sends it, in which scope, and what its fields must be. The rule's words and its check
 * stand together, so that documentation, error messages and checks cannot differ.
 *
 * A plain table and not a schema of zod: validation is on in every development run, and importing zod alone would
 * add 12 ms to the start of the server.
 */
export const RULES: EventRules = {
  // ── http ──────────────────────────────────────────────────────────────────────────────────────────────────────
  "http.request": {
    direction: "receive",
    scopes: ["http"],
    source: 'PAGI Www, "Request"',
    fields: requestBody,
  },
  "http.disconnect": {
    direction: "receive",
    scopes: ["http"],
    source: 'PAGI Www, "Disconnect"',
    fields: {},
  },
  "http.response.interim": {
    direction: "send",
    scopes: ["http"],
    source: "RFC 9110 section 15.2",
    fields: {
      status: required(INTERIM_STATUS, "RFC 9110 section 15.2"),
      headers: optional(HEADERS, HEADERS_FORMAT),
    },
  },
  "http.response.start": {
    direction: "send",
    scopes: ["http"],
    source: RESPONSE_START,
    fields: {
      status: required(FINAL_STATUS, RESPONSE_START),
      headers: optional(HEADERS, HEADERS_FORMAT),
      trailers: optional(FLAG, RESPONSE_START),
    },
  },
  "http.response.body": {
    direction: "send",
    scopes: ["http"],
    source: RESPONSE_BODY,
    ...BODY_OR_FILE,
  },
  "http.response.trailers": {
    direction: "send",
    scopes: ["http"],
    source: 'PAGI Www, "Response Trailers"',
    fields: { headers: optional(HEADERS, HEADERS_FORMAT) },
  },
  "http.fullflush": {
    direction: "send",
    scopes: ["http", "sse"],
    source: 'PAGI Extensions, "fullflush"',
    fields: {},
  },

  // ── sse ───────────────────────────────────────────────────────────────────────────────────────────────────────
  "sse.request": {
    direction: "receive",
    scopes: ["sse"],
    source: 'PAGI Www, "SSE Request Body"',
    fields: requestBody,
  },
  "sse.disconnect": {
    direction: "receive",
    scopes: ["sse"],
    source: 'PAGI Www, "SSE Disconnect"',
    fields: { reason: required(STRING, 'PAGI Www, "SSE Disconnect"') },
  },
  "sse.start": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "Start SSE"',
    fields: {
      status: optional(FINAL_STATUS, 'PAGI Www, "Start SSE"'),
      headers: optional(HEADERS, HEADERS_FORMAT),
    },
  },
  "sse.send": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "Send SSE"',
    fields: {
      data: required(STRING, 'PAGI Www, "Send SSE"'),
      event: optional(SSE_EVENT, 'PAGI Www, "Send SSE"'),
      id: optional(SSE_ID, 'PAGI Www, "Send SSE"; WHATWG HTML section 9.2.6'),
      retry: optional(COUNT, 'PAGI Www, "Send SSE"'),
    },
  },
  "sse.comment": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "SSE Comment"',
    fields: { comment: required(STRING, 'PAGI Www, "SSE Comment"') },
  },
  "sse.keepalive": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "SSE Keepalive"',
    fields: {
      interval: required(SECONDS, 'PAGI Www, "SSE Keepalive"'),
      comment: optional(STRING, 'PAGI Www, "SSE Keepalive"'),
    },
  },
  "sse.close": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "Close SSE"',
    fields: { reason: optional(STRING, 'PAGI Www, "Close SSE"') },
  },
  "sse.http.response.start": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "Decline SSE"',
    fields: declineStart('PAGI Www, "Decline SSE"'),
  },
  "sse.http.response.body": {
    direction: "send",
    scopes: ["sse"],
    source: 'PAGI Www, "Decline SSE"',
    ...BODY_OR_FILE, // "structured exactly like http.response.body"
  },

  // ── websocket ─────────────────────────────────────────────────────────────────────────────────────────────────
  "websocket.connect": {
    direction: "receive",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Connect"',
    fields: {},
  },
  "websocket.receive": {
    direction: "receive",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Receive"',
    fields: {
      text: optional(STRING, 'PAGI Www, "WebSocket Receive"'),
      bytes: optional(BYTES, 'PAGI Www, "WebSocket Receive"'),
    },
    choice: textOrBytes('PAGI Www, "WebSocket Receive"'),
  },
  "websocket.disconnect": {
    direction: "receive",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Disconnect"',
    fields: {
      code: required(DISCONNECT_CODE, 'PAGI Www, "WebSocket Disconnect"; RFC 6455 section 7.4'),
      reason: required(STRING, 'PAGI Www, "WebSocket Disconnect"'),
    },
  },
  "websocket.accept": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Accept"',
    fields: {
      subprotocol: optional(TOKEN, 'PAGI Www, "WebSocket Accept"; RFC 6455 section 4.1'),
      headers: optional(HEADERS, HEADERS_FORMAT),
    },
  },
  "websocket.send": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Send"',
    fields: {
      text: optional(STRING, 'PAGI Www, "WebSocket Send"'),
      bytes: optional(BYTES, 'PAGI Www, "WebSocket Send"'),
    },
    choice: textOrBytes('PAGI Www, "WebSocket Send"'),
  },
  "websocket.keepalive": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Keepalive"',
    fields: {
      interval: required(SECONDS, 'PAGI Www, "WebSocket Keepalive"'),
      timeout: optional(SECONDS, 'PAGI Www, "WebSocket Keepalive"'),
    },
  },
  "websocket.close": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Close"',
    fields: {
      code: optional(CLOSE_CODE, 'PAGI Www, "WebSocket Close"; RFC 6455 section 7.4'),
      reason: optional(CLOSE_REASON, 'PAGI Www, "WebSocket Close"; RFC 6455 section 5.5'),
    },
  },
  "websocket.http.response.start": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Denial Response"',
    fields: declineStart('PAGI Www, "WebSocket Denial Response"'),
  },
  "websocket.http.response.body": {
    direction: "send",
    scopes: ["websocket"],
    source: 'PAGI Www, "WebSocket Denial Response"',
    fields: declineBody('PAGI Www, "WebSocket Denial Response"'),
  },

  // ── lifespan ──────────────────────────────────────────────────────────────────────────────────────────────────
  "lifespan.startup": {
    direction: "receive",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Startup"',
    fields: {},
  },
  "lifespan.shutdown": {
    direction: "receive",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Shutdown"',
    fields: {},
  },
  "lifespan.startup.complete": {
    direction: "send",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Startup Complete"',
    fields: {},
  },
  "lifespan.startup.failed": {
    direction: "send",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Startup Failed"',
    fields: { message: optional(STRING, 'PAGI Lifespan, "Startup Failed"') },
  },
  "lifespan.shutdown.complete": {
    direction: "send",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Shutdown Complete"',
    fields: {},
  },
  "lifespan.shutdown.failed": {
    direction: "send",
    scopes: ["lifespan"],
    source: 'PAGI Lifespan, "Shutdown Failed"',
    fields: { message: optional(STRING, 'PAGI Lifespan, "Shutdown Failed"') },
  },
};
