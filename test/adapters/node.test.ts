import { describe, expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { type NodeListener, scopeOf } from "../../adapters/node.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { ServerProcess } from "../support/example.ts";
import { httpScope, server as fakeServer } from "../support/fake-scope.ts";
import { Folder } from "../support/program.ts";
import { startServer, type TestServer } from "../support/server.ts";
import {
  eventually,
  field,
  get,
  post,
  postChunked,
  request,
  Wire,
  type WireResponse,
} from "../support/wire.ts";

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  const start = (listener: NodeListener, options?: PartialOptions): Promise<TestServer> =>
    startServer(fromNode(listener), options);

  /** The whole request body. */
  async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  describe("the request", () => {
    test("has method, URL, version, fields in order and number, and the client's address", async () => {
      await using server = await start((incoming, response) => {
        const { method, url, httpVersion, headers, rawHeaders, socket } = incoming;
        const { remoteAddress, remotePort, localPort } = socket;
        response.end(
          JSON.stringify({
            method,
            url,
            httpVersion,
            headers,
            rawHeaders,
            remoteAddress,
            remotePort,
            localPort,
          }),
        );
      });
      await using wire = await Wire.open(server);
      await wire.send(
        "PATCH /a%20b?c=%C3%A9&d HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nCookie: b=1\r\nx-a: \xe9\r\n\r\n",
      );
      const seen = JSON.parse(Buffer.from((await wire.response()).body, "latin1").toString());
      expect(seen).toMatchObject({ method: "PATCH", url: "/a%20b?c=%C3%A9&d", httpVersion: "1.1" });
      expect(seen.headers).toEqual({ host: "a", "x-a": "1, \xe9", cookie: "b=1" });
      expect(seen.rawHeaders).toEqual(["host", "a", "x-a", "1", "cookie", "b=1", "x-a", "\xe9"]);
      expect(seen.remoteAddress).toBe("127.0.0.1");
      expect(seen.remotePort).toBeGreaterThan(0);
      expect(seen.localPort).toBe(server.port);
    });

    test("of HTTP/1.0 is one, and its connection closes", async () => {
      await using server = await start((incoming, response) => {
        response.write(incoming.httpVersion);
        response.end("!");
      });
      await using wire = await Wire.open(server);
      await wire.send("GET / HTTP/1.0\r\n\r\n");
      const text = await wire.readToEnd();
      expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
      expect(text).toEndWith("\r\n\r\n1.0!");
    });

    test.each([
      ["with a length", post("/", "hello body")],
      ["in chunks", `${postChunked("/")}6\r\nhello \r\n4\r\nbody\r\n0\r\n\r\n`],
    ])("has its body %s", async (_how, bytes) => {
      await using server = await start(async (incoming, response) => response.end(await bodyOf(incoming)));
      expect((await request(server, bytes)).body).toBe("hello body");
    });

    test("without a body ends at once", async () => {
      await using server = await start(async (incoming, response) =>
        response.end(`${(await bodyOf(incoming)).length} ${incoming.complete}`),
      );
      expect((await request(server, get("/"))).body).toBe("0 true");
      expect((await request(server, post("/", ""))).body).toBe("0 true");
    });

    test("asks for its body only when the listener reads: Expect is answered then (RFC 9110 section 10.1.1)", async () => {
      const go = Promise.withResolvers<void>();
      await using server = await start(async (incoming, response) => {
        if (incoming.url === "/refuse") return response.writeHead(413, { connection: "close" }).end();
        await go.promise;
        response.end(await bodyOf(incoming));
      });
      const head = "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n";
      const refused = await request(server, `POST /refuse HTTP/1.1\r\nHost: a\r\n${head}`);
      expect(refused.status).toBe(413);
      expect(field(refused, "connection")).toBe("close");
      await using wire = await Wire.open(server);
      await wire.send(`POST / HTTP/1.1\r\nHost: a\r\n${head}`);
      await request(server, post("/refuse", "")); // another one is answered meanwhile
      expect(wire.pending).toBe("");
      go.resolve();
      expect(await wire.readTo("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      await wire.send("body");
      expect((await wire.response()).body).toBe("body");
    });

    test("is received piece by piece, as the listener reads", async () => {
      const headers: [string, string][] = [["transfer-encoding", "chunked"]];
      const pieces = Array.from({ length: 100 }, (_, at) => ({
        type: "http.request" as const,
        body: new Uint8Array(50_000).fill(at),
        more: at < 99,
      }));
      const side = fakeServer(...pieces);
      const [read, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let count = 0;
      const app = fromNode(async (incoming, response) => {
        await read.promise;
        for await (const chunk of incoming) {
          if (count === 0) await rest.promise;
          count += chunk.length;
        }
        response.end(String(count));
      });
      const running = app(httpScope({ method: "POST", headers }), side.receive, side.send);
      await turns();
      expect(side.received()).toBe(0);
      read.resolve();
      await turns();
      expect(side.received()).toBeGreaterThan(0);
      expect(side.received()).toBeLessThan(6); // what node:http holds for a reader, and the piece in its hands
      rest.resolve();
      await running;
      expect(count).toBe(5_000_000);
      expect(side.received()).toBe(100);
    });
  });

  /** Lets everything that can go on without the outside go on. */
  async function turns(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
  }

  describe("the response", () => {
    const answers: [string, NodeListener, number, Record<string, string | undefined>, string][] = [
      ["end(text)", (_, r) => r.end("text"), 200, { "content-length": "4" }, "text"],
      ["end()", (_, r) => r.end(), 200, { "content-length": "0" }, ""],
      ["writeHead(status)", (_, r) => r.writeHead(404).end("no"), 404, { "content-length": undefined }, "no"],
      [
        "writeHead(status, phrase, fields)",
        (_, r) => r.writeHead(201, "Made", { "X-A": "1" }).end("x"),
        201,
        { "x-a": "1" },
        "x",
      ],
      [
        "writeHead(status, list of fields)",
        (_, r) => r.writeHead(200, ["x-a", "1", "x-b", "2"]).end("x"),
        200,
        { "x-a": "1", "x-b": "2" },
        "x",
      ],
      [
        "setHeader, appendHeader and writeHead",
        (_, r) => {
          r.setHeader("x-a", "1").appendHeader("x-b", "2");
          r.writeHead(202, { "x-c": "3" }).end();
        },
        202,
        { "x-a": "1", "x-b": "2", "x-c": "3" },
        "",
      ],
      [
        "write and end",
        (_, r) => {
          r.write("a");
          r.write(Buffer.from("b"));
          r.end("c");
        },
        200,
        { "transfer-encoding": "chunked", "content-length": undefined },
        "abc",
      ],
      [
        "content-length and write",
        (_, r) => {
          r.setHeader("content-length", 4).write("ab");
          setImmediate(() => r.end("cd"));
        },
        200,
        { "content-length": "4", "transfer-encoding": undefined },
        "abcd",
      ],
      [
        "bytes over U+007F in a field",
        (_, r) => r.setHeader("x-a", "\xe9").end(),
        200,
        { "x-a": "\xe9" },
        "",
      ],
      ["204", (_, r) => r.writeHead(204).end(), 204, { "content-length": undefined }, ""],
      ["304", (_, r) => r.writeHead(304, { etag: '"1"' }).end(), 304, { etag: '"1"' }, ""],
      [
        "connection: close",
        (_, r) => r.setHeader("connection", "close").end("x"),
        200,
        { connection: "close" },
        "x",
      ],
      [
        "no field about our own connection",
        (_, r) => r.end(),
        200,
        { "keep-alive": undefined, connection: undefined },
        "",
      ],
    ];

    test.each(answers)("by %s", async (_name, listener, status, fields, body) => {
      await using server = await start(listener);
      const response = await request(server, get("/"));
      expect(response.status).toBe(status);
      for (const [name, value] of Object.entries(fields))
        expect([name, field(response, name)]).toEqual([name, value]);
      expect(response.body).toBe(body);
      expect(server.logger.messages("error")).toEqual([]);
    });

    test("keeps repeated fields apart", async () => {
      await using server = await start((_, response) =>
        response.setHeader("set-cookie", ["a=1", "b=2"]).end(),
      );
      const { headers } = await request(server, get("/"));
      expect(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
        "a=1",
        "b=2",
      ]);
    });

    test("to HEAD has no body (RFC 9110 section 9.3.2), and the connection goes on", async () => {
      await using server = await start((_, response) => response.setHeader("content-length", 5).end("hello"));
      await using wire = await Wire.open(server);
      await wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
      expect(field(await wire.response("HEAD"), "content-length")).toBe("5");
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("hello");
    });

    test("has trailers, also where none were announced and where there are none", async () => {
      await using server = await start((incoming, response) => {
        if (incoming.url === "/announced") response.setHeader("trailer", "x-sum");
        response.write("body");
        if (incoming.url !== "/none") response.addTrailers({ "X-Sum": "7" });
        response.end();
      });
      for (const path of ["/announced", "/unannounced", "/none"]) {
        const { body, trailers } = await request(server, get(path, "TE: trailers"));
        expect([body, trailers]).toEqual(["body", path === "/none" ? [] : [["x-sum", "7"]]]);
      }
    });

    test("streams: each piece is there when it is written", async () => {
      const next = Promise.withResolvers<void>();
      await using server = await start(async (_, response) => {
        response.write("first");
        await next.promise;
        response.end("second");
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await wire.readTo("first");
      next.resolve();
      await wire.readTo("second");
    });

    test("holds the listener back while the client does not read", async () => {
      const room = Promise.withResolvers<void>();
      let written = 0;
      let isDrained = false;
      const app = fromNode((_, response) => {
        const write = (): void => {
          while (written < 100 && response.write(new Uint8Array(10_000))) written++;
          if (written === 100) response.end();
          else response.once("drain", () => ((isDrained = true), write()));
        };
        write();
      });
      const side = fakeServer({ type: "http.request", body: new Uint8Array(0), more: false });
      const running = app(httpScope(), side.receive, async (event) => {
        await side.send(event);
        if (event.type === "http.response.body") await room.promise;
      });
      await side.sentAtLeast(2);
      await turns();
      expect(written).toBeLessThan(30);
      expect(isDrained).toBe(false);
      expect(side.sent.length).toBe(2); // the head, and the body's first piece
      room.resolve();
      await running;
      expect(written).toBe(100);
    });

    test("tells the listener of its end, and only then", async () => {
      const told: string[] = [];
      await using server = await start((incoming, response) => {
        for (const name of ["finish", "close", "error"])
          response.on(name, () => told.push(`response ${name}`));
        for (const name of ["aborted", "error"]) incoming.on(name, () => told.push(`request ${name}`));
        response.end("x");
      });
      await request(server, get("/"));
      await eventually("the response has closed", () => told.includes("response close"));
      expect(told).toEqual(["response finish", "response close"]);
    });

    test("pipelined ones come in order", async () => {
      await using server = await start((incoming, response) => response.end(incoming.url));
      await using wire = await Wire.open(server);
      await wire.send(get("/1") + get("/2") + get("/3"));
      for (const path of ["/1", "/2", "/3"]) expect((await wire.response()).body).toBe(path);
    });
  });

  describe("a client that goes", () => {
    test.each(["while the body comes", "while the listener thinks", "while the response streams"])(
      "%s is told by aborted and close",
      async (when) => {
        const told: string[] = [];
        const called = Promise.withResolvers<void>();
        await using server = await start((incoming, response) => {
          for (const name of ["aborted", "error", "close"])
            incoming.on(name, () => told.push(`request ${name}`));
          response.on("close", () => told.push(`response close ${response.writableFinished}`));
          if (when === "while the body comes") incoming.resume();
          if (when === "while the response streams") response.write("part");
          called.resolve();
        });
        const wire = await Wire.open(server);
        await wire.send(
          when === "while the body comes"
            ? "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"
            : get("/"),
        );
        await called.promise;
        if (when === "while the response streams") await wire.readTo("part");
        wire.reset();
        await eventually(
          "everything has closed",
          () => told.includes("request close") && told.includes("response close false"),
        );
        expect(told).toContain("request aborted");
        expect(server.logger.messages("error")).toEqual([]);
      },
    );

    test("makes no error of a pipeline that fails by it", async () => {
      const failed = Promise.withResolvers<unknown>();
      await using server = await start(async (incoming, response) => {
        await pipeline(incoming, response).catch((error: unknown) => {
          failed.resolve(error);
          throw error;
        });
      });
      const wire = await Wire.open(server);
      await wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
      await wire.readTo("half");
      wire.reset();
      expect(await failed.promise).toBeInstanceOf(Error);
      await request(server, post("/", "next"));
      expect(server.logger.messages("error")).toEqual([]);
    });
  });

  /** The response behind any interim ones. */
  async function finalResponse(wire: Wire): Promise<WireResponse> {
    for (;;) {
      const response = await wire.response();
      if (response.status >= 200) return response;
    }
  }

  describe("a listener that fails", () => {
    const failures: [string, NodeListener, string][] = [
      [
        "throws",
        () => {
          throw new Error("bad luck");
        },
        "bad luck",
      ],
      ["rejects", () => Promise.reject(new Error("bad luck")), "bad luck"],
      [
        "destroys the response",
        (_, response) => response.destroy(),
        "destroyed the connection of GET / without a response",
      ],
      [
        "destroys the socket",
        (incoming) => incoming.socket.destroy(),
        "destroyed the connection of GET / without a response",
      ],
      ["ends its socket", (incoming) => incoming.socket.end(), "without a response"],
      ["resets its socket", (incoming) => incoming.socket.resetAndDestroy(), "without a response"],
      [
        "lets its timeout pass unheard",
        (incoming) => incoming.socket.setTimeout(10),
        "nothing listens for 'timeout'",
      ],
      ...[100, 102, 103, 199].map((status): (typeof failures)[number] => [
        `ends with the interim status ${status}`,
        (_, response) => {
          response.statusCode = status;
          response.end("x");
        },
        `ended its response with the status ${status}, which is interim`,
      ]),
    ];
    test.each(failures)("and %s is answered with 500, and logged", async (_how, listener, message) => {
      await using server = await start(listener);
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      expect((await finalResponse(wire)).status).toBe(500);
      expect(JSON.stringify(server.logger.lines.map((line) => [line.message, String(line.error)]))).toContain(
        message,
      );
    });

    test.each([
      ["content-length", { "content-length": "9" }],
      ["a transfer coding that it does not apply", { "transfer-encoding": "gzip" }],
    ])("and whose response ends elsewhere than %s says is not waited for", async (_what, headers) => {
      await using server = await start((_, response) => response.writeHead(200, headers).end("part"));
      await using wire = await Wire.open(server);
      await wire.send(get("/", "Connection: close"));
      expect(await wire.readToEnd()).toContain("part");
    });

    test("behind the end of its response changes nothing for the client, and is logged", async () => {
      using folder = new Folder({
        "app.ts": `import { fromNode } from ${JSON.stringify(join(import.meta.dir, "../../adapters/node.ts"))};
        export default fromNode(async (_, response) => { response.end("whole"); throw new Error("late"); });`,
      });
      await using server = await ServerProcess.start([folder.file("app.ts"), "-p", "0"]);
      expect((await request({ host: "127.0.0.1", port: server.port }, get("/"))).body).toBe("whole");
      await server.shows(/late/);
    });

    test("while the body of the request still comes, behind its response, meets no bytes of it", async () => {
      const told: string[] = [];
      await using server = await start((incoming, response) => {
        incoming.on("error", (error) => told.push(String(error)));
        incoming.on("data", () => {});
        response.writeHead(200, { connection: "close" }).end("early");
      });
      await using wire = await Wire.open(server);
      await wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
      expect((await wire.response()).body).toBe("early");
      await wire.readToEnd();
      expect(told.filter((each) => !each.includes("aborted"))).toEqual([]);
    });

    test("in the middle of its response is cut", async () => {
      await using server = await start((_, response) => {
        response.write("part");
        setImmediate(() => response.destroy());
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      expect(await wire.readToEnd()).not.toContain("\r\n0\r\n\r\n");
      expect(server.logger.lines.map(({ error }) => String(error)).join()).toContain(
        "before the response was complete",
      );
    });
  });

  describe("other scopes", () => {
    test("an event stream is the listener's own, and its client's going is seen", async () => {
      const closed = Promise.withResolvers<void>();
      await using server = await start((incoming, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: 1\n\n");
        incoming.on("close", () => closed.resolve());
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/", "Accept: text/event-stream"));
      expect(await wire.readTo("data: 1\n\n")).toContain("content-type: text/event-stream\r\n");
      wire.reset();
      await closed.promise;
    });

    test("a request for an event stream may have a body, and any answer", async () => {
      await using server = await start(async (incoming, response) => response.end(await bodyOf(incoming)));
      const response = await request(server, post("/", "hello", "Accept: text/event-stream"));
      expect([field(response, "content-length"), response.body]).toEqual(["5", "hello"]);
    });

    test("a WebSocket is refused with 501", async () => {
      await using server = await start((_, response) => response.end());
      const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
      const fields = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key];
      expect((await request(server, get("/", ...fields))).status).toBe(501);
    });

    test.each(["CONNECT", "BREW", "get"])(
      "%s, which no handler gets, is answered with 501",
      async (method) => {
        await using server = await start((_, response) => response.end());
        const target = method === "CONNECT" ? "a:1" : "/";
        const answer = await request(server, `${method} ${target} HTTP/1.1\r\nHost: a:1\r\n\r\n`);
        expect([answer.status, server.logger.messages("error")]).toEqual([501, []]);
      },
    );

    test("interim responses are dropped where the scope has no extension for them", async () => {
      const side = fakeServer();
      const app = fromNode((_, response) => {
        response.writeEarlyHints({ link: "</a.css>; rel=preload" });
        response.end("x");
      });
      await app(httpScope(), side.receive, side.send);
      expect(side.sent.map(({ type }) => type)).toEqual(["http.response.start", "http.response.body"]);
      const switching = fromNode((_, response) => response.writeHead(101).end());
      await expect(switching(httpScope(), side.receive, side.send)).rejects.toThrow(/status 101/);
    });

    test("a request to upgrade to something else is an ordinary one", async () => {
      await using server = await start((_, response) => response.end("plain"));
      expect((await request(server, get("/", "Connection: Upgrade", "Upgrade: tea"))).body).toBe("plain");
    });

    test("lifespan is not handled", async () => {
      const scope = {
        type: "lifespan" as const,
        pagi: { version: "0.3", spec_version: "0.3", is_worker: 0 as const, role: "single" as const },
        state: {},
      };
      const side = fakeServer();
      const running = fromNode(() => {})(scope, side.receive, side.send);
      await expect(running).rejects.toBeInstanceOf(UnsupportedScopeError);
    });

    test("scopeOf gives the scope of a request, and nothing for another one", async () => {
      await using server = await start((incoming, response) => response.end(`${scopeOf(incoming)?.path}`));
      expect((await request(server, get("/caf%C3%A9"))).body).toBe(Buffer.from("/café").toString("latin1"));
    });

    test("a scope whose fields would forge a request is refused", async () => {
      for (const wanted of [
        { headers: [["x-a", "1\r\nx-b: 2"]] satisfies [string, string][] },
        { headers: [["x a", "1"]] satisfies [string, string][] },
        { method: "GET /x" },
      ]) {
        const side = fakeServer();
        const running = fromNode((_, response) => response.end())(httpScope(wanted), side.receive, side.send);
        await expect(running).rejects.toBeInstanceOf(TypeError);
      }
    });
  });
});
