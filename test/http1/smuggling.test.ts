import { describe } from "bun:test";
import { post, testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

// Requests that two servers could cut in two ways. RFC 9112 section 11.2: none is answered but by an error, and nothing
// behind it is ever read as a request.

const HIDDEN = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";

function refused(name: string, status: number, fields: string[], body: string, partOfBody?: string): Row {
  const row: Row = { name, input: post(fields, body + HIDDEN), error: [status, /./] };
  if (partOfBody !== undefined) row.requests = [{ body: partOfBody, complete: false }];
  return row;
}

describe("CL.TE and TE.CL", () => {
  testRows([
    refused("CL.TE", 400, ["Content-Length: 6", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    refused("TE.CL", 400, ["Transfer-Encoding: chunked", "Content-Length: 4"], "5c\r\n"),
    refused("CL 0 with TE", 400, ["Content-Length: 0", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    refused("CL.CL", 400, ["Content-Length: 0", "Content-Length: 34"], ""),
    refused("CL list", 400, ["Content-Length: 0, 34"], ""),
    refused("CL plus", 400, ["Content-Length: +34"], ""),
    refused("CL with a space in its name", 400, ["Content-Length : 34"], ""),
    refused("CL with a NUL", 400, ["Content-Length: 34\0"], ""),
    refused("CL folded", 400, ["Content-Length:\r\n 34"], ""),
    refused("CL behind a bare CR", 400, ["x: y\rContent-Length: 34"], ""),
    refused("CL behind a bare LF", 400, ["x: y\nContent-Length: 34"], ""),
  ]);
});

describe("obfuscated Transfer-Encoding", () => {
  const both = (name: string, coding: string) =>
    refused(name, 400, ["Content-Length: 5", coding], "0\r\n\r\n");
  const alone = (name: string, status: number, coding: string) =>
    refused(name, status, [coding], "0\r\n\r\n");
  testRows([
    both("unknown coding with CL", "Transfer-Encoding: xchunked"),
    both("space before the colon with CL", "Transfer-Encoding : chunked"),
    both("tab before the value with CL", "Transfer-Encoding:\tchunked"),
    both("odd case with CL", "tRANSFER-eNCODING: cHUNKED"),
    both("folded with CL", "Transfer-Encoding:\r\n chunked"),
    both("behind bare LF with CL", "x: y\nTransfer-Encoding: chunked"),
    both("behind bare CR with CL", "x: y\rTransfer-Encoding: chunked"),
    both("leading space with CL", " Transfer-Encoding: chunked"),
    both("vertical tab with CL", "Transfer-Encoding: \x0bchunked"),
    both("two fields with CL", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"),
    alone("unknown coding", 501, "Transfer-Encoding: xchunked"),
    alone("two fields", 501, "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"),
    alone("two fields, chunked first", 400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    alone("quoted", 400, 'Transfer-Encoding: "chunked"'),
    alone("NUL", 400, "Transfer-Encoding: chunked\0"),
    alone("NUL in the name", 400, "Transfer\0-Encoding: chunked"),
    alone("no-break space", 400, "Transfer-Encoding: chunked\xa0"),
    alone("name with obs-text", 400, "Transfer-Encoding\xa0: chunked"),
    alone("empty member", 400, "Transfer-Encoding: chunked, "),
  ]);
});

describe("chunks", () => {
  const chunked = (name: string, body: string, part: string) =>
    refused(name, 400, ["Transfer-Encoding: chunked"], body, part);
  testRows([
    chunked("bare LF behind an extension", "2;\nxx\r\n4c\r\n", ""),
    chunked("bare CR behind an extension", "2;a\rxx\r\n4c\r\n", ""),
    chunked("bare LF ends the size", "0\n\r\n", ""),
    chunked("bare LF ends the data", "1\r\nx\n0\r\n\r\n", "x"),
    chunked("two bytes in place of CRLF", "1\r\nxXX0\r\n\r\n", "x"),
    chunked("size with a prefix", "0x1\r\nx\r\n0\r\n\r\n", ""),
    chunked("size that wraps at 64 bits", "10000000000000001\r\nx\r\n0\r\n\r\n", ""),
    chunked("bare LF in the trailer section", "0\r\nx: y\n\r\n", ""),
  ]);
});
