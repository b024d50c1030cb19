import { describe, expect, test } from "bun:test";
import fs from "node:fs/promises";
import { EventError } from "../../src/errors.ts";
import type { Scope } from "../../src/spec/scope.ts";
import {
  RULES,
  SCOPE_RULES,
  validateReceiveEvent,
  validateScope,
  validateSendEvent,
} from "../../src/spec/validate.ts";
import type { EventRule } from "../../src/spec/validate/event-rules.ts";

type Fields = Record<string, unknown>;

/** Good events, and bad ones with the field that the error names. */
interface Rows {
  good: Fields[];
  bad: [fields: Fields, field: string][];
}

const BYTES = new Uint8Array([1, 2, 3]);

const NOT_STRINGS = [1, true, {}, [], BYTES, () => {}];
const NOT_FLAGS = [2, -1, "1", "true", {}, 0.5, NaN];
const NOT_COUNTS = [-1, 1.5, NaN, Infinity, "1", 2 ** 53, true, 1n];
const NOT_SECONDS = [-1, NaN, Infinity, "1", true];
const NOT_BODIES = [1, [], {}, new ArrayBuffer(2), [1, 2], true, new DataView(new ArrayBuffer(1))];
const NOT_STATUSES = [100, 103, 199, 1000, 0, -200, 200.5, "200", NaN, true, 200n];

const NOT_HEADERS: unknown[] = [
  "a: b",
  { a: "b" },
  new Headers({ a: "b" }),
  new Map([["a", "b"]]),
  ["a", "b"],
  [["a"]],
  [["a", "b", "c"]],
  [{ 0: "a", 1: "b" }],
  [["A", "b"]],
  [["content-Type", "b"]],
  [["", "b"]],
  [["a b", "b"]],
  [["a:", "b"]],
  [["a\n", "b"]],
  [["é", "b"]],
  [["a", 1]],
  [["a", null]],
  [[1, "b"]],
  [["a", "b\r\nc: d"]],
  [["a", "\n"]],
  [["a", "\r"]],
  [["a", "\0"]],
  [["a", "€"]],
  [
    ["a", "b"],
    ["C", "d"],
  ],
];

const GOOD_HEADERS: unknown[] = [
  null,
  undefined,
  [],
  [
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["x-latin", "caf\xe9 \xff"],
    ["x_under.score~", ""],
  ],
];

/** Rows for a field that goes with the fields of `rest`. */
function bad(field: string, values: readonly unknown[], rest: Fields = {}): [Fields, string][] {
  return values.map((value) => [{ ...rest, [field]: value }, field]);
}

function good(field: string, values: readonly unknown[], rest: Fields = {}): Fields[] {
  return values.map((value) => ({ ...rest, [field]: value }));
}

const NO_FIELDS: Rows = { good: [{}, { unknown: 1 }], bad: [] };

const REQUEST_ROWS: Rows = {
  good: [
    { body: BYTES, more: true },
    { body: new Uint8Array(), more: false },
    { body: Buffer.from("x"), more: 0 },
    { body: BYTES, more: 1, extra: "ignored" },
  ],
  bad: [
    ...bad("body", ["text", null, undefined, ...NOT_BODIES], { more: false }),
    ...bad("more", [null, undefined, ...NOT_FLAGS], { body: BYTES }),
  ],
};

const DECLINE_START_ROWS: Rows = {
  good: [...good("status", [200, 204, 401, 599, 999]), ...good("headers", GOOD_HEADERS, { status: 404 })],
  bad: [
    ...bad("status", [undefined, null, ...NOT_STATUSES]),
    ...bad("headers", NOT_HEADERS, { status: 404 }),
  ],
};

const BODY_ROWS: Rows = {
  good: [
    {},
    ...good("body", [null, undefined, "", "grüße", BYTES, Buffer.from("x")]),
    ...good("more", [null, undefined, true, false, 0, 1]),
  ],
  bad: [...bad("body", NOT_BODIES), ...bad("more", NOT_FLAGS)],
};

const MESSAGE_ROWS: Rows = {
  good: [
    { text: "" },
    { text: "grüße", bytes: null },
    { bytes: BYTES },
    { bytes: new Uint8Array(), text: undefined },
  ],
  bad: [
    [{}, "text"],
    [{ text: null, bytes: null }, "text"],
    [{ text: "a", bytes: BYTES }, "bytes"],
    [{ text: "", bytes: new Uint8Array() }, "bytes"],
    ...bad("text", NOT_STRINGS),
    ...bad("bytes", ["text", ...NOT_BODIES]),
  ],
};

