import { describe } from "bun:test";
import { testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

const line = (requestLine: string) => `${requestLine}\r\nHost: h:1\r\n\r\n`;

function refused(message: RegExp, ...lines: string[]): Row[] {
  return lines.map((text) => ({ name: JSON.stringify(text), input: line(text), error: [400, message] }));
}

describe("RFC 9112 section 3, request line", () => {
  testRows(
    refused(
      /request line is not|method is no token|version is malformed/,
      "GET",
      "GET /",
      "GET / ",
      " GET / HTTP/1.1",
      "GET  / HTTP/1.1",
      "GET /  HTTP/1.1",
      "GET / HTTP/1.1 ",
      "GET\t/\tHTTP/1.1",
      "GET / x HTTP/1.1",
      "GET / HTTP/1.1\t",
    ),
  );
});

describe("RFC 9112 section 3.1, method", () => {
  testRows([
    ...["GET", "HEAD", "PROPFIND", "get", "M-SEARCH", "!#$%&'*+-.^_`|~09", "X".repeat(300)].map((method) => ({
      name: method.slice(0, 20),
      input: line(`${method} / HTTP/1.1`),
      requests: [{ method }],
    })),
    ...refused(
      /method is no token/,
      "G(T / HTTP/1.1",
      "GET: / HTTP/1.1",
      'G"T / HTTP/1.1',
      "G\xe9T / HTTP/1.1",
      "G/T / HTTP/1.1",
    ),
  ]);
});

describe("RFC 9112 section 3.2, request target", () => {
  testRows([
    ...refused(
      /request target holds a char/,
      "GET /a#b HTTP/1.1",
      "GET # HTTP/1.1",
      "GET /\xe9 HTTP/1.1",
      "GET /\ta HTTP/1.1",
      "GET /\x80?x HTTP/1.1",
    ),
    ...refused(
      /none of the four forms/,
      "GET a HTTP/1.1",
      "GET ?a HTTP/1.1",
      "GET a:80 HTTP/1.1",
      "GET ftp://a/ HTTP/1.1",
      "GET http:/a HTTP/1.1",
      "GET http:a HTTP/1.1",
      "GET *a HTTP/1.1",
    ),
    { name: "DEL", input: line("GET /\x7f HTTP/1.1"), error: [400, /control character/] },
  ]);
});

describe("RFC 9112 section 3.2.1, origin form", () => {
  const target = (text: string, rawPath: string, queryString: string) => ({
    name: text,
    input: line(`GET ${text} HTTP/1.1`),
    requests: [{ target: text, rawPath, queryString, headers: [["host", "h:1"]] as [string, string][] }],
  });
  testRows([
    target("/", "/", ""),
    target("/a/b", "/a/b", ""),
    target("/a?", "/a", ""),
    target("/a?b=c?d", "/a", "b=c?d"),
    target("/?/", "/", "/"),
    target("//a/b", "//a/b", ""),
    target("/../%2e%zz", "/../%2e%zz", ""),
    target('/"<>[]\\^`{|}', '/"<>[]\\^`{|}', ""),
    target("/http://x/", "/http://x/", ""),
  ]);
});

describe("RFC 9112 section 3.2.2, absolute form", () => {
  const target = (text: string, host: string, rawPath: string, queryString = "") => ({
    name: text,
    input: line(`GET ${text} HTTP/1.1`),
    requests: [{ target: text, rawPath, queryString, headers: [["host", host]] as [string, string][] }],
  });
  testRows([
    target("http://other/a?b", "other", "/a", "b"),
    target("https://other:8080/a", "other:8080", "/a"),
    target("HTTP://Other/", "Other", "/"),
    target("http://other", "other", "/"),
    target("http://other?q", "other", "/", "q"),
    target("http://[::1]:80/x", "[::1]:80", "/x"),
    {
      name: "Host is replaced where it stands",
      input: "GET http://b/ HTTP/1.1\r\nx: 1\r\nHost: a\r\ny: 2\r\n\r\n",
      requests: [
        {
          headers: [
            ["x", "1"],
            ["host", "b"],
            ["y", "2"],
          ],
        },
      ],
    },
    {
      name: "without a Host on 1.0 it comes first",
      input: "GET http://b/ HTTP/1.0\r\nx: 1\r\n\r\n",
      requests: [
        {
          headers: [
            ["host", "b"],
            ["x", "1"],
          ],
        },
      ],
    },
    {
      name: "Host is still needed on 1.1",
      input: "GET http://b/ HTTP/1.1\r\n\r\n",
      error: [400, /Host is missing/],
    },
    {
      name: "Host is still checked",
      input: "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n",
      error: [400, /Host is no/],
    },
    ...refused(
      /authority is no host and port/,
      "GET http:// HTTP/1.1",
      "GET http:/// HTTP/1.1",
      "GET http://:80/ HTTP/1.1",
      "GET http://user@other/ HTTP/1.1",
      "GET http://user:pass@other/ HTTP/1.1",
      "GET http://other:x/ HTTP/1.1",
      "GET http://other:65536/ HTTP/1.1",
      "GET http://a\\b/ HTTP/1.1",
      "GET http://[::1/ HTTP/1.1",
    ),
  ]);
});

describe("RFC 9112 section 3.2.3, authority form", () => {
  testRows([
    {
      name: "CONNECT host:port",
      input: line("CONNECT other:443 HTTP/1.1"),
      requests: [{ target: "other:443", rawPath: "other:443", queryString: "", headers: [["host", "h:1"]] }],
    },
    {
      name: "CONNECT [::1]:443",
      input: line("CONNECT [::1]:443 HTTP/1.1"),
      requests: [{ rawPath: "[::1]:443" }],
    },
    ...refused(
      /CONNECT needs a target/,
      "CONNECT other HTTP/1.1",
      "CONNECT other: HTTP/1.1",
      "CONNECT other:0 HTTP/1.1",
      "CONNECT :443 HTTP/1.1",
      "CONNECT [::1] HTTP/1.1",
      "CONNECT / HTTP/1.1",
      "CONNECT * HTTP/1.1",
      "CONNECT http://other:443/ HTTP/1.1",
      "CONNECT u@other:443 HTTP/1.1",
    ),
  ]);
});

describe("RFC 9112 section 3.2.4, asterisk form", () => {
  testRows([
    { name: "OPTIONS *", input: line("OPTIONS * HTTP/1.1"), requests: [{ target: "*", rawPath: "*" }] },
    {
      name: "OPTIONS http://other",
      input: line("OPTIONS http://other HTTP/1.1"),
      requests: [{ rawPath: "*" }],
    },
    {
      name: "OPTIONS http://other?",
      input: line("OPTIONS http://other? HTTP/1.1"),
      requests: [{ rawPath: "/" }],
    },
    {
      name: "OPTIONS http://other/",
      input: line("OPTIONS http://other/ HTTP/1.1"),
      requests: [{ rawPath: "/" }],
    },
    ...refused(/Only OPTIONS/, "GET * HTTP/1.1", "options * HTTP/1.1"),
  ]);
});

describe("RFC 9112 section 3.2, Host", () => {
  const hosts = (...values: string[]) =>
    ["GET / HTTP/1.1", ...values.map((value) => `Host:${value}`), "", ""].join("\r\n");
  const good = [
    "a",
    "a.b-c_d~e",
    "1.2.3.4",
    "a:80",
    "a:",
    "a:65535",
    "[::1]",
    "[::1]:8080",
    "[::ffff:1.2.3.4]",
    "[v1.a:b]",
    "%41b",
    "a!$&'()*+,;=",
    "A.EXAMPLE",
  ];
  const bad = [
    "a b",
    "a/b",
    "a@b",
    "a:b",
    "a:65536",
    "a:-1",
    ":80",
    "a:80:80",
    "[::1",
    "::1",
    "[::1]x",
    "[1::2::3]",
    "[::1%eth0]",
    "[]",
    "[g::]",
    "%4",
    "a?b",
    "a\\b",
    "\xe9",
    "a,b c",
    "a#",
  ];
  testRows([
    ...good.map((value) => ({
      name: `'${value}'`,
      input: hosts(` ${value}`),
      requests: [{ headers: [["host", value]] as [string, string][] }],
    })),
    ...bad.map((value): Row => ({
      name: `'${value}'`,
      input: hosts(value),
      error: [400, /Host is no host/],
    })),
    { name: "empty", input: hosts(""), requests: [{ headers: [["host", ""]] }] },
    { name: "missing on 1.1", input: "GET / HTTP/1.1\r\nx: y\r\n\r\n", error: [400, /Host is missing/] },
    { name: "missing on 1.0", input: "GET / HTTP/1.0\r\n\r\n", requests: [{ headers: [] }] },
    { name: "twice", input: hosts("a", "b"), error: [400, /more than once/] },
    { name: "twice the same", input: hosts("a", "a"), error: [400, /more than once/] },
    {
      name: "twice on 1.0",
      input: "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
      error: [400, /more than once/],
    },
    { name: "invalid on 1.0", input: "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", error: [400, /Host is no host/] },
  ]);
});
