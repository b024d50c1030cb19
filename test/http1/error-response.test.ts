import { expect, test } from "bun:test";
import { errorResponse } from "../../src/http1/error-response.ts";

const DATE = "Thu, 01 Jan 1970 00:00:00 GMT";

test("a whole response, whose text is UTF-8", () => {
  expect(errorResponse(503, "Too busy", DATE, [["retry-after", "1"]])).toBe(
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 8\r\n" +
      `retry-after: 1\r\nconnection: close\r\ndate: ${DATE}\r\n\r\nToo busy`,
  );
  expect(errorResponse(500, "é", DATE)).toEndWith("\r\n\r\n\xc3\xa9");
  expect(errorResponse(500, "é", DATE)).toContain("content-length: 2\r\n");
});

test("no body for HEAD, and Upgrade is named in Connection", () => {
  expect(errorResponse(400, "no", DATE, [], "HEAD")).toEndWith(
    `content-length: 2\r\nconnection: close\r\ndate: ${DATE}\r\n\r\n`,
  );
  expect(errorResponse(426, "no", DATE, [["upgrade", "websocket"]])).toContain(
    "\r\nconnection: upgrade, close\r\n",
  );
});
