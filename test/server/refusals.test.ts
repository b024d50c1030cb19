import { describe, expect, test } from "bun:test";

import { ProtocolError } from "../../src/errors.ts";
import { NO_HEAD } from "../../src/http1/partial-head.ts";
import { Refusals } from "../../src/server/refusals.ts";
import { Folder } from "../support/program.ts";
import { RecordingLogger, startHttp, startServer, text } from "../support/server.ts";
import { Wire, eventually, get, post, request } from "../support/wire.ts";

interface Refused {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
  /** Method, path with its query, and version of the access log. */
  readonly logged: string;
}

const LONG = "x".repeat(9000);
const HOST = "Host: a\r\n";

/** Everything that the server refuses before an application sees it. */
const REFUSED: readonly Refused[] = [
  { name: "no Host", bytes: "GET /a?b=c HTTP/1.1\r\n\r\n", status: 400, logged: "GET /a ?b=c HTTP/1.1" },
  {
    name: "a field without a colon",
    bytes: `PUT /a HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`,
    status: 400,
    logged: "PUT /a  HTTP/1.1",
  },
  { name: "LF alone", bytes: "GET /lf HTTP/1.1\n\n", status: 400, logged: "GET /lf  HTTP/1.1" },
  {
    name: "a NUL in the target",
    bytes: "GET /nul\0 HTTP/1.1\r\n\r\n",
    status: 400,
    logged: "GET /nul  HTTP/-",
  },
  { name: "a space too many", bytes: "GET /a b HTTP/1.1\r\n\r\n", status: 400, logged: "GET /a  HTTP/-" },
  { name: "no version", bytes: "GET /old\r\n\r\n", status: 400, logged: "GET /old  HTTP/-" },
  { name: "one word", bytes: "QUIT\r\n\r\n", status: 400, logged: "QUIT -  HTTP/-" },
  { name: "no line at all", bytes: "\x16\x03\x01\x02", status: 400, logged: "- -  HTTP/-" },
  {
    name: "a quote and high bytes",
    bytes: 'GET /"\xe9 HTTP/1.1\r\n\r\n',
    status: 400,
    logged: "GET /\\x22\\xE9  HTTP/1.1",
  },
  {
    name: "a method that is none",
    bytes: "G@T /x HTTP/1.1\r\n\r\n",
    status: 400,
    logged: "G@T /x  HTTP/1.1",
  },
  {
    name: "a length that is too large",
    bytes: `POST /up HTTP/1.1\r\n${HOST}Content-Length: 99999999\r\n\r\n`,
    status: 413,
    logged: "POST /up  HTTP/1.1",
  },
  {
    name: "a line that is too long",
    bytes: `GET /${LONG} HTTP/1.1\r\n\r\n`,
    status: 414,
    logged: `GET /${LONG.slice(0, 8192 - "GET /".length)}  HTTP/-`,
  },
  {
    name: "an expectation",
    bytes: get("/expect", "Expect: the-best"),
    status: 417,
    logged: "GET /expect  HTTP/1.1",
  },
  {
    name: "another version of WebSocket",
    bytes: get("/ws", "Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 7"),
    status: 426,
    logged: "GET /ws  HTTP/1.1",
  },
  {
    name: "a head that is too large",
    bytes: get("/large", `X: ${LONG}`, `Y: ${LONG}`),
    status: 431,
    logged: "GET /large  HTTP/1.1",
  },
  {
    name: "another transfer coding",
    bytes: get("/coding", "Transfer-Encoding: gzip"),
    status: 501,
    logged: "GET /coding  HTTP/1.1",
  },
  { name: "another version", bytes: "GET /two HTTP/2.0\r\n\r\n", status: 505, logged: "GET /two  HTTP/2.0" },
];

describe("a request that is refused", () => {
  test.each(REFUSED.map((each) => [each.status, each.name, each] as const))(
    "%d, %s: logged with what was read of it, and once with its reason",
    async (_status, _name, { bytes, status, logged }) => {
      using folder = new Folder();
      const accessLog = folder.file("access.log");
      await using server = await startHttp(text("never"), { accessLog, accessLogFormat: "%m %U %q %H %s" });
      for (let i = 0; i < 2; i++) {
        await using wire = await Wire.open(server);
        // In two pieces, since what is held between them is a part of what was read.
        await wire.send(bytes.slice(0, 7));
        await wire.send(bytes.slice(7));
        expect((await wire.response()).status).toBe(status);
      }
      await eventually("both are logged", () => folder.lines("access.log").length === 2);
      expect(folder.lines("access.log")).toEqual([`${logged} ${status}`, `${logged} ${status}`]);
      const about = [...server.logger.messages("info"), ...server.logger.messages("debug")].filter((each) =>
        each.includes(`was refused with ${status}: `),
      );
      expect(about).toHaveLength(2);
      expect(about[0]).toMatch(/^127\.0\.0\.1: .* was refused with \d+: .+ \((?:RFC .*section [\d.]+)\)$/);
    },
  );

  test("408: a head that stops in the middle is logged with what has come", async () => {
    using folder = new Folder();
    const options = { accessLog: folder.file("access.log"), accessLogFormat: "%r %s", headerTimeout: 0.1 };
    await using server = await startHttp(text("never"), options);
    for (const bytes of ["GET /stalled?x HTTP/1.1\r\nHost: a\r\n", "GET /stal", "GE"]) {
      expect((await request(server, bytes)).status).toBe(408);
    }
    await eventually("all are logged", () => folder.lines("access.log").length === 3);
    expect(folder.lines("access.log")).toEqual([
      "GET /stalled?x HTTP/1.1 408",
      "GET /stal HTTP/- 408",
      "- - HTTP/- 408",
    ]);
  });

  test("behind a proxy it is the proxy's client that is logged, where the head is whole", async () => {
    using folder = new Folder();
    const options = { accessLog: folder.file("access.log"), accessLogFormat: "%h %U %{User-Agent}i" };
    await using server = await startHttp(text("never"), { ...options, proxyHeaders: "x-forwarded" });
    await request(server, get("/a", "X-Forwarded-For: 203.0.113.7", "User-Agent: u", "Expect: nothing"));
    await server.logger.seen(/^203\.0\.113\.7: GET \/a was refused with 417: /);
    await eventually("it is logged", () => folder.lines("access.log").length === 1);
    expect(folder.lines("access.log")).toEqual(["203.0.113.7 /a u"]);
  });

  test("a body that breaks the rules is named by its request", async () => {
    await using server = await startServer(async (_scope, receive) => {
      for (;;) if (((await receive()) as { more?: boolean }).more !== true) return;
    });
    const chunked = "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    expect((await request(server, chunked)).status).toBe(400);
    await server.logger.seen(/^127\.0\.0\.1: POST \/up was refused with 400: /);
  });
});

