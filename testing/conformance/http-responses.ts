import { careless, equal, holds, outcome, PLAIN, readText, rejection, valuesOf } from "./conformance-case.ts";
import type { ConformanceCase, ConformanceResponse, Notes } from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import type { HttpResponseStart, SendEvent } from "../../src/spec/events.ts";
import type { HeaderPair } from "../../src/spec/values.ts";

const START = "Www, Response Start";
const BODY = "Www, Response Body";
const TRAILERS = "Www, Response Trailers";
const SUPPLIED = "Www, Server-Supplied Headers and Behaviors";
const NO_RESPONSE = "Www, Application Produced No Response";
const ERRORS = "Spec, Error Handling";

/** A case whose application sends these events, and notes how each `send` ends. */
function sends(
  name: string,
  source: string,
  events: readonly SendEvent[],
  expect: (response: ConformanceResponse, outcomes: string[]) => void,
  method = "GET",
): ConformanceCase {
  return {
    name,
    source,
    app: (notes) =>
      careless("http", async (_receive, send) => {
        const outcomes: string[] = [];
        for (const event of events) outcomes.push(await outcome(send(event)));
        notes.tell("outcomes", outcomes);
      }),
    async check(client, notes) {
      const response = await client.request({ method, target: "/" });
      const outcomes = await notes.heard("outcomes");
      if (!Array.isArray(outcomes)) throw new Error("no outcomes");
      expect(response, outcomes.map(String));
    },
  };
}

/** A case whose application does one wrong thing first, and is then answered for with a proper response. */
function refuses(
  name: string,
  source: string,
  wrong: readonly SendEvent[],
  code: "ERR_PAGI_EVENT" | "ERR_PAGI_STATE",
): ConformanceCase {
  const right: SendEvent[] = [start(200), { type: "http.response.body", body: "right" }];
  const isLate = wrong.some(({ type }) => type === "http.response.start") && wrong.length > 1;
  const events = isLate ? wrong : [...wrong, ...right];
  return sends(name, source, events, (response, outcomes) => {
    equal(outcomes[isLate ? outcomes.length - 1 : 0], code, "what send did");
    if (!isLate) equal(response.body, "right", "the body of the response that follows");
  });
}

function start(status: number, ...headers: HeaderPair[]): HttpResponseStart {
  return { type: "http.response.start", status, headers };
}

/** An application that starts a response of 5 bytes and sends `body` for them. */
function promisesFive(body: string): (notes: Notes) => ReturnType<typeof dispatch> {
  return (notes) =>
    dispatch({
      async http(scope, _receive, send) {
        scope["pagi.connection"].onDisconnect((reason) => notes.tell("reason", reason));
        await send(start(200, ["content-length", "5"]));
        notes.tell("outcome", await outcome(send({ type: "http.response.body", body })));
      },
    });
}

