import {
  equal,
  holds,
  type ConformanceCase,
  type ConformanceRequest,
  type Notes,
} from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import type { Application } from "../../src/spec/application.ts";
import type { HttpScope } from "../../src/spec/scope.ts";

/** An application that notes its scope and answers with nothing. */
function noteScope(notes: Notes): Application {
  return dispatch({
    async http(scope, _receive, send) {
      notes.tell("scope", scope);
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
  });
}

/** An application that notes the request body: the pieces, and whether the last said so. */
function noteBody(notes: Notes): Application {
  return dispatch({
    async http(_scope, receive, send) {
      let body = "";
      let pieces = 0;
      for (;;) {
        const event = await receive();
        if (event.type !== "http.request") break;
        if (!(event.body instanceof Uint8Array)) throw new Error("body is no Uint8Array");
        body += Buffer.from(event.body).toString();
        pieces++;
        if (!event.more) break;
      }
      notes.tell("body", body);
      notes.tell("pieces", pieces);
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
  });
}

/** A case about one key of the scope. */
function scopeCase(
  name: string,
  source: string,
  request: ConformanceRequest,
  read: (scope: HttpScope) => unknown,
  expected: unknown,
): ConformanceCase {
  return {
    name,
    source,
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          notes.tell("seen", read(scope));
          await send({ type: "http.response.start", status: 204 });
          await send({ type: "http.response.body" });
        },
      }),
    async check(client, notes) {
      equal((await client.request(request)).status, 204, "status");
      equal(await notes.heard("seen"), expected, name);
    },
  };
}

const SCOPE = "Www, HTTP Connection Scope";
const ENCODING = "Www, PAGI Encoding Differences";
const REQUEST = "Www, Request";

