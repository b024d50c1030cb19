import { describe } from "bun:test";
import { get, post, testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

describe("RFC 9112 section 9.3, persistence", () => {
  const wish = (version: string, connection: string[], keepAlive: boolean): Row => ({
    name: `${version} ${JSON.stringify(connection)}: ${keepAlive}`,
    input: [
      `GET / HTTP/${version}`,
      "Host: a",
      ...connection.map((value) => `Connection: ${value}`),
      "",
      "",
    ].join("\r\n"),
    requests: [{ keepAlive }],
  });
  testRows([
    wish("1.1", [], true),
    wish("1.1", ["close"], false),
    wish("1.1", ["Close"], false),
    wish("1.1", ["keep-alive"], true),
    wish("1.1", ["keep-alive, close"], false),
    wish("1.1", ["upgrade", "CLOSE"], false),
    wish("1.1", ["closed"], true),
    wish("1.1", [""], true),
    wish("1.1", [" , ,close"], false),
    wish("1.0", [], false),
    wish("1.0", ["keep-alive"], true),
    wish("1.0", ["Keep-Alive"], true),
    wish("1.0", ["x,\tkeep-alive ,y"], true),
    wish("1.0", ["keep-alive", "close"], false),
    wish("1.0", ["close, keep-alive"], false),
    wish("1.0", ["upgrade"], false),
  ]);
});

describe("RFC 9112 section 9.3.2, pipelining", () => {
  testRows([
    {
      name: "three requests in order",
      input: `${get()}${post(["Content-Length: 3"], "abc")}${post(["Transfer-Encoding: chunked"], "1\r\nx\r\n0\r\n\r\n")}`,
      requests: [{ method: "GET" }, { method: "POST", body: "abc" }, { method: "POST", body: "x" }],
    },
    {
      name: "a good request, then a bad one",
      input: `${get()}${get("bad")}`,
      requests: [{ method: "GET" }],
      error: [400, /no colon/],
    },
  ]);
});

describe("RFC 9110 section 10.1.1, Expect", () => {
  const expects = (fields: string[], expectContinue: boolean): Row => ({
    name: `${JSON.stringify(fields)}: ${expectContinue}`,
    input: post(["Content-Length: 1", ...fields], "x"),
    requests: [{ expectContinue }],
  });
  const refused = (...fields: string[]): Row => ({
    name: JSON.stringify(fields),
    input: post(["Content-Length: 1", ...fields], "x"),
    error: [417, /Only the expectation 100-continue/],
  });
  testRows([
    expects([], false),
    expects(["Expect: 100-continue"], true),
    expects(["Expect: 100-Continue"], true),
    expects(["Expect: 100-continue", "Expect: 100-continue"], true),
    expects(["Expect:"], false),
    refused("Expect: 100"),
    refused("Expect: 100-continue, x"),
    refused("Expect: 100-continue", "Expect: y=z"),
    { name: "without a body", input: get("Expect: 100-continue"), requests: [{ expectContinue: false }] },
    { name: "another without a body", input: get("Expect: x"), error: [417, /Only the expectation/] },
    {
      name: "ignored on HTTP/1.0",
      input: "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\nExpect: x\r\n\r\nx",
      requests: [{ expectContinue: false, body: "x" }],
    },
  ]);
});