describe("RFC 9110 section 9.3.2: the server's own answers to HEAD have no body", () => {
  const head = (rest: string): string => `HEAD ${rest}`;

  test.each([
    ["no Host", head("/ HTTP/1.1\r\n\r\n"), 400],
    ["a malformed target", head("/a{b HTTP/1.1\r\nHost: a\r\n\r\n").replace("{", "\xe9"), 400],
    ["another version", head("/ HTTP/3.0\r\n\r\n"), 505],
    ["a malformed version", head("/ HTTQ\r\n\r\n"), 400],
    ["a NUL", head("/\0 HTTP/1.1\r\n\r\n"), 400],
    ["a line that is too long", head(`/${LONG} HTTP/1.1\r\n\r\n`), 414],
    ["a head that is too large", head(`/ HTTP/1.1\r\nHost: a\r\nX: ${LONG}${LONG}\r\n\r\n`), 431],
    ["a body that is too large", head("/ HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"), 413],
    ["an expectation", head("/ HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"), 417],
    ["a coding", head("/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), 501],
    ["a wrong handshake", head("/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), 400],
    ["an application that throws", head("/throw HTTP/1.1\r\nHost: a\r\n\r\n"), 500],
    ["an application without an answer", head("/none HTTP/1.1\r\nHost: a\r\n\r\n"), 500],
    [
      "a body that breaks the rules",
      head("/read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
      400,
    ],
  ])("%s", async (_name, bytes, status) => {
    await using server = await startHttp(async (scope, receive) => {
      if (scope.path === "/throw") throw new Error("thrown");
      if (scope.path === "/read") while ((await receive()).type === "http.request");
    });
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    const response = await wire.response("HEAD");
    expect(response.status).toBe(status);
    // What a GET would have got is said all the same.
    expect(Number(/content-length: (\d+)/.exec(response.head)?.[1])).toBeGreaterThan(0);
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });

  test("another method has one", async () => {
    await using server = await startHttp(text("never"));
    for (const bytes of [
      "HEADS / HTTP/9.9\r\n\r\n",
      "head / HTTP/9.9\r\n\r\n",
      post("/", "").replace("1.1", "9.9"),
    ])
      expect((await request(server, bytes)).body).not.toBe("");
  });
});

describe("the reasons in the log", () => {
  const error = new ProtocolError(400, "Host is missing (RFC 9112 section 3.2)");
  const head = { ...NO_HEAD, method: "GET", rawPath: "/a" };

  test("are logged at info once for each client, kind and second, and otherwise at debug", () => {
    const logger = new RecordingLogger();
    let now = 5_000;
    const refusals = new Refusals(logger, () => now);
    const counts = (): [number, number] => [logger.messages("info").length, logger.messages("debug").length];
    for (let i = 0; i < 3; i++) refusals.note("10.0.0.1", head, error);
    expect(counts()).toEqual([1, 2]);
    refusals.note("10.0.0.2", head, error); // another client
    refusals.note("10.0.0.1", head, new ProtocolError(431, "The request head is too large"));
    refusals.note(undefined, NO_HEAD, error);
    expect(counts()).toEqual([4, 2]);
    now = 5_999;
    refusals.note("10.0.0.1", head, error);
    expect(counts()).toEqual([4, 3]);
    now = 6_000;
    refusals.note("10.0.0.1", head, error);
    expect(counts()).toEqual([5, 3]);
    expect(logger.messages("info").slice(0, 4)).toEqual([
      "10.0.0.1: GET /a was refused with 400: Host is missing (RFC 9112 section 3.2)",
      "10.0.0.2: GET /a was refused with 400: Host is missing (RFC 9112 section 3.2)",
      "10.0.0.1: GET /a was refused with 431: The request head is too large",
      "unix: a request was refused with 400: Host is missing (RFC 9112 section 3.2)",
    ]);
  });

  test("are bounded, however many clients there are, and however long a line is", () => {
    const logger = new RecordingLogger();
    const refusals = new Refusals(logger, () => 0);
    for (let i = 0; i < 10_000; i++)
      refusals.note(`10.0.${i >> 8}.${i & 255}`, { ...head, rawPath: `/${LONG}` }, error);
    expect(logger.messages("info")).toHaveLength(256);
    for (const line of logger.messages("info")) expect(line.length).toBeLessThan(320);
  });
});
