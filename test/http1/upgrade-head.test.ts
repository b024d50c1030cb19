import { describe, expect, test } from "bun:test";

import { EventError } from "../../src/errors.ts";
import { upgradeFields, webSocketHead } from "../../src/http1/upgrade-head.ts";
import type { WebSocketAnswer } from "../../src/http1/upgrade-head.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";

const EVENT = "websocket.accept";
const DATE = "Thu, 01 Jan 1970 00:00:00 GMT";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function refusalOf(headers: Headers): EventError {
  try {
    upgradeFields(EVENT, headers);
  } catch (error) {
    if (error instanceof EventError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

// ── the fields of the application ───────────────────────────────────────────────────────────────────────────────────

describe("fields", () => {
  const ROWS: [about: string, headers: Headers, lines: string][] = [
    ["none", [], ""],
    ["one", [["x-room", "7"]], "x-room: 7\r\n"],
    ["names in lower case", [["X-Room", "A"]], "x-room: A\r\n"],
    [
      "several, in their order, repeated ones too",
      [
        ["b", "1"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["a", "2"],
      ],
      "b: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\na: 2\r\n",
    ],
    ["an empty value", [["x", ""]], "x: \r\n"],
    ["bytes over 7F and tabs", [["x", "caf\xe9\t\xff"]], "x: caf\xe9\t\xff\r\n"],
    [
      "names that only look like those of the handshake",
      [
        ["sec-websocket", "1"],
        ["sec-websocket-accept-x", "2"],
        ["upgrade-insecure-requests", "1"],
      ],
      "sec-websocket: 1\r\nsec-websocket-accept-x: 2\r\nupgrade-insecure-requests: 1\r\n",
    ],
    [
      "names that every object has",
      [
        ["constructor", "1"],
        ["__proto__", "2"],
        ["tostring", "3"],
      ],
      "constructor: 1\r\n__proto__: 2\r\ntostring: 3\r\n",
    ],
  ];
  test.each(ROWS)("%s", (_about, headers, lines) => {
    expect(upgradeFields(EVENT, headers)).toBe(lines);
  });
});

describe("a field is refused", () => {
  const OWN: [name: string, why: string][] = [
    ["connection", "the server sets it"],
    ["upgrade", "the server sets it"],
    ["sec-websocket-accept", "the server sets it"],
    ["sec-websocket-extensions", "the server agrees on extensions"],
    ["sec-websocket-version", "the server sets it"],
    ["sec-websocket-protocol", "give it as 'subprotocol'"],
    ["content-length", "a 101 has no body (RFC 9110 section 8.6)"],
    ["transfer-encoding", "a 101 has no body (RFC 9112 section 6.1)"],
  ];
  test.each(OWN)("that is not the application's: %s", (name, why) => {
    for (const spelling of [name, name.toUpperCase(), name.replace(/\b./g, (each) => each.toUpperCase())]) {
      const error = refusalOf([
        ["x", "1"],
        [spelling, "1"],
      ]);
      expect(error.message).toBe(`websocket.accept: 'headers' has '${name}': ${why}`);
      expect([error.eventType, error.field]).toEqual([EVENT, "headers"]);
    }
  });

  const UNSAFE: [about: string, field: HeaderPair, problem: RegExp][] = [
    ["CR LF in a value", ["x", "1\r\nset-cookie: a=1"], /has a value of 'x' with a control character/],
    ["CR in a value", ["x", "1\r"], /has a value of 'x' with a control character/],
    ["LF in a value", ["x", "\n"], /has a value of 'x' with a control character/],
    ["NUL in a value", ["x", "\0"], /has a value of 'x' with a control character/],
    ["DEL in a value", ["x", "\x7f"], /has a value of 'x' with a control character/],
    [
      "a char that is no byte",
      ["x", "☃"],
      /has a value of 'x' with a control character .* or a char over U\+00FF/,
    ],
    ["CR LF in a name", ["x\r\ny", "1"], /has the name "x\\r\\ny": a name is/],
    ["a colon in a name", ["x:", "1"], /has the name "x:": a name is/],
    ["a space in a name", ["x ", "1"], /has the name "x ": a name is/],
    ["an empty name", ["", "1"], /has the name "": a name is/],
    ["a name of other letters", ["é", "1"], /has the name "é": a name is/],
    ["one of the handshake, spelt with a space", ["upgrade ", "1"], /has the name "upgrade ": a name is/],
  ];
  test.each(UNSAFE)("that is unsafe: %s", (_about, field, problem) => {
    const error = refusalOf([field]);
    expect(error.message).toMatch(problem);
    expect([error.eventType, error.field]).toEqual([EVENT, "headers"]);
  });
});

// ── the head: RFC 6455 section 4.2.2 ────────────────────────────────────────────────────────────────────────────────

describe("the head of a 101", () => {
  const ROWS: [about: string, answer: Partial<WebSocketAnswer>, headers: Headers, lines: string[]][] = [
    ["as short as can be", {}, [], [`date: ${DATE}`]],
    ["with a subprotocol", { subprotocol: "chat" }, [], ["sec-websocket-protocol: chat", `date: ${DATE}`]],
    [
      "with extensions",
      { extensions: "permessage-deflate; server_no_context_takeover" },
      [],
      ["sec-websocket-extensions: permessage-deflate; server_no_context_takeover", `date: ${DATE}`],
    ],
    [
      "with everything",
      { subprotocol: "chat", extensions: "x" },
      [
        ["Set-Cookie", "a=1"],
        ["x", "2"],
      ],
      [
        "sec-websocket-protocol: chat",
        "sec-websocket-extensions: x",
        "set-cookie: a=1",
        "x: 2",
        `date: ${DATE}`,
      ],
    ],
    [
      "with the application's date first",
      {},
      [
        ["Date", "today"],
        ["x", "1"],
      ],
      ["date: today", "x: 1"],
    ],
    [
      "with the application's date last",
      {},
      [
        ["x", "1"],
        ["date", "today"],
      ],
      ["x: 1", "date: today"],
    ],
    [
      "with fields that only look like a date",
      {},
      [
        ["x-date", "1"],
        ["dates", "2"],
        ["x", "date: 3"],
      ],
      ["x-date: 1", "dates: 2", "x: date: 3", `date: ${DATE}`],
    ],
  ];
  test.each(ROWS)("%s", (_about, answer, headers, lines) => {
    const whole = { accept: ACCEPT, subprotocol: undefined, extensions: "", ...answer };
    const head = webSocketHead(whole, upgradeFields(EVENT, headers), DATE);
    expect(head.split("\r\n")).toEqual([
      "HTTP/1.1 101 Switching Protocols",
      "upgrade: websocket",
      "connection: Upgrade",
      `sec-websocket-accept: ${ACCEPT}`,
      ...lines,
      "",
      "",
    ]);
  });
});
