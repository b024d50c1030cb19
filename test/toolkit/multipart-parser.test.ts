import { describe, expect, test } from "bun:test";
import { MultipartParser } from "../../src/toolkit/request/multipart-parser.ts";
import type { MultipartLimits } from "../../src/toolkit/request/multipart-parser.ts";
import { RequestError } from "../../src/toolkit/request/error.ts";

const LIMITS: MultipartLimits = {
  maxFiles: 2,
  maxFields: 2,
  maxFieldSize: 20,
  maxFileSize: 40,
  maxHeaderSize: 200,
};

interface Seen {
  name: string;
  filename?: string;
  content: string;
}

/** Feeds a body in chunks of a size, and returns its parts, and whether it came to its end. */
function parse(body: string, size: number, limits: Partial<MultipartLimits> = {}, boundary = "b") {
  const parser = new MultipartParser(boundary, { ...LIMITS, ...limits });
  const parts: Seen[] = [];
  let ended = false;
  const bytes = Buffer.from(body, "latin1");
  for (let at = 0; at < bytes.length; at += size) {
    parser.push(Uint8Array.from(bytes.subarray(at, at + size)));
    for (let event = parser.next(); event !== undefined; event = parser.next()) {
      if (event.type === "part") {
        const { name, filename } = event.head;
        parts.push({ name, ...(filename === undefined ? {} : { filename }), content: "" });
      } else if (event.type === "data") {
        const part = parts.at(-1);
        if (part === undefined) throw new Error("data without a part");
        expect(event.bytes.length).toBeGreaterThan(0);
        part.content += Buffer.from(event.bytes).toString("latin1");
      } else if (event.type === "end") ended = true;
    }
  }
  return { parts, ended };
}

const field = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

const ROWS: [string, string, Seen[]][] = [
  ["one field", `${field("a", "1")}--b--\r\n`, [{ name: "a", content: "1" }]],
  ["two fields, no CRLF at the end", `${field("a", "1")}${field("a", "2")}--b--`, [
    { name: "a", content: "1" },
    { name: "a", content: "2" },
  ]], // prettier-ignore
  ["an empty content", `${field("a", "")}--b--`, [{ name: "a", content: "" }]],
  [
    "a part without any content (RFC 2046 section 5.1.1)",
    `--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--`,
    [{ name: "a", content: "" }],
  ],
  ["no parts", "--b--\r\n", []],
  ["a preamble and an epilogue", `what\r\nis this\r\n${field("a", "1")}--b--\r\nand that\r\n--b\r\n`, [
    { name: "a", content: "1" },
  ]], // prettier-ignore
  ["padding behind a delimiter", `--b \t\r\n${field("a", "1").slice(5)}--b--`, [{ name: "a", content: "1" }]],
  [
    "content that looks like a delimiter",
    `${field("a", "\r\n--\r\n-b\r\n--B\n--b\r-")}--b--`,
    [{ name: "a", content: "\r\n--\r\n-b\r\n--B\n--b\r-" }],
  ],
  ["content that is CRLFs", `${field("a", "\r\n\r\n")}--b--`, [{ name: "a", content: "\r\n\r\n" }]],
  [
    "a file, quoted as browsers do (RFC 7578 section 4.2)",
    `--b\r\ncontent-disposition: form-data; name="f%22g"; filename="a\\b;%22c.txt"\r\nX: y\r\n\r\n\x00\xff\r\n--b--`,
    [{ name: 'f"g', filename: 'a\\b;"c.txt', content: "\x00\xff" }],
  ],
  [
    "a file, quoted as RFC 9110 section 5.6.4 has it, and curl",
    `--b\r\ncontent-disposition: form-data; name="f\\"g"; filename="a\\"b\\\\c; name=x.txt"\r\n\r\n1\r\n--b--`,
    [{ name: 'f"g', filename: 'a"b\\c; name=x.txt', content: "1" }],
  ],
  [
    "a browser's name that ends with a backslash",
    `--b\r\ncontent-disposition: form-data; name="f\\"; filename="C:\\a\\"\r\n\r\n1\r\n--b--`,
    [{ name: "f\\", filename: "C:\\a\\", content: "1" }],
  ],
  [
    "parameters within a quoted one",
    `--b\r\ncontent-disposition: form-data; x="; name=evil; filename=evil"; name=a\r\n\r\n1\r\n--b--`,
    [{ name: "a", content: "1" }],
  ],
  [
    "a name in RFC 8187's way",
    `--b\r\ncontent-disposition: form-data; name=a; filename*=UTF-8''%e2%82%ac.txt\r\n\r\n1\r\n--b--`,
    [{ name: "a", filename: "€.txt", content: "1" }],
  ],
  [
    "names in UTF-8 (RFC 7578 section 5.1)",
    utf8(`--b\r\nContent-Disposition: form-data; name="ä"; filename="€.txt"\r\n\r\nx\r\n--b--`),
    [{ name: "ä", filename: "€.txt", content: "x" }],
  ],
  [
    "an empty file name is a file",
    `--b\r\nContent-Disposition: form-data; name="f"; filename=""\r\n\r\n\r\n--b--`,
    [{ name: "f", filename: "", content: "" }],
  ],
];