const FAILED_ROWS: Rows = {
  good: [{}, ...good("message", [null, undefined, "", "no database"])],
  bad: bad("message", [...NOT_STRINGS, new Error("no database")]),
};

const closedHandle = await fs.open(import.meta.path);
await closedHandle.close();

const FILE_ROWS: Rows = {
  good: [
    ...BODY_ROWS.good,
    { file: "/srv/a", body: null, fh: undefined, offset: 0, length: 0 },
    { file: "/srv/a", offset: null, length: null, more: 1 },
    { fh: 3, offset: 5, length: Number.MAX_SAFE_INTEGER },
    { fh: Bun.file("/srv/a") },
    { fh: new Blob(["x"]) },
    { fh: { fd: 3, read() {} } },
  ],
  bad: [
    ...BODY_ROWS.bad,
    ...bad("file", ["", "a\0b", new URL("file:///srv/a"), ...NOT_STRINGS]),
    ...bad("fh", [-1, 1.5, "3", {}, { fd: 3 }, new ReadableStream(), closedHandle]),
    ...bad("offset", NOT_COUNTS, { file: "/srv/a" }),
    ...bad("length", NOT_COUNTS, { fh: 3 }),
    [{ body: "a", file: "/srv/a" }, "file"],
    [{ body: "", fh: 3 }, "fh"],
    [{ file: "/srv/a", fh: 3 }, "fh"],
  ],
};