/** What a client gets of an HTTP response, and what `send` refuses. */
export const HTTP_RESPONSE_CASES: readonly ConformanceCase[] = [
  sends(
    "status, fields and body",
    START,
    [start(201, PLAIN, ["x-a", "b"]), { type: "http.response.body", body: "hi" }],
    (response) => {
      equal(response.status, 201, "status");
      equal(valuesOf(response.headers, "content-type"), ["text/plain"], "content-type");
      equal(valuesOf(response.headers, "x-a"), ["b"], "x-a");
      equal(response.body, "hi", "body");
    },
  ),
  sends(
    "a field may be there several times",
    "Www, Headers Format",
    [start(200, ["set-cookie", "a=1"], ["set-cookie", "b=2"]), { type: "http.response.body" }],
    (response) => {
      equal(valuesOf(response.headers, "set-cookie"), ["a=1", "b=2"], "set-cookie");
    },
  ),
  sends("date is supplied", SUPPLIED, [start(200), { type: "http.response.body" }], (response) => {
    const [date = "", ...more] = valuesOf(response.headers, "date");
    equal(more, [], "more dates");
    holds(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(date), `'${date}' is an HTTP date`);
  }),
  sends(
    "a date of the application's stays",
    SUPPLIED,
    [start(200, ["date", "Thu, 01 Jan 1970 00:00:00 GMT"]), { type: "http.response.body" }],
    (response) => {
      equal(valuesOf(response.headers, "date"), ["Thu, 01 Jan 1970 00:00:00 GMT"], "date");
    },
  ),
  sends(
    "a transfer-encoding of the application's is dropped",
    SUPPLIED,
    [start(200, ["transfer-encoding", "gzip"]), { type: "http.response.body", body: "plain" }],
    (response) => {
      holds(!valuesOf(response.headers, "transfer-encoding").includes("gzip"), "gzip is not said");
      equal(response.body, "plain", "body");
    },
  ),
  sends(
    "a body of several events is one",
    BODY,
    [
      start(200),
      { type: "http.response.body", body: "a", more: true },
      { type: "http.response.body", body: "b", more: true },
      { type: "http.response.body", body: "c" },
    ],
    (response) => {
      equal(response.body, "abc", "body");
    },
  ),
  sends(
    "flags may be 0 and 1",
    "Spec, Permitted Event Data Types",
    [
      start(200),
      { type: "http.response.body", body: "a", more: 1 },
      { type: "http.response.body", body: "b", more: 0 },
    ],
    (response) => {
      equal(response.body, "ab", "body");
    },
  ),
  sends(
    "text goes out as UTF-8",
    BODY,
    [start(200, ["content-length", "3"]), { type: "http.response.body", body: "€" }],
    (response) => {
      equal(response.body, "€", "body");
    },
  ),
  sends(
    "bytes go out as they are",
    BODY,
    [start(200), { type: "http.response.body", body: Uint8Array.of(104, 105) }],
    (response) => {
      equal(response.body, "hi", "body");
    },
  ),
  sends(
    "an event without a body is an empty one",
    BODY,
    [start(200), { type: "http.response.body" }],
    (response) => {
      equal(response.body, "", "body");
    },
  ),
  sends(
    "unknown fields of an event are ignored",
    "Spec, Events",
    [Object.assign(start(200), { later: true }), { type: "http.response.body", body: "a" }],
    (response) => {
      equal([response.status, response.body], [200, "a"], "response");
    },
  ),
  sends(
    "fh may be a Blob, sent in part",
    BODY,
    [start(200), { type: "http.response.body", fh: new Blob(["0123456789"]), offset: 2, length: 3 }],
    (response) => {
      equal(response.body, "234", "body");
    },
  ),
  {
    name: "a file is sent, whole and in part",
    source: BODY,
    app: () =>
      dispatch({
        async http(scope, _receive, send) {
          await send(start(200));
          const part = scope.path === "/part" ? { offset: 3, length: 4 } : {};
          await send({ type: "http.response.body", file: import.meta.path, ...part });
        },
      }),
    async check(client) {
      const text = await Bun.file(import.meta.path).text();
      equal((await client.request({ target: "/part" })).body, text.slice(3, 7), "part");
      equal((await client.request({ target: "/" })).body, text, "whole");
    },
  },
  {
    name: "a file that is not there can still be answered with something else",
    source: BODY,
    app: (notes) =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200, ["content-length", "3"]));
          notes.tell("outcome", await outcome(send({ type: "http.response.body", file: "/no/such/file" })));
          await send(start(404));
          await send({ type: "http.response.body", body: "no such file" });
        },
      }),
    async check(client, notes) {
      const { status, body } = await client.request({ target: "/" });
      equal([status, body], [404, "no such file"], "the response");
      equal(await notes.heard("outcome"), "ERR_PAGI_EVENT", "what send did");
    },
  },
  sends(
    "HEAD has the fields and no body",
    SUPPLIED,
    [start(200, ["content-length", "5"]), { type: "http.response.body", body: "hello" }],
    (response, outcomes) => {
      equal(valuesOf(response.headers, "content-length"), ["5"], "content-length");
      equal(response.body, "", "body");
      equal(outcomes, ["resolved", "resolved"], "what send did");
    },
    "HEAD",
  ),
  sends(
    "204 has neither body nor length",
    SUPPLIED,
    [start(204, ["content-length", "5"]), { type: "http.response.body", body: "hello" }],
    (response) => {
      equal(response.body, "", "body");
      equal(valuesOf(response.headers, "content-length"), [], "content-length");
      equal(valuesOf(response.headers, "transfer-encoding"), [], "transfer-encoding");
    },
  ),
  sends(
    "304 has no body",
    SUPPLIED,
    [start(304, ["etag", '"a"']), { type: "http.response.body", body: "hello" }],
    (response) => {
      equal([response.body, ...valuesOf(response.headers, "etag")], ["", '"a"'], "body and etag");
    },
  ),
  sends(
    "trailers follow the body",
    TRAILERS,
    [
      { type: "http.response.start", status: 200, trailers: true },
      { type: "http.response.body", body: "a" },
      { type: "http.response.trailers", headers: [["x-sum", "1"]] },
    ],
    (response) => {
      equal(response.body, "a", "body");
      equal(response.trailers, [["x-sum", "1"]], "trailers");
    },
  ),
  sends(
    "trailers that were not announced are refused",
    TRAILERS,
    [
      start(200),
      { type: "http.response.body", body: "a", more: true },
      { type: "http.response.trailers", headers: [["x-sum", "1"]] },
      { type: "http.response.body", body: "b" },
    ],
    (response, outcomes) => {
      equal(outcomes[2], "ERR_PAGI_STATE", "what send did");
      equal([response.body, ...response.trailers], ["ab"], "body and trailers");
    },
  ),
  sends(
    "a trailer that frames the message is refused",
    TRAILERS,
    [
      { type: "http.response.start", status: 200, trailers: true },
      { type: "http.response.body", body: "a" },
      { type: "http.response.trailers", headers: [["content-length", "1"]] },
      { type: "http.response.trailers" },
    ],
    (response, outcomes) => {
      equal(outcomes[2], "ERR_PAGI_EVENT", "what send did");
      equal([response.body, ...response.trailers], ["a"], "body and trailers");
    },
  ),
  refuses(
    "a body before the start is refused",
    BODY,
    [{ type: "http.response.body", body: "a" }],
    "ERR_PAGI_STATE",
  ),
  refuses("a second start is refused", START, [start(200), start(200)], "ERR_PAGI_STATE"),
  refuses(
    "an event of another protocol is refused",
    ERRORS,
    [{ type: "websocket.accept" }],
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a value with a line feed is refused",
    "Www, Headers Format",
    [start(200, ["x-a", "b\r\nx-c: d"])],
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a name with a space is refused",
    "Www, Headers Format",
    [start(200, ["x a", "b"])],
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a char above U+00FF in a field is refused",
    "Www, Headers Format",
    [start(200, ["x-a", "€"])],
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "two lengths are refused",
    SUPPLIED,
    [start(200, ["content-length", "1"], ["content-length", "1"])],
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a length that is no number is refused",
    SUPPLIED,
    [start(200, ["content-length", "1x"])],
    "ERR_PAGI_EVENT",
  ),
  refuses("an interim status is refused", START, [start(100)], "ERR_PAGI_EVENT"),
  {
    name: "a body after the end is refused, and nothing of it is sent",
    source: BODY,
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          scope["pagi.connection"].onComplete(() => notes.tell("complete"));
          await send(start(200, ["content-length", "1"]));
          const both = [
            send({ type: "http.response.body", body: "a" }),
            send({ type: "http.response.body", body: "b" }),
          ];
          notes.tell("outcomes", await Promise.all(both.map(outcome)));
        },
      }),
    async check(client, notes) {
      equal((await client.request({ target: "/" })).body, "a", "body");
      const outcomes = await notes.heard("outcomes");
      holds(
        Array.isArray(outcomes) && outcomes[0] === "resolved" && outcomes[1] === "ERR_PAGI_STATE",
        "the second is refused",
      );
    },
  },
  {
    name: "a body that is longer than its length is refused, and not sent",
    source: SUPPLIED,
    app: (notes) =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200, ["content-length", "5"]));
          notes.tell("outcome", await outcome(send({ type: "http.response.body", body: "123456" })));
          await send({ type: "http.response.body", body: "12345" });
        },
      }),
    async check(client, notes) {
      equal((await client.request({ target: "/" })).body, "12345", "body");
      equal(await notes.heard("outcome"), "ERR_PAGI_EVENT", "what send did");
    },
  },
  {
    name: "a body that is shorter than its length is cut, and not taken for whole",
    source: SUPPLIED,
    app: promisesFive("123"),
    async check(client, notes) {
      await rejection(client.request({ target: "/" }), "the client's request");
      equal(await notes.heard("outcome"), "ERR_PAGI_EVENT", "what send did");
      equal(await notes.heard("reason"), "server_error", "the reason");
    },
  },
  {
    name: "an application that throws is answered for with a bare 500",
    source: ERRORS,
    app: (notes) =>
      dispatch({
        async http(scope) {
          scope["pagi.connection"].onDisconnect((reason) => notes.tell("reason", reason));
          throw new Error("a secret");
        },
      }),
    async check(client, notes) {
      const response = await client.request({ target: "/" });
      equal(response.status, 500, "status");
      holds(!response.body.includes("secret"), "the body says nothing of the error");
      equal(await notes.heard("reason"), "server_error", "the reason");
    },
  },
  {
    name: "an application that returns without a response is answered for with a 500",
    source: NO_RESPONSE,
    app: () => dispatch({ http: async () => {} }),
    async check(client) {
      equal((await client.request({ target: "/" })).status, 500, "status");
    },
  },
  {
    name: "an application that does not handle http is answered for with a 500",
    source: NO_RESPONSE,
    app: () => dispatch({}),
    async check(client) {
      equal((await client.request({ target: "/" })).status, 500, "status");
    },
  },
  {
    name: "a head that has not left is replaced by the 500",
    source: NO_RESPONSE,
    app: () =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200, ["x-a", "b"]));
          throw new Error("too late to be 200");
        },
      }),
    async check(client) {
      const response = await client.request({ target: "/" });
      equal([response.status, ...valuesOf(response.headers, "x-a")], [500], "status and field");
    },
  },
  {
    name: "an error behind a part of the body cuts the response",
    source: ERRORS,
    app: () =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200));
          await send({ type: "http.response.body", body: "part", more: true });
          throw new Error("in the middle");
        },
      }),
    async check(client) {
      await rejection(client.request({ target: "/" }), "the client's request");
    },
  },
  {
    name: "a body without its last event is cut",
    source: NO_RESPONSE,
    app: () =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200));
          await send({ type: "http.response.body", body: "part", more: true });
        },
      }),
    async check(client) {
      await rejection(client.request({ target: "/" }), "the client's request");
    },
  },
  {
    name: "pieces of a body arrive while the application goes on",
    source: BODY,
    app: (notes) =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(200));
          await send({ type: "http.response.body", body: "first", more: true });
          await notes.heard("go on");
          await send({ type: "http.response.body", body: " second", more: true });
          await send({ type: "http.response.body", body: " third" });
        },
      }),
    async check(client, notes) {
      const stream = client.stream({ target: "/" });
      equal((await stream.head()).status, 200, "status");
      equal(await readText(stream, (text) => text === "first"), "first", "what came first");
      notes.tell("go on");
      equal(await readText(stream), " second third", "the rest");
    },
  },
  {
    name: "fullflush sends the head before the body",
    source: "Www, Scope Extension Keys",
    app: (notes) =>
      dispatch({
        async http(_scope, _receive, send) {
          await send(start(202));
          await send({ type: "http.fullflush" });
          await notes.heard("go on");
          await send({ type: "http.response.body", body: "late" });
        },
      }),
    async check(client, notes) {
      const stream = client.stream({ target: "/" });
      equal((await stream.head()).status, 202, "status");
      notes.tell("go on");
      equal(await readText(stream), "late", "body");
    },
  },
];