describe("multipart/form-data", () => {
  describe.each([1, 2, 3, 7, 1_000_000])("in chunks of %d", (size) => {
    test.each(ROWS)("%s", (_, body, parts) => {
      expect(parse(body, size)).toEqual({ parts, ended: true });
    });

    test.each([
      ["something else behind a delimiter", "--bx\r\n", 400],
      ["half of an end", "--b-x", 400],
      ["no Content-Disposition", "--b\r\nX: y\r\n\r\n1\r\n--b--", 400],
      ["no header section at all", "--b\r\n\r\n1\r\n--b--", 400],
      ["no name", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", 400],
      ["no form-data", '--b\r\nContent-Disposition: file; name="a"\r\n\r\n1\r\n--b--', 400],
      ["a NUL in a header line", "--b\r\nX: \0\r\n\r\n1\r\n--b--", 400],
      ["no name in a header line", "--b\r\n: x\r\n\r\n1\r\n--b--", 400],
      ["no header line", "--b\r\nwhat\r\n\r\n1\r\n--b--", 400],
      ["a folded line", '--b\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n1\r\n--b--', 400],
      ["a long field", `${field("a", "x".repeat(21))}--b--`, 413],
      ["a long header section", `--b\r\nX: ${"x".repeat(200)}\r\n\r\n`, 413],
      ["a header section without end", `--b\r\nX: ${"x".repeat(300)}`, 413],
      ["padding without end", `--b${" ".repeat(300)}`, 413],
      ["many fields", field("a", "1").repeat(3), 413],
    ])("refuses %s", (_, body, status) => {
      expect(() => parse(body, size)).toThrow(expect.objectContaining({ status, fault: "client" }));
    });
  });

  test("a header section and contents of exactly their limits pass", () => {
    const line = 'Content-Disposition: form-data; name="a"';
    const body = `--b\r\n${line}\r\n\r\n${"x".repeat(20)}\r\n--b--`;
    for (const size of [1, 1000]) {
      expect(parse(body, size, { maxHeaderSize: line.length }).parts[0]?.content).toHaveLength(20);
      expect(() => parse(body, size, { maxHeaderSize: line.length - 1 })).toThrow(
        expect.objectContaining({ code: "ERR_PAGI_PART_HEADER_TOO_LARGE" }),
      );
    }
  });

  test("files have limits of their own, and errors that name them", () => {
    const file = (length: number) =>
      `--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n${"x".repeat(length)}\r\n`;
    expect(parse(`${file(40)}--b--`, 1000).parts[0]?.content).toHaveLength(40);
    expect(() => parse(`${file(41)}--b--`, 1000)).toThrow('The file "f" is larger than 40 bytes.');
    expect(() => parse(`${file(1).repeat(3)}--b--`, 1000)).toThrow(
      expect.objectContaining({ code: "ERR_PAGI_TOO_MANY_FILES", limit: 2 }),
    );
  });

  test.each(["", "x".repeat(71), "ends with ", "nön", "a\r\nb"])("the boundary %j is refused", (boundary) => {
    expect(() => new MultipartParser(boundary, LIMITS)).toThrow(/boundary/);
  });

  test("a header line of blanks costs no more than its length", () => {
    const line = `--b\r\nX:${" ".repeat(100_000)}\0${" ".repeat(100_000)}\r\n\r\n`;
    expect(() => parse(line, 1_000_000, { maxHeaderSize: 1_000_000 })).toThrow(/header line/);
  });

  test("content comes out as it arrives, but for what may be the beginning of a delimiter", () => {
    const delimiter = "\r\n--a long boundary";
    const head = `${delimiter.slice(2)}\r\nContent-Disposition: form-data; name="a"\r\n\r\n`;
    /** What has come of a content when no more than `sent` of it has arrived. */
    const arrived = (sent: string): string =>
      parse(head + sent, 1000, { maxFieldSize: 100 }, "a long boundary").parts[0]?.content ?? "";
    expect(arrived("abc")).toBe("abc");
    expect(arrived("abc\n--a long boundary")).toBe("abc\n--a long boundary");
    for (let length = 1; length < delimiter.length; length++) {
      const beginning = delimiter.slice(0, length);
      expect(arrived(`x${beginning}`)).toBe("x");
      expect(arrived(`x\r${beginning}`)).toBe("x\r");
      expect(arrived(`x${beginning}!`)).toBe(`x${beginning}!`);
    }
  });

  test("a body cut short never ends", () => {
    const body = `${field("a", "1")}--b--`;
    for (let length = 0; length < body.length; length++)
      expect(parse(body.slice(0, length), 5).ended).toBe(false);
  });

  test("whatever comes, it throws nothing but errors of requests", () => {
    const pieces = [
      "--b",
      "\r\n",
      "--",
      "\r",
      "\n",
      "b",
      "Content-Disposition: form-data; name=a",
      " ",
      "\0",
      "x:y",
    ];
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const body = Array.from({ length: 2 + random(20) }, () => pieces[random(pieces.length)]).join("");
      let whole: unknown;
      let bytewise: unknown;
      try {
        whole = parse(body, 1_000_000);
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError);
        whole = String(error);
        refused += 1;
      }
      try {
        bytewise = parse(body, 1);
      } catch (error) {
        bytewise = String(error);
      }
      expect(bytewise).toEqual(whole);
    }
    expect(refused).toBeGreaterThan(100);
  });
});
