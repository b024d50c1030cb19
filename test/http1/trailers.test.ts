import { expect, test } from "bun:test";
import { EventError } from "../../src/errors.ts";
import { LAST_CHUNK } from "../../src/http1/response-head.ts";
import { trailerSection } from "../../src/http1/trailers.ts";

test("a trailer section, and the fields that it may not have", () => {
  const event = "http.response.trailers";
  expect(trailerSection(event, [])).toBe(LAST_CHUNK);
  expect(
    trailerSection(event, [
      ["X-Sum", "1"],
      ["server-timing", "\xe9"],
    ]),
  ).toBe("0\r\nx-sum: 1\r\nserver-timing: \xe9\r\n\r\n");
  for (const [name, value] of [
    ["x", "a\r\nb"],
    ["x", "\u0100"],
    ["a b", "x"],
    ["Content-Length", "5"],
    ["transfer-encoding", "chunked"],
    ["host", "a"],
    ["Set-Cookie", "a=b"],
    ["authorization", "x"],
    ["content-type", "x"],
  ] as const) {
    expect(() => trailerSection(event, [[name, value]])).toThrow(EventError);
    expect(() => trailerSection(event, [[name, value]])).toThrow(/^http\.response\.trailers: 'headers' has /);
  }
});
