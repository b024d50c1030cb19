import { expect, test } from "bun:test";

import { ResponseReader, type ResponsePart } from "../../adapters/node/response-reader.ts";

interface Row {
  readonly name: string;
  readonly method?: string;
  readonly bytes: string;
  /** Status, fields, body and trailers. */
  readonly response: [number, [string, string][], string, [string, string][]];
  /** Of the interim responses before it. */
  readonly interim?: [number, [string, string][]][];
  readonly closes?: boolean;
  /** Only the end of the connection ends it. */
  readonly untilEnd?: boolean;
}

const ROWS: Row[] = [
  {
    name: "a length",
    bytes:
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello",
    response: [200, [["content-length", "5"]], "hello", []],
  },
  {
    name: "the length 0",
    bytes: "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    response: [404, [["content-length", "0"]], "", []],
  },
  {
    name: "options of the connection that name other fields",
    bytes:
      "HTTP/1.1 426 Upgrade\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
    response: [
      426,
      [
        ["connection", "Upgrade"],
        ["upgrade", "h2c"],
        ["content-length", "0"],
      ],
      "",
      [],
    ],
  },
  {
    name: "chunks",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
    response: [200, [], "abc0123456789", []],
  },
  {
    name: "chunks and trailers",
    bytes:
      "HTTP/1.1 200 OK\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n",
    response: [
      200,
      [["trailer", "X-A"]],
      "\n",
      [
        ["x-a", "1"],
        ["x-b", "2"],
      ],
    ],
  },
  {
    name: "the end of the connection",
    bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
    response: [200, [], "to the end", []],
    closes: true,
    untilEnd: true,
  },
  {
    name: "no body to HEAD",
    method: "HEAD",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    response: [200, [["content-length", "5"]], "", []],
  },
  { name: "no body behind 204", bytes: "HTTP/1.1 204 No Content\r\n\r\n", response: [204, [], "", []] },
  {
    name: "no body behind 304",
    bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
    response: [
      304,
      [
        ["content-length", "5"],
        ["etag", "x"],
      ],
      "",
      [],
    ],
  },
  {
    name: "interim responses before it, bytes in fields, and repeated fields",
    bytes:
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
      "HTTP/1.1 299\r\nSet-Cookie: a\r\nSet-Cookie: \xe9\r\nContent-Length: 1\r\n\r\nx",
    interim: [
      [100, []],
      [103, [["link", "x"]]],
    ],
    response: [
      299,
      [
        ["set-cookie", "a"],
        ["set-cookie", "\xe9"],
        ["content-length", "1"],
      ],
      "x",
      [],
    ],
  },
];

function read(pieces: readonly string[], method: string, ends: boolean): ResponsePart[] {
  const reader = new ResponseReader(method);
  const parts = pieces.flatMap((piece) => reader.take(Buffer.from(piece, "latin1")));
  if (ends) parts.push(...reader.end());
  expect(reader.isOver).toBe(true);
  return parts;
}

test.each(ROWS)("$name: whole, byte by byte, and with bytes behind it", (row) => {
  const { bytes, method = "GET", response, interim = [], closes = false, untilEnd = false } = row;
  const ways = [[bytes], [...bytes], ...(untilEnd ? [] : [[`${bytes}HTTP/1.1 500 No\r\n\r\n`]])];
  for (const pieces of ways) {
    const parts = read(pieces, method, untilEnd);
    const before = parts.filter((part) => part.type === "interim");
    expect(before.map(({ status, headers }) => [status, headers])).toEqual(interim);
    const [head, ...rest] = parts.slice(before.length);
    const last = rest.pop();
    if (head?.type !== "head" || last?.type !== "end") throw new Error("no head, or no end");
    const body = rest.map((part) =>
      part.type === "body" ? Buffer.from(part.bytes).toString("latin1") : "?",
    );
    expect([head.status, head.headers, body.join(""), last.trailers]).toEqual(response);
    expect(head.closes).toBe(closes);
  }
});

test("text has a head of bytes, and a body in its encoding", () => {
  const reader = new ResponseReader("GET");
  const text = "HTTP/1.1 200 OK\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\n";
  const parts = [...reader.takeText(text, "utf8"), ...reader.takeText("\xe9", "utf8")];
  expect(parts).toMatchObject([
    {
      type: "head",
      headers: [
        ["x-a", "\xe9"],
        ["content-length", "2"],
      ],
    },
    { type: "body", bytes: Buffer.from([0xc3, 0xa9]) },
    { type: "end" },
  ]);
});

test("text of an interim response and the final one has two heads of bytes", () => {
  const reader = new ResponseReader("GET");
  const text =
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\n\xe9";
  expect(reader.takeText(text, "utf8")).toMatchObject([
    { type: "interim", status: 103 },
    {
      type: "head",
      headers: [
        ["x-a", "\xe9"],
        ["content-length", "2"],
      ],
    },
    { type: "body", bytes: Buffer.from([0xc3, 0xa9]) },
    { type: "end" },
  ]);
});

test("a response is not over before its end", () => {
  const rows = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "2 bytes short"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "before its last chunk"],
    ["HTTP/1.1 103 Early Hints\r\n\r\n", "the status 103, which is interim"],
  ] as const;
  for (const [bytes, message] of rows) {
    const reader = new ResponseReader("GET");
    reader.take(Buffer.from(bytes));
    expect(() => reader.end()).toThrow(message);
  }
  expect(new ResponseReader("GET").end()).toEqual([]); // nothing was written
  const switching = new ResponseReader("GET");
  switching.take(Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  expect([switching.isOver, switching.end()]).toEqual([true, []]);
});

test("what is no response is refused", () => {
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"])
    expect(() => new ResponseReader("GET").take(Buffer.from(bytes))).toThrow(/The response begins with/);
  const chunked = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  expect(() => new ResponseReader("GET").take(chunked)).toThrow(/chunk of the size 'zz'/);
});

test("what is left of a piece is a copy: the writer may use its memory again", () => {
  const reader = new ResponseReader("GET");
  const piece = Buffer.from("HTTP/1.1 200 OK\r\nContent-");
  expect(reader.take(piece)).toEqual([]);
  piece.fill(0);
  expect(reader.take(Buffer.from("Length: 0\r\n\r\n"))[0]).toMatchObject({ type: "head", status: 200 });
});
