import { describe } from "bun:test";
import { get, post, testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

const LAST = "0\r\n\r\n";

describe("RFC 9112 section 6.1, Transfer-Encoding", () => {
  const codings = (...values: string[]) =>
    post(
      values.map((value) => `Transfer-Encoding:${value}`),
      LAST,
    );
  const refused = (status: number, message: RegExp, ...lists: string[][]): Row[] =>
    lists.map((list) => ({ name: JSON.stringify(list), input: codings(...list), error: [status, message] }));
  testRows([
    ...["chunked", " chunked", "\tchunked \t", "Chunked", "CHUNKED"].map((value) => ({
      name: JSON.stringify(value),
      input: codings(value),
      requests: [{ hasBody: true, body: "" }],
    })),
    ...refused(
      501,
      /Only the transfer coding chunked/,
      ["gzip"],
      ["gzip, chunked"],
      ["gzip", "chunked"],
      ["identity"],
      ["xchunked"],
      ["chunked-"],
      ["x-chunked"],
      ["identity, chunked"],
      ["cow"],
    ),
    ...refused(
      400,
      /not the last transfer coding/,
      ["chunked, chunked"],
      ["chunked", "chunked"],
      ["chunked, gzip"],
      ["chunked", "identity"],
      ["chunked, gzip, chunked"],
    ),
    ...refused(
      400,
      /Transfer-Encoding is malformed/,
      [""],
      [","],
      ["chunked,"],
      [",chunked"],
      ["chunked", ""],
      ["", "chunked"],
      ["chunked;q=1"],
      ['"chunked"'],
      ["'chunked\xa0"],
      ["chunked\xa0"],
      ["chunked chunked"],
      ["chun ked"],
      ["gzip;level=1, chunked"],
    ),
    ...refused(400, /control character/, ["\x0bchunked"], ["chunked\x0c"], ["chunked\x1f"]),
    {
      name: "on HTTP/1.0",
      input: `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${LAST}`,
      error: [400, /HTTP\/1.0 has no Transfer-Encoding/],
    },
    {
      name: "an unknown coding on HTTP/1.0",
      input: `POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n${LAST}`,
      error: [400, /HTTP\/1.0 has no Transfer-Encoding/],
    },
  ]);
});

describe("RFC 9112 section 6.2, Content-Length", () => {
  const length = (...values: string[]) =>
    post(
      values.map((value) => `Content-Length:${value}`),
      "hello",
    );
  const refused = (message: RegExp, ...lists: string[][]): Row[] =>
    lists.map((list) => ({ name: JSON.stringify(list), input: length(...list), error: [400, message] }));
  testRows([
    { name: "5", input: length("5"), requests: [{ hasBody: true, body: "hello" }] },
    { name: "5 with whitespace", input: length(" \t5\t "), requests: [{ hasBody: true, body: "hello" }] },
    { name: "005", input: length("005"), requests: [{ hasBody: true, body: "hello" }] },
    { name: "0", input: post(["Content-Length: 0"], ""), requests: [{ hasBody: false, body: "" }] },
    { name: "none", input: post([], ""), requests: [{ hasBody: false, body: "" }] },
    {
      name: "on GET",
      input: `${get("Content-Length: 5")}hello`,
      requests: [{ method: "GET", hasBody: true, body: "hello" }],
    },
    {
      name: "on HTTP/1.0",
      input: "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
      requests: [{ httpVersion: "1.0", body: "hello" }],
    },
    {
      name: "any byte is a body byte",
      input: post(["Content-Length: 4"], "\0\n\r\xff"),
      requests: [{ body: "\0\n\r\xff" }],
    },
    ...refused(
      /Content-Length is no number/,
      [""],
      ["-5"],
      ["+5"],
      ["5.0"],
      ["5e0"],
      ["0x5"],
      ["5, 5"],
      ["5,"],
      ["5 5"],
      ["5;"],
      ["five"],
      ["\xb2"],
      ["5\xa0"],
      ["5_0"],
    ),
    ...refused(/more than once/, ["5", "5"], ["5", "6"], ["5", ""], ["0", "0"]),
  ]);

  const tooLarge = (value: string, maxBodySize: number): Row => ({
    name: `${value}, limit ${maxBodySize}`,
    input: length(value),
    limits: { maxBodySize },
    error: [413, /body is too large/],
  });
  testRows([
    { name: "at the limit", input: length("5"), limits: { maxBodySize: 5 }, requests: [{ body: "hello" }] },
    tooLarge("6", 5),
    tooLarge("9007199254740991", 5),
    tooLarge("9007199254740992", 0),
    tooLarge("9007199254740993", 0),
    tooLarge("9".repeat(400), 0),
    { name: "no limit", input: length("5"), limits: { maxBodySize: 0 }, requests: [{ body: "hello" }] },
  ]);
});

describe("RFC 9112 section 6.3, both", () => {
  const both: [string, number, RegExp][] = [
    ["Transfer-Encoding: chunked", 400, /exclude each other/],
    ["Transfer-Encoding: gzip", 400, /exclude each other/],
    ["Transfer-Encoding: ", 400, /exclude each other/],
  ];
  testRows([
    ...both.flatMap(([coding, status, message]): Row[] => [
      {
        name: `Content-Length, ${coding}`,
        input: post(["Content-Length: 5", coding], LAST),
        error: [status, message],
      },
      {
        name: `${coding}, Content-Length`,
        input: post([coding, "Content-Length: 5"], LAST),
        error: [status, message],
      },
    ]),
    {
      name: "on HTTP/1.0",
      input: `POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${LAST}`,
      error: [400, /exclude each other/],
    },
  ]);
});
