import { describe, expect, test } from "bun:test";
import { EventError } from "../../src/errors.ts";
import { PlanCache } from "../../src/http1/plan-cache.ts";
import { planResponse } from "../../src/http1/response-head.ts";
import type { OutgoingResponse, RequestTraits } from "../../src/http1/response-head.ts";
import type { Headers } from "../../src/spec/values.ts";

const EVENT = "http.response.start";
const DATE = "Thu, 01 Jan 1970 00:00:00 GMT";
const REQUEST: RequestTraits = { httpVersion: "1.1", method: "GET", keepAlive: true };
const RESPONSE: OutgoingResponse = {
  status: 200,
  headers: [
    ["content-type", "text/plain"],
    ["content-length", "5"],
  ],
};

/** A cache that knows the plan of `RESPONSE`. */
function learned(response = RESPONSE): PlanCache {
  const cache = new PlanCache();
  for (let i = 0; i < 2; i++) cache.plan(REQUEST, EVENT, response, DATE);
  return cache;
}

describe("a plan", () => {
  test("is made once for the same response in the same second", () => {
    const cache = learned();
    const plan = cache.plan(REQUEST, EVENT, RESPONSE, DATE);
    expect(cache.plan(REQUEST, EVENT, structuredClone(RESPONSE), DATE)).toBe(plan);
    expect(plan).toEqual(planResponse(REQUEST, EVENT, RESPONSE, DATE));
  });

  const others: [string, Partial<RequestTraits>, Partial<OutgoingResponse>, string][] = [
    ["another second", {}, {}, "Thu, 01 Jan 1970 00:00:01 GMT"],
    ["another version", { httpVersion: "1.0" }, {}, DATE],
    ["another method", { method: "HEAD" }, {}, DATE],
    ["a client that closes", { keepAlive: false }, {}, DATE],
    ["another status", {}, { status: 304 }, DATE],
    ["a connection that closes", {}, { connection: "close" }, DATE],
    ["no fields", {}, { headers: [] }, DATE],
    ["another value", {}, { headers: [RESPONSE.headers[0]!, ["content-length", "6"]] }, DATE],
    [
      "a value with the same ends",
      {},
      { headers: [["content-type", "text/plein"], RESPONSE.headers[1]!] },
      DATE,
    ],
    ["another name", {}, { headers: [["content-tape", "text/plain"], RESPONSE.headers[1]!] }, DATE],
    ["another order", {}, { headers: RESPONSE.headers.toReversed() }, DATE],
    ["one field more", {}, { headers: [...RESPONSE.headers, ["x", "y"]] }, DATE],
  ];
  test.each(others)("of %s is another one", (_, traits, parts, date) => {
    const cache = learned();
    const request = { ...REQUEST, ...traits };
    const response = { ...RESPONSE, ...parts };
    for (let i = 0; i < 3; i++) {
      const wanted = planResponse(request, EVENT, response, date);
      expect(cache.plan(request, EVENT, response, date)).toEqual(wanted);
    }
  });

  test("follows a list that the application changes", () => {
    const headers: Headers = [["content-type", "text/plain"]];
    const response = { status: 200, headers };
    const cache = learned(response);
    const changes = [
      () => (headers[0]![1] = "text/plein"),
      () => headers.push(["x", "y"]),
      () => (headers[1]![0] = "z"),
      () => headers.splice(0, 1),
    ];
    for (const change of changes) {
      change();
      for (let i = 0; i < 3; i++)
        expect(cache.plan(REQUEST, EVENT, response, DATE)).toEqual(
          planResponse(REQUEST, EVENT, response, DATE),
        );
    }
  });

  test("is not remembered with a cookie in it, nor when it is large", () => {
    for (const field of [
      ["Set-Cookie", "sid=1"],
      ["x", "y".repeat(3000)],
    ] as Headers) {
      const response = { status: 200, headers: [field] };
      const cache = learned(response);
      const plan = cache.plan(REQUEST, EVENT, response, DATE);
      expect(cache.plan(REQUEST, EVENT, response, DATE)).not.toBe(plan);
    }
  });

  test("of a header that cannot be sent is an error each time", () => {
    const cache = new PlanCache();
    for (const headers of [[["x", "a\r\nb"]], [["a b", "x"]], [["x", 5]], [["content-length", "x"]]])
      for (let i = 0; i < 3; i++) {
        const response = { status: 200, headers } as OutgoingResponse;
        expect(() => cache.plan(REQUEST, EVENT, response, DATE)).toThrow(EventError);
      }
  });
});
