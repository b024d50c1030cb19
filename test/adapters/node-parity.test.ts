import { describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { finished, pipeline } from "node:stream";
import { createGzip } from "node:zlib";

import { MECHANISMS } from "../support/node-mechanisms.ts";
import { startServer } from "../support/server.ts";
import { eventually, get, post, Wire } from "../support/wire.ts";

type Log = unknown[];
type LoggingListener = (request: IncomingMessage, response: ServerResponse, log: Log) => unknown;
interface Row {
  readonly name: string;
  readonly listener: LoggingListener;
  /** Default: a GET. */
  readonly bytes?: string;
  /** How much the listener logs, where not all of it is there before the response. */
  readonly entries?: number;
}

/** What a client and a listener see of one request. */
interface Outcome {
  readonly responses: readonly unknown[];
  readonly log: Log;
}

/** Fields that a server adds on its own. */
const OF_THE_SERVER = new Set(["date", "keep-alive"]);
const POST = post("/", "hello");

function logEvents(request: IncomingMessage, response: ServerResponse, log: Log): void {
  for (const name of ["end", "close", "error", "aborted", "timeout"])
    request.on(name, () => log.push(`request ${name}`));
  for (const name of ["prefinish", "finish", "close", "error", "timeout"])
    response.on(name, () => log.push(`response ${name}`));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** What it throws, by its code. */
function codeOf(action: () => unknown): unknown {
  try {
    action();
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

const rows: Row[] = [
  {
    name: "events of a request and its response",
    entries: 5,
    listener(request, response, log) {
      logEvents(request, response, log);
      response.end("x");
    },
  },
  {
    name: "events of a request whose body is read",
    entries: 5,
    bytes: POST,
    async listener(request, response, log) {
      logEvents(request, response, log);
      response.end(await bodyOf(request));
    },
  },
  {
    name: "events of a request whose body nobody reads",
    entries: 5,
    bytes: POST,
    listener(request, response, log) {
      logEvents(request, response, log);
      response.end("x");
    },
  },
  {
    name: "response.setTimeout()",
    entries: 6,
    listener(request, response, log) {
      logEvents(request, response, log);
      response.setTimeout(20, () => response.writeHead(503).end("late"));
    },
  },
  {
    name: "request.setTimeout() while the body is awaited",
    bytes: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe",
    listener(request, response, log) {
      request.resume();
      request.setTimeout(20, () => {
        log.push("request timeout");
        response.writeHead(408, { connection: "close" }).end("late");
      });
    },
  },
  {
    name: "socket.setTimeout()",
    listener(request, response) {
      response.on("timeout", () => {}); // without it, the connection is closed
      request.socket.setTimeout(20, () => response.writeHead(503).end("late"));
    },
  },
  {
    name: "writing after the head, and after the end",
    entries: 3,
    listener(_request, response, log) {
      response.on("error", () => {});
      response.writeHead(200, { "content-length": 1 });
      log.push(codeOf(() => response.setHeader("a", "b")));
      log.push(codeOf(() => response.writeHead(201)));
      response.end("x");
      response.write("y", (error) => log.push(error instanceof Error && "code" in error && error.code));
    },
  },
  {
    name: "headers that cannot be sent",
    listener(_request, response, log) {
      for (const [name, value] of [
        ["a b", "1"],
        ["a", "1\n2"],
        ["a", "€"],
        ["", "x"],
      ] as const)
        log.push(codeOf(() => response.setHeader(name, value)));
      log.push(codeOf(() => Reflect.apply(response.setHeader, response, ["a", undefined])));
      response.end();
    },
  },
  {
    name: "chunks that cannot be sent",
    listener(_request, response, log) {
      for (const chunk of [1, true, {}, []])
        for (const send of [response.write, response.end])
          log.push(codeOf(() => Reflect.apply(send, response, [chunk])));
      response.end("z");
    },
  },
  {
    name: "statuses that cannot be sent",
    listener(_request, response, log) {
      for (const status of [0, 99, 1000, Number.NaN]) log.push(codeOf(() => response.writeHead(status)));
      response.end();
    },
  },
  {
    name: "what can be read of a request, a response and their socket",
    listener(request, response, log) {
      const { socket } = request;
      log.push(request.httpVersionMajor, request.httpVersionMinor, request.complete, request.trailers);
      log.push(request.connection === socket, response.socket === socket, response.req === request);
      log.push(response.writableEnded, response.writableFinished, response.headersSent);
      log.push(response.chunkedEncoding, response.shouldKeepAlive, response.sendDate, response.statusCode);
      log.push(socket instanceof Socket, socket.readyState, socket.pending, socket.connecting);
      log.push(socket.readable, socket.writable, socket.destroyed, socket.timeout, socket.allowHalfOpen);
      log.push(socket.localFamily, socket.remoteFamily, socket.localAddress, socket.remoteAddress);
      log.push(socket.bytesWritten, socket.bufferSize, socket.writableLength, "getPeerCertificate" in socket);
      log.push(Reflect.get(socket, "server") instanceof Server, socket.listenerCount("timeout"));
      log.push(Object.keys(socket.address()).toSorted());
      for (const result of [socket.setNoDelay(), socket.setKeepAlive(true), socket.ref(), socket.unref()])
        log.push(result === socket);
      log.push(socket.setTimeout(0) === socket);
      response.end();
    },
  },
  {
    name: "what middleware may assign",
    listener(request, response, log) {
      for (const name of ["encrypted", "remoteAddress", "remotePort", "server", "user", "timeout"])
        log.push(Reflect.set(request.socket, name, 1) && Reflect.get(request.socket, name));
      for (const name of ["url", "method", "headers", "ip", "body", "query", "user"])
        log.push(Reflect.set(request, name, "z") && Reflect.get(request, name));
      for (const name of ["statusCode", "statusMessage", "locals", "sendDate"])
        log.push(Reflect.set(response, name, 201) && Reflect.get(response, name));
      response.end();
    },
  },
  {
    name: "what is true once the response is finished",
    entries: 6,
    listener(request, response, log) {
      response.end("x", () => {
        log.push(response.writableEnded, response.writableFinished, response.headersSent, request.complete);
        log.push(request.socket.destroyed, request.socket.remoteAddress);
      });
    },
  },
  {
    name: "finished() of both streams",
    entries: 2,
    listener(request, response, log) {
      finished(response, (error) => log.push(["response", error?.code]));
      finished(request, (error) => log.push(["request", error?.code]));
      response.end("x");
    },
  },
  {
    name: "a pipeline from the request to the response",
    entries: 1,
    bytes: POST,
    listener: (request, response, log) => pipeline(request, response, (error) => log.push(error?.code)),
  },
  {
    name: "a request that is paused, read in part and put back",
    bytes: POST,
    listener(request, response, log) {
      request.pause();
      log.push(request.isPaused());
      request.once("readable", async () => {
        request.unshift(request.read(2));
        response.end(await bodyOf(request));
      });
    },
  },
  {
    name: "a request with an encoding",
    bytes: POST,
    async listener(request, response) {
      request.setEncoding("hex");
      response.end(await bodyOf(request));
    },
  },
  {
    name: "repeated request headers",
    bytes: get("/", "X-A: 1", "x-a: 2", "User-Agent: u", "User-Agent: v", "Cookie: a=1"),
    listener(request, response, log) {
      log.push(request.headers, request.headersDistinct);
      response.end();
    },
  },
  {
    name: "access to headers of the response",
    listener(_request, response, log) {
      response.setHeader("X-A", 1).appendHeader("x-a", "2");
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      log.push(response.getHeader("x-a"), response.getHeaderNames(), response.hasHeader("X-a"));
      response.removeHeader("x-a");
      log.push({ ...response.getHeaders() });
      response.end();
    },
  },
  {
    name: "a response piped from gzip",
    listener(_request, response) {
      const gzip = createGzip();
      gzip.pipe(response.setHeader("content-encoding", "gzip"));
      gzip.end("hello");
    },
  },
  {
    name: "corked writes",
    listener(_request, response, log) {
      response.cork();
      response.write("a");
      response.write("b");
      log.push(response.writableCorked, response.writableLength > 0);
      response.uncork();
      response.end("c");
    },
  },
  {
    name: "flushHeaders()",
    listener(_request, response, log) {
      response.flushHeaders();
      log.push(response.headersSent);
      setImmediate(() => response.end("x"));
    },
  },
  {
    name: "trailers",
    listener(_request, response) {
      response.setHeader("trailer", "x-t").write("a");
      response.addTrailers({ "x-t": "1" });
      response.end();
    },
  },
  {
    name: "HEAD",
    entries: 5,
    bytes: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    listener(request, response, log) {
      logEvents(request, response, log);
      response.setHeader("content-length", 4).write("abc");
      response.end("d");
    },
  },
  ...[204, 304].map((status): Row => ({
    name: `${status} with a body`,
    entries: 5,
    listener(request, response, log) {
      logEvents(request, response, log);
      response.writeHead(status).write("abc");
      response.end("d");
    },
  })),
  {
    name: "writeContinue()",
    listener(_request, response) {
      response.writeContinue();
      response.end("x");
    },
  },
  {
    name: "writeProcessing()",
    listener(_request, response) {
      response.writeProcessing();
      response.end("x");
    },
  },
  {
    name: "writeEarlyHints(), and more than one interim response",
    async listener(_request, response, log) {
      const written = Promise.withResolvers<void>();
      const link = ["</a.css>; rel=preload", "</b.js>; rel=preload"];
      response.writeEarlyHints({ link, "x-a": "1" }, () => written.resolve());
      await written.promise;
      log.push(response.headersSent);
      response.writeEarlyHints({ link: "</c.css>; rel=preload" });
      response.end("x");
    },
  },
  {
    name: "101 that changes to a protocol",
    listener: (_request, response) =>
      response.writeHead(101, { connection: "upgrade", upgrade: "tea", "x-a": "1" }).end(),
  },
  ...["request", "response", "socket"].map((which): Row => ({
    name: `a ${which} that is destroyed behind the end of the response`,
    bytes: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nzzz",
    listener(request, response) {
      response.writeHead(413, { connection: "close" }).end("too large");
      ({ request, response, socket: request.socket })[which]?.destroy();
    },
  })),
  {
    name: "a connection that closes",
    listener(_request, response, log) {
      response.shouldKeepAlive = false;
      log.push(response.shouldKeepAlive);
      response.end("x");
    },
  },
  {
    name: "an answer written to the socket itself",
    listener(request) {
      request.socket.write("HTTP/1.1 200 OK\r\nContent-Le");
      setImmediate(() => request.socket.end("ngth: 2\r\nConnection: close\r\n\r\nhi"));
    },
  },
];

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  test.each(rows)("$name: as by node:http", async (row) => {
    const plain = await byNodeHttp(row);
    expect(await byAdapter(row)).toEqual(plain);
  });

  async function byAdapter({ listener, ...row }: Row): Promise<Outcome> {
    const log: Log = [];
    await using server = await startServer(fromNode((request, response) => listener(request, response, log)));
    const outcome = await outcomeOf(server, row, log);
    expect(server.logger.messages("error")).toEqual([]);
    return outcome;
  }

  async function byNodeHttp({ listener, ...row }: Row): Promise<Outcome> {
    const log: Log = [];
    const server = createServer((request, response) => void listener(request, response, log));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    try {
      return await outcomeOf({ host: "127.0.0.1", port: address.port }, row, log);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Sends the request; ends with the final response, and once the listener has logged as much as the row says. */
  async function outcomeOf(
    address: { host: string; port: number },
    { bytes = get("/"), entries = 0 }: Omit<Row, "listener">,
    log: Log,
  ): Promise<Outcome> {
    await using wire = await Wire.open(address);
    await wire.send(bytes);
    const responses: unknown[] = [];
    for (let isFinal = false; !isFinal;) {
      const response = await wire.response(bytes.slice(0, bytes.indexOf(" ")));
      const { status, body, trailers } = response;
      isFinal = status >= 200 || status === 101;
      responses.push({ status, headers: response.headers.flatMap(comparable).toSorted(), body, trailers });
    }
    await eventually(`${entries} log entries`, () => log.length >= entries);
    return { responses, log };
  }

  /** What the listener decides about; the rest of a head is the server's. */
  function comparable([name, value]: readonly [string, string]): string[] {
    if (OF_THE_SERVER.has(name)) return [];
    if (name !== "connection") return [`${name}: ${value}`];
    const options = value.split(", ").filter((option) => option !== "keep-alive");
    return options.length === 0 ? [] : [`connection: ${options.join(", ")}`];
  }
});