const ROWS: Record<keyof typeof RULES, Rows> = {
  "http.request": REQUEST_ROWS,
  "http.disconnect": NO_FIELDS,
  "http.response.interim": {
    good: [...good("status", [100, 101, 103, 199]), ...good("headers", GOOD_HEADERS, { status: 103 })],
    bad: [
      ...bad("status", [undefined, null, 99, 200, "103", 103.5]),
      ...bad("headers", NOT_HEADERS, { status: 103 }),
    ],
  },
  "http.response.start": {
    good: [
      ...good("status", [200, 299, 304, 404, 500, 999]),
      ...good("headers", GOOD_HEADERS, { status: 200 }),
      ...good("trailers", [null, undefined, true, false, 0, 1], { status: 200 }),
      { status: 200, reason: ["ignored"] },
    ],
    bad: [
      ...bad("status", [undefined, null, ...NOT_STATUSES]),
      ...bad("headers", NOT_HEADERS, { status: 200 }),
      ...bad("trailers", NOT_FLAGS, { status: 200 }),
    ],
  },
  "http.response.body": FILE_ROWS,
  "http.response.trailers": { good: good("headers", GOOD_HEADERS), bad: bad("headers", NOT_HEADERS) },
  "http.fullflush": NO_FIELDS,
  "sse.request": REQUEST_ROWS,
  "sse.disconnect": {
    good: good("reason", ["client_closed", "x-rate-limited", "job_complete"]),
    bad: bad("reason", [undefined, null, ...NOT_STRINGS]),
  },
  "sse.start": {
    good: [{}, ...good("status", [undefined, null, 200, 204]), ...good("headers", GOOD_HEADERS)],
    bad: [...bad("status", NOT_STATUSES), ...bad("headers", NOT_HEADERS)],
  },
  "sse.send": {
    good: [
      ...good("data", ["", "a\nb\r\nc", "grüße"]),
      ...good("event", [null, undefined, "", "tick"], { data: "a" }),
      ...good("id", [null, undefined, "", "42"], { data: "a" }),
      ...good("retry", [null, undefined, 0, 3000], { data: "a" }),
    ],
    bad: [
      ...bad("data", [undefined, null, ...NOT_STRINGS]),
      ...bad("event", ["a\nb", "a\rb", "\n", ...NOT_STRINGS], { data: "a" }),
      ...bad("id", ["a\nb", "a\rb", "a\0b", ...NOT_STRINGS], { data: "a" }),
      ...bad("retry", NOT_COUNTS, { data: "a" }),
    ],
  },
  "sse.comment": {
    good: good("comment", ["", ":keepalive", "ping"]),
    bad: bad("comment", [undefined, null, ...NOT_STRINGS]),
  },
  "sse.keepalive": {
    good: [
      ...good("interval", [0, 0.5, 30]),
      ...good("comment", [null, undefined, "", "ping"], { interval: 1 }),
    ],
    bad: [
      ...bad("interval", [undefined, null, ...NOT_SECONDS]),
      ...bad("comment", NOT_STRINGS, { interval: 1 }),
    ],
  },
  "sse.close": {
    good: [{}, ...good("reason", [null, undefined, "", "done"])],
    bad: bad("reason", NOT_STRINGS),
  },
  "sse.http.response.start": DECLINE_START_ROWS,
  "sse.http.response.body": FILE_ROWS,
  "websocket.connect": NO_FIELDS,
  "websocket.receive": MESSAGE_ROWS,
  "websocket.disconnect": {
    good: [
      ...good("code", [1000, 1005, 1006, 4999], { reason: "" }),
      { code: 1006, reason: "client_closed" },
    ],
    bad: [
      ...bad("code", [undefined, null, 999, 5000, 1000.5, "1000"], { reason: "" }),
      ...bad("reason", [undefined, null, ...NOT_STRINGS], { code: 1000 }),
    ],
  },
  "websocket.accept": {
    good: [{}, ...good("subprotocol", [null, undefined, "chat.v2"]), ...good("headers", GOOD_HEADERS)],
    bad: [...bad("subprotocol", ["", "a b", "a,b", "é", ...NOT_STRINGS]), ...bad("headers", NOT_HEADERS)],
  },
  "websocket.send": MESSAGE_ROWS,
  "websocket.keepalive": {
    good: [...good("interval", [0, 0.5, 30]), ...good("timeout", [null, undefined, 0, 20], { interval: 1 })],
    bad: [
      ...bad("interval", [undefined, null, ...NOT_SECONDS]),
      ...bad("timeout", NOT_SECONDS, { interval: 1 }),
    ],
  },
  "websocket.close": {
    good: [
      {},
      ...good("code", [null, undefined, 1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999]),
      ...good("reason", [null, undefined, "", "x".repeat(123), "é".repeat(61)]),
    ],
    bad: [
      ...bad("code", [999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, "1000", NaN]),
      ...bad("reason", ["x".repeat(124), "é".repeat(62), "😀".repeat(31), ...NOT_STRINGS]),
    ],
  },
  "websocket.http.response.start": DECLINE_START_ROWS,
  "websocket.http.response.body": BODY_ROWS,
  "lifespan.startup": NO_FIELDS,
  "lifespan.shutdown": NO_FIELDS,
  "lifespan.startup.complete": NO_FIELDS,
  "lifespan.startup.failed": FAILED_ROWS,
  "lifespan.shutdown.complete": NO_FIELDS,
  "lifespan.shutdown.failed": FAILED_ROWS,
};

/** The error of a check that has to fail. */
function errorOf(check: () => void): EventError {
  try {
    check();
  } catch (error) {
    if (error instanceof EventError) return error;
    throw error;
  }
  throw new Error("The check let it pass.");
}

const ENTRIES = Object.entries<EventRule>(RULES);

describe.each(ENTRIES.map(([type, rule]) => ({ type, rule })))("$type", ({ type, rule }) => {
  const rows = ROWS[type as keyof typeof RULES];
  const own = rule.scopes[0] ?? "http";
  const validate = rule.direction === "send" ? validateSendEvent : validateReceiveEvent;
  const validateOther = rule.direction === "send" ? validateReceiveEvent : validateSendEvent;

  test("good values", () => {
    for (const scope of rule.scopes) for (const fields of rows.good) validate(scope, { type, ...fields });
  });

  test("bad values, with the event, the field, the rule and its source", () => {
    for (const [fields, field] of rows.bad) {
      const error = errorOf(() => validate(own, { type, ...fields }));
      expect([error.eventType, error.field, error.code]).toEqual([type, field, "ERR_PAGI_EVENT"]);
      const texts = [rule.fields[field]?.text, rule.choice?.text].filter((text) => text !== undefined);
      expect(texts.some((text) => error.message.includes(text))).toBe(true);
      expect(error.message).toMatch(/^[a-z.]+: '[a-z]+' .*\((PAGI|RFC) .*\)$/s);
    }
  });

  test("every field has rows", () => {
    const named = new Set(rows.bad.map(([, field]) => field));
    expect([...named].sort()).toEqual(Object.keys(rule.fields).sort());
  });

  test("other scopes and the other direction", () => {
    for (const scope of Object.keys(SCOPE_RULES) as Scope["type"][]) {
      if (rule.scopes.includes(scope)) continue;
      const error = errorOf(() => validate(scope, { type, ...rows.good[0] }));
      expect(error.message).toContain(`is an event of the scope type '${own}'`);
    }
    const error = errorOf(() => validateOther(own, { type, ...rows.good[0] }));
    expect(error.message).toContain(
      rule.direction === "send" ? "from the application only" : "from the server only",
    );
  });
});