/** What an application is told of an HTTP request. */
export const HTTP_REQUEST_CASES: readonly ConformanceCase[] = [
  scopeCase("the type is http", SCOPE, { target: "/" }, ({ type }) => type, "http"),
  scopeCase("pagi has both versions", SCOPE, { target: "/" }, ({ pagi }) => pagi, {
    version: "0.3",
    spec_version: "0.3",
  }),
  scopeCase(
    "the method is in upper case",
    SCOPE,
    { method: "DELETE", target: "/" },
    ({ method }) => method,
    "DELETE",
  ),
  scopeCase("HTTP/1.1 is told", SCOPE, { target: "/" }, (scope) => scope.http_version, "1.1"),
  scopeCase(
    "HTTP/1.0 is told",
    SCOPE,
    { target: "/", httpVersion: "1.0" },
    (scope) => scope.http_version,
    "1.0",
  ),
  scopeCase("the scheme is http without TLS", SCOPE, { target: "/" }, ({ scheme }) => scheme, "http"),
  scopeCase("root_path is empty by default", SCOPE, { target: "/" }, (scope) => scope.root_path, ""),
  scopeCase("the path is without the query", SCOPE, { target: "/a?b=c" }, ({ path }) => path, "/a"),
  scopeCase(
    "the query is not decoded",
    SCOPE,
    { target: "/?a=%20b&c" },
    (scope) => scope.query_string,
    "a=%20b&c",
  ),
  scopeCase("without a query it is empty", SCOPE, { target: "/" }, (scope) => scope.query_string, ""),
  scopeCase(
    "raw_path is as it was sent",
    SCOPE,
    { target: "/a%2Fb/../c" },
    (scope) => scope.raw_path,
    "/a%2Fb/../c",
  ),
  scopeCase(
    "the path is decoded as UTF-8",
    ENCODING,
    { target: "/caf%C3%A9%2Fx" },
    ({ path }) => path,
    "/café/x",
  ),
  scopeCase(
    "bytes that are no UTF-8 are one char each",
    ENCODING,
    { target: "/%FF%C3" },
    ({ path }) => path,
    "/ÿÃ",
  ),
  scopeCase(
    "a percent sign without digits is itself",
    ENCODING,
    { target: "/100%/%zz" },
    ({ path }) => path,
    "/100%/%zz",
  ),
  scopeCase(
    "header names are in lower case; order and duplicates are kept",
    "Www, Headers Format",
    {
      target: "/",
      headers: [
        ["X-B", "1"],
        ["X-A", "2"],
        ["x-b", "3"],
      ],
    },
    ({ headers }) => headers.filter(([name]) => name.startsWith("x-")),
    [
      ["x-b", "1"],
      ["x-a", "2"],
      ["x-b", "3"],
    ],
  ),
  scopeCase(
    "several cookie fields are joined in one",
    "Www, Cookie Header Normalization",
    {
      target: "/",
      headers: [
        ["cookie", "a=1"],
        ["x-a", "b"],
        ["cookie", "b=2; c=3"],
      ],
    },
    ({ headers }) => headers.filter(([name]) => name === "cookie" || name === "x-a"),
    [
      ["cookie", "a=1; b=2; c=3"],
      ["x-a", "b"],
    ],
  ),
  scopeCase(
    "extensions advertise fullflush",
    SCOPE,
    { target: "/" },
    (scope) => scope.extensions.fullflush,
    {},
  ),
  scopeCase("state is an object without lifespan too", SCOPE, { target: "/" }, ({ state }) => state, {}),
  scopeCase(
    "an Accept of anything is no event stream",
    "Www, SSE Connection Detection",
    { target: "/", headers: [["accept", "*/*"]] },
    ({ type }) => type,
    "http",
  ),
  {
    name: "two requests do not share their scope or headers",
    source: SCOPE,
    app: noteScope,
    async check(client, notes) {
      await client.request({ target: "/" });
      await client.request({ target: "/" });
      const [first, second] = [await notes.heard("scope"), await notes.heard("scope")];
      holds(first !== second, "each request has a scope of its own");
    },
  },
  {
    name: "a request without a body is one empty event",
    source: REQUEST,
    app: noteBody,
    async check(client, notes) {
      await client.request({ target: "/" });
      equal(await notes.heard("body"), "", "body");
      equal(await notes.heard("pieces"), 1, "events");
    },
  },
  {
    name: "a body with a length arrives whole",
    source: REQUEST,
    app: noteBody,
    async check(client, notes) {
      await client.request({ method: "POST", target: "/", body: "hello" });
      equal(await notes.heard("body"), "hello", "body");
    },
  },
  {
    name: "a body with a length of 0 is one empty event",
    source: REQUEST,
    app: noteBody,
    async check(client, notes) {
      await client.request({ method: "POST", target: "/", body: "" });
      equal(await notes.heard("body"), "", "body");
      equal(await notes.heard("pieces"), 1, "events");
    },
  },
  {
    name: "a chunked body arrives whole",
    source: REQUEST,
    app: noteBody,
    async check(client, notes) {
      await client.request({ method: "POST", target: "/", body: ["hel", "lo ", "world"] });
      equal(await notes.heard("body"), "hello world", "body");
    },
  },
  {
    name: "an answer may come before the body is read",
    source: REQUEST,
    app: noteScope,
    async check(client) {
      equal(
        (await client.request({ method: "POST", target: "/", body: "x".repeat(1000) })).status,
        204,
        "status",
      );
    },
  },
  scopeCase(
    "the client, where there is one, is a host and a port",
    SCOPE,
    { target: "/" },
    ({ client }) =>
      client === undefined ||
      (client.length === 2 && typeof client[0] === "string" && Number.isInteger(client[1])),
    true,
  ),
  scopeCase(
    "the server is a host and a port, or a path and null",
    SCOPE,
    { target: "/" },
    ({ server }) =>
      server.length === 2 &&
      typeof server[0] === "string" &&
      (server[1] === null || Number.isInteger(server[1])),
    true,
  ),
];