test.each([
  ["http.response.strat", "http.response.start"],
  ["http.response.Body", "http.response.body"],
  ["websocket.recieve", "websocket.receive"],
  ["sse.event", "sse.send"],
  ["lifespan.startup.completed", "lifespan.startup.complete"],
  ["constructor", ""],
  ["__proto__", ""],
  ["x".repeat(100_000), ""],
])("the unknown type %p is told the nearest known one", (type, nearest) => {
  const error = errorOf(() => validateSendEvent("http", { type }));
  expect([error.eventType, error.field]).toEqual([type, undefined]);
  expect(error.message).toContain(`the nearest known one is '${nearest}`);
});

test.each([[undefined], [null], ["http.response.start"], [42], [() => {}]])("%p is no event", (event) => {
  expect(errorOf(() => validateSendEvent("http", event)).message).toContain(
    "must be an object with a 'type'",
  );
});

test.each([[{}], [{ type: 1 }], [{ type: null }], [[]]])("without a type: %j", (event) => {
  expect(errorOf(() => validateSendEvent("http", event)).field).toBe("type");
});

test.each<[event: Fields, message: string]>([
  [
    { type: "http.response.start", status: "200" },
    `http.response.start: 'status' must be a final status, an integer from 200 to 999 (1xx is for the server); found the string "200" (PAGI Www, "Response Start")`,
  ],
  [
    { type: "http.response.start" },
    `http.response.start: 'status' is missing: it must be a final status, an integer from 200 to 999 (1xx is for the server) (PAGI Www, "Response Start")`,
  ],
  [
    { type: "http.response.body", body: "a", file: "/b" },
    `http.response.body: 'file' is given besides 'body': 'body', 'file' and 'fh' exclude each other (PAGI Www, "Response Body")`,
  ],
])("messages say what is wrong and what is right: %j", (event, message) => {
  expect(errorOf(() => validateSendEvent("http", event)).message).toBe(message);
});

test.each<[headers: unknown, problem: string]>([
  [[["X-Id", "1"]], 'entry 0 has the name "X-Id", which is not in lower case'],
  [
    [
      ["a", "b"],
      ["c d", "e"],
    ],
    'entry 1 has the name "c d", which is not a token',
  ],
  [[["a", "b\r\nc"]], 'entry 0 ("a") has a value with CR, LF or NUL'],
  [[["a", "€"]], 'entry 0 ("a") has a value with a char above U+00FF'],
  [[["a", 5]], 'entry 0 ("a") has a value of type number'],
  [[[5, "a"]], "entry 0 has a name of type number"],
  [["a"], "entry 0 is not a pair"],
  [new Headers(), "found an object of class Headers"],
])("a bad header is named: %j", (headers, problem) => {
  const event = { type: "http.response.trailers", headers };
  expect(errorOf(() => validateSendEvent("http", event)).message).toContain(`; ${problem} (`);
});

test("an open FileHandle is a source of bytes", async () => {
  await using handle = await fs.open(import.meta.path);
  validateSendEvent("http", { type: "http.response.body", fh: handle });
});

// ── scopes ──────────────────────────────────────────────────────────────────────────────────────────────────────

function methods(...names: string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, () => {}]));
}

const TRANSPORT = methods("bufferedAmount", "highWaterMark", "lowWaterMark", "onHighWater", "onDrain");

const CONNECTION = methods(
  "isConnected",
  "disconnectReason",
  "onDisconnect",
  "onComplete",
  "whenDisconnected",
  "responseStarted",
  "responseComplete",
);

const REQUEST_SCOPE: Fields = {
  pagi: { version: "0.3", spec_version: "0.3" },
  state: {},
  http_version: "1.1",
  method: "GET",
  path: "/grüße",
  raw_path: "/gr%C3%BC%C3%9Fe",
  query_string: "",
  root_path: "",
  headers: [
    ["host", "example.org"],
    ["cookie", "a=1; b=2"],
  ],
  client: ["192.0.2.7", 50_000],
  server: ["127.0.0.1", 5000],
  extensions: { fullflush: {} },
  "pagi.transport": TRANSPORT,
};

const SCOPES: Record<Scope["type"], Fields> = {
  http: { ...REQUEST_SCOPE, type: "http", scheme: "http", "pagi.connection": CONNECTION },
  sse: { ...REQUEST_SCOPE, type: "sse", scheme: "https" },
  websocket: { ...REQUEST_SCOPE, type: "websocket", scheme: "ws", subprotocols: ["chat"] },
  lifespan: {
    type: "lifespan",
    pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
    state: {},
  },
};

const SCOPE_NAMES = Object.keys(SCOPES) as Scope["type"][];

/** Bad values of each key, in every scope that has the key. */
const BAD_KEYS: Record<string, unknown[]> = {
  pagi: [undefined, "0.3", {}, { version: 0.3 }, { version: "0.3", spec_version: 0.3 }],
  state: [undefined, null, "state"],
  http_version: [undefined, 1.1, "3.0", "HTTP/1.1"],
  method: [undefined, "", "GET /", 1],
  scheme: [undefined, "ftp", "HTTP"],
  path: [undefined, null, 1],
  raw_path: [undefined, "/€", 1],
  query_string: [undefined, null, "€"],
  root_path: [undefined, 1],
  headers: [
    ...NOT_HEADERS,
    undefined,
    [
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ],
  ],
  client: [
    "127.0.0.1",
    ["127.0.0.1"],
    ["127.0.0.1", "80"],
    ["127.0.0.1", null],
    [1, 2],
    ["127.0.0.1", 65_536],
  ],
  server: [undefined, ["127.0.0.1"], ["127.0.0.1", "80"], ["/run/a.sock", undefined], [1, 2]],
  extensions: [undefined, [1], { Fullflush: {} }, { fullflush: true }],
  "pagi.transport": [undefined, {}, { ...TRANSPORT, onDrain: true }],
  "pagi.connection": [undefined, {}, { ...CONNECTION, isConnected: undefined }],
  subprotocols: [undefined, "chat", [1]],
};

test.each(SCOPE_NAMES)("a good %s scope", (type) => {
  const scope = SCOPES[type];
  validateScope(scope);
  validateScope({ ...scope, "myapp.key": 1, client: undefined });
  if (type !== "lifespan") {
    validateScope({
      ...scope,
      client: ["::1", 0],
      server: ["/run/a.sock", null],
      headers: [],
      extensions: {},
    });
  }
});

test.each(SCOPE_NAMES)("bad keys of a scope of type %s", (type) => {
  for (const key of Object.keys(SCOPE_RULES[type])) {
    for (const value of BAD_KEYS[key]!) {
      const error = errorOf(() => validateScope({ ...SCOPES[type], [key]: value }));
      expect([error.eventType, error.field]).toEqual([`${type} scope`, key]);
    }
  }
});

test("bad versions of a lifespan scope", () => {
  const pagi = { version: "0.3", spec_version: "0.3", is_worker: 1, worker_num: 1, role: "worker" };
  validateScope({ type: "lifespan", state: {}, pagi });
  for (const change of [
    { is_worker: true },
    { worker_num: 0 },
    { worker_num: "1" },
    { role: "boss" },
    { version: 1 },
  ]) {
    const error = errorOf(() => validateScope({ type: "lifespan", state: {}, pagi: { ...pagi, ...change } }));
    expect([error.eventType, error.field]).toEqual(["lifespan scope", "pagi"]);
  }
});

test.each([[undefined], [null], ["http"]])("%p is no scope", (scope) => {
  expect(errorOf(() => validateScope(scope)).message).toContain("scope: must be an object");
});

test.each([[undefined], ["ftp"], ["constructor"], [1]])("%p is no type of scope", (type) => {
  expect(errorOf(() => validateScope({ type })).message).toContain("one of http, sse, websocket, lifespan");
});
