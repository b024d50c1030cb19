import { describe, expect, test } from "bun:test";

import type { HttpHandler, HttpSendEvent } from "../../src/spec/index.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { startHttp, startServer, text } from "../support/server.ts";
import { Wire, field, get, request } from "../support/wire.ts";

const start = (headers: [string, string][] = []): HttpSendEvent => ({
  type: "http.response.start",
  status: 200,
  headers,
});
const body = (text: string, more = false): HttpSendEvent => ({
  type: "http.response.body",
  body: text,
  more,
});
const trailers: HttpSendEvent = { type: "http.response.trailers" };
const withTrailers: HttpSendEvent = { type: "http.response.start", status: 200, trailers: true };

/** Sends events one after the other; gives the codes of those that were rejected. */
async function rejections(
  events: readonly unknown[],
  options: PartialOptions = {},
): Promise<{ codes: (string | undefined)[]; messages: string[]; body: string; logged: string[] }> {
  const codes: (string | undefined)[] = [];
  const messages: string[] = [];
  await using server = await startServer(async (scope, _receive, send) => {
    if (scope.type !== "http") throw new Error("http only");
    for (const event of events) {
      await send(event as HttpSendEvent).then(
        () => codes.push(undefined),
        (error) => {
          codes.push(error.code);
          messages.push(error.message);
        },
      );
    }
  }, options);
  const response = await request(server, get("/"));
  return { codes, messages, body: response.body, logged: server.logger.messages("error") };
}

const STATE = "ERR_PAGI_STATE";
const EVENT = "ERR_PAGI_EVENT";

describe("the order of events", () => {
  test.each([
    ["a body before the start", [body("x"), start(), body("ok")], [STATE, undefined, undefined]],
    ["trailers before the start", [trailers, start(), body("ok")], [STATE, undefined, undefined]],
    ["a second start", [start(), start(), body("ok")], [undefined, STATE, undefined]],
    ["a body behind the last", [start(), body("ok"), body("x")], [undefined, undefined, STATE]],
    ["a start behind the last", [start(), body("ok"), start()], [undefined, undefined, STATE]],
    ["trailers that were not announced", [start(), body("ok"), trailers], [undefined, undefined, STATE]],
    [
      "trailers in the middle of the body",
      [withTrailers, body("o", true), trailers, body("k"), trailers],
      [undefined, undefined, STATE, undefined, undefined],
    ],
    [
      "a body where only trailers are missing",
      [withTrailers, body("ok"), body("x"), trailers],
      [undefined, undefined, STATE, undefined],
    ],
    [
      "a flush before the start",
      [{ type: "http.fullflush" }, start(), body("ok")],
      [STATE, undefined, undefined],
    ],
    [
      "flushes anywhere else",
      [
        start(),
        { type: "http.fullflush" },
        body("o", true),
        { type: "http.fullflush" },
        body("k"),
        { type: "http.fullflush" },
      ],
      Array(6).fill(undefined),
    ],
  ])("%s", async (_name, events, codes) => {
    for (const validateEvents of [true, false]) {
      const result = await rejections(events, { validateEvents });
      expect(result.codes).toEqual(codes);
      expect(result.body).toBe("ok");
      expect(result.logged).toEqual([]);
    }
  });

  test("the rejection names the event and the state", async () => {
    const { messages } = await rejections([body("x"), start(), body("ok")]);
    expect(messages).toEqual([
      "http.response.body is not allowed now (state: waiting): the response has not been started",
    ]);
  });

  test("after a file that cannot be sent, the rejection of the next event says so, and another start is taken", async () => {
    const {
      codes,
      messages,
      body: sent,
    } = await rejections([
      start(),
      { type: "http.response.body", file: "/nowhere/at/all" },
      body("x"),
      { type: "http.fullflush" },
      trailers,
      start(),
      body("ok"),
    ]);
    expect(codes).toEqual([undefined, EVENT, STATE, STATE, STATE, undefined, undefined]);
    for (const message of messages.slice(1))
      expect(message).toMatch(
        /^http\.\S+ is not allowed now \(state: taken back\): its file could not be sent .*; start another response$/,
      );
    expect(sent).toBe("ok");
  });

  test.each([
    ["an unknown type", { type: "http.response.end" }],
    ["no type", {}],
    ["another scope's event", { type: "sse.start" }],
    ["an event that only the server sends", { type: "http.request", body: new Uint8Array(0), more: false }],
    ["a status that is no final one", { type: "http.response.start", status: 103 }],
    ["a status that is a string", { type: "http.response.start", status: "200" }],
    ["no status", { type: "http.response.start" }],
    ["a status of four digits", { type: "http.response.start", status: 2000 }],
    ["headers that are an object", { type: "http.response.start", status: 200, headers: { a: "b" } }],
    ["a header that is no pair", { type: "http.response.start", status: 200, headers: ["a"] }],
    ["a header value that is a number", { type: "http.response.start", status: 200, headers: [["a", 1]] }],
    [
      "a content-length that is no number",
      { type: "http.response.start", status: 200, headers: [["content-length", "five"]] },
    ],
    [
      "two content-lengths",
      {
        type: "http.response.start",
        status: 200,
        headers: [
          ["content-length", "2"],
          ["content-length", "2"],
        ],
      },
    ],
  ])("%s is an EventError, with validation on and off", async (_name, event) => {
    for (const validateEvents of [true, false]) {
      const { codes, body: sent } = await rejections([event, start(), body("ok")], { validateEvents });
      expect([validateEvents, codes, sent]).toEqual([validateEvents, [EVENT, undefined, undefined], "ok"]);
    }
  });

  test.each([
    ["a body that is a number", { type: "http.response.body", body: 1 }],
    ["a body that is an array", { type: "http.response.body", body: [1] }],
    ["a body and a file", { type: "http.response.body", body: "x", file: "/etc/hostname" }],
    ["a file and an fh", { type: "http.response.body", file: "/etc/hostname", fh: 0 }],
    ["an offset that is negative", { type: "http.response.body", fh: new Blob(["x"]), offset: -1 }],
    ["a length that is no integer", { type: "http.response.body", fh: new Blob(["x"]), length: 1.5 }],
  ])("%s is an EventError, with validation on and off", async (_name, event) => {
    for (const validateEvents of [true, false]) {
      const { codes } = await rejections([start(), event], { validateEvents });
      expect([validateEvents, codes]).toEqual([validateEvents, [undefined, EVENT]]);
    }
  });

  test("null fields count as absent, unknown ones are ignored", async () => {
    const { codes, body: sent } = await rejections([
      { type: "http.response.start", status: 200, headers: null, trailers: null, reason: "x" },
      {
        type: "http.response.body",
        body: "o",
        more: 1,
        file: null,
        fh: null,
        offset: null,
        length: null,
        extra: 1,
      },
      { type: "http.response.body", body: null, more: true },
      { type: "http.response.body", body: "k", more: 0 },
    ]);
    expect(codes).toEqual([undefined, undefined, undefined, undefined]);
    expect(sent).toBe("ok");
  });
});

describe("PAGI Www, Application Produced No Response", () => {
  const secret = new Error("the secret of the application");
  test.each<[string, HttpHandler, string]>([
    ["threw", () => Promise.reject(secret), "the application threw"],
    ["threw undefined", () => Promise.reject(undefined), "the application threw undefined"],
    [
      "threw without being async",
      () => {
        throw secret;
      },
      "the application threw",
    ],
    ["returned", async () => {}, "the application returned without starting a response"],
    [
      "returned a response, as a handler of a framework does",
      (async () => new Response("lost")) as unknown as HttpHandler,
      "the application returned without starting a response; the Response that it returned is sent by nobody. " +
        "Give its events to send(), or make an application of the handler, as handler() of pagi-server/context does",
    ],
    [
      "started and threw in the same turn",
      async (_scope, _receive, send) => {
        await send(start([["x-half", "1"]]));
        throw secret;
      },
      "the application threw",
    ],
    [
      "started and returned in the same turn",
      async (_scope, _receive, send) => {
        await send(start([["x-half", "1"]]));
      },
      "the application returned before its response was complete",
    ],
  ])(
    "an application that %s gets 500 for its client, a closed connection and a log line",
    async (_name, app, line) => {
      await using server = await startHttp(app);
      await using wire = await Wire.open(server);
      await wire.send(get("/a%20b?c") + get("/next"));
      const response = await wire.response();
      expect(response.status).toBe(500);
      expect(field(response, "connection")).toBe("close");
      expect(field(response, "content-type")).toBe("text/plain; charset=utf-8");
      expect(response.body).toBe("Internal Server Error\n");
      expect(field(response, "x-half")).toBeUndefined();
      expect(await wire.readToEnd()).toBe("");
      expect(server.logger.messages("error")).toEqual([`GET /a%20b: ${line}`]);
      const [logged] = server.logger.lines.filter((each) => each.level === "error");
      expect(logged?.error).toBe(line === "the application threw" ? secret : undefined);
    },
  );

  test("HEAD gets the 500 without its text", async () => {
    await using server = await startHttp(async () => {});
    await using wire = await Wire.open(server);
    await wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.readToEnd()).toMatch(/^HTTP\/1\.1 500 [^]*\r\n\r\n$/);
  });

  test("the unread body of a request does not keep the 500 from its client", async () => {
    await using server = await startHttp(async () => {});
    await using wire = await Wire.open(server);
    void wire
      .send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${"x".repeat(3_000_000)}`)
      .catch(() => {});
    expect((await wire.response()).status).toBe(500);
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });
});

describe("PAGI Www: an error after the start truncates", () => {
  const half =
    (headers: [string, string][], fails: boolean): HttpHandler =>
    async (_scope, _receive, send) => {
      await send(start(headers));
      await send(body("half", true));
      await Bun.sleep(5);
      if (fails) throw new Error("in the middle");
    };

  test.each([
    ["chunked", [], get("/")],
    ["with a length", [["content-length", "8"]], get("/")],
    ["to the close, HTTP/1.0", [], "GET / HTTP/1.0\r\n\r\n"],
  ] satisfies [string, [string, string][], string][])(
    "%s: the client sees that some is missing",
    async (name, headers, bytes) => {
      for (const fails of [true, false]) {
        await using server = await startHttp(half(headers, fails));
        await using wire = await Wire.open(server);
        await wire.send(bytes);
        const all = await wire.readToEnd();
        expect(all).not.toContain("0\r\n\r\n");
        if (name.endsWith("1.0")) expect(wire.error).toMatchObject({ code: "ECONNRESET" });
        else {
          expect(all).toContain("half");
          expect(wire.error).toBeUndefined();
        }
        const what = fails
          ? "the application threw"
          : "the application returned before its response was complete";
        expect(server.logger.messages("error")).toEqual([`GET /: ${what}`]);
      }
    },
  );

  test.each([
    ["chunked", []],
    ["with a length", [["content-length", "8"]]],
  ] satisfies [string, [string, string][]][])(
    "fetch fails for a truncated body, %s",
    async (_name, headers) => {
      await using server = await startHttp(half(headers, true));
      const response = await fetch(server.url);
      expect(response.status).toBe(200);
      expect(response.text()).rejects.toThrow();
      await response.text().catch(() => {});
    },
  );

  test("a close-delimited body that the grace of a half-close, or the server, cuts is reset too", async () => {
    const waits: HttpHandler = async (scope, _receive, send) => {
      await send(start());
      await send(body("half", true));
      await scope["pagi.connection"].whenDisconnected();
    };
    await using server = await startHttp(waits, { halfCloseGrace: 0.1 });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/1.0\r\n\r\n");
    await wire.readTo("half");
    wire.halfClose();
    await wire.readToEnd();
    expect(wire.error).toMatchObject({ code: "ECONNRESET" });
    await using other = await Wire.open(server);
    await other.send("GET / HTTP/1.0\r\n\r\n");
    await other.readTo("half");
    await server.server.stop({ force: true });
    await other.readToEnd();
    expect(other.error).toMatchObject({ code: "ECONNRESET" });
  });

  test("a throw of what the application has answered with 500 itself is logged as any other", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 500 });
      await send({ type: "http.response.body", body: "sorry" });
      throw new Error("broken");
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/1"));
    expect(await wire.response()).toMatchObject({ status: 500, body: "sorry" });
    await wire.send(get("/2"));
    expect((await wire.response()).body).toBe("sorry");
    expect(server.logger.messages("error")).toEqual([
      "GET /1: the application threw",
      "GET /2: the application threw",
    ]);
  });

  test("a throw after the response is complete is logged, and the connection goes on", async () => {
    await using server = await startHttp(async (scope, receive, send) => {
      await text("ok")(scope, receive, send);
      if (scope.path === "/1") throw new Error("late");
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/1"));
    expect((await wire.response()).body).toBe("ok");
    await wire.send(get("/2"));
    expect((await wire.response()).body).toBe("ok");
    expect(server.logger.messages("error")).toEqual([
      "GET /1: the application threw after the end of the request",
    ]);
  });
});

describe("when bytes leave", () => {
  test("a head without a body leaves by the end of the turn", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send(start([["content-length", "2"]]));
      await released;
      await send(body("ok"));
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 200 OK\r\n");
    release();
    expect(await wire.readTo("ok")).toBe("ok");
  });

  test("a body chunk leaves by the end of the turn", async () => {
    let release = (): void => {};
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send(start());
      for (const chunk of ["one", "two"]) {
        await send(body(chunk, true));
        await new Promise<void>((resolve) => (release = resolve));
      }
      await send(body("end"));
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    for (const chunk of ["one", "two", "end"]) {
      await wire.readTo(`3\r\n${chunk}\r\n`);
      release();
    }
  });

  test("fullflush sends what is held back at once, within the turn", async () => {
    const unsent: number[] = [];
    await using server = await startHttp(async (scope, _receive, send) => {
      expect(scope.extensions).toHaveProperty("fullflush");
      await send(start());
      const flushed = send({ type: "http.fullflush" });
      // Bun's sockets hold nothing back: what is not counted any more is with the kernel.
      unsent.push(scope["pagi.transport"]?.bufferedAmount() ?? -1);
      await flushed;
      // A throw in the same turn would have been a 500, had the head not left.
      throw new Error("too late for a 500");
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect(await wire.readToEnd()).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(unsent).toEqual([0]);
  });

  test("small chunks that are sent in one turn arrive in order and whole", async () => {
    const chunks = Array.from({ length: 5000 }, (_, i) => `${i},`);
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send(start());
      for (const chunk of chunks) await send(body(chunk, true));
      await send(body(""));
    });
    // Several connections at a time share what holds the bytes back.
    const responses = await Promise.all(Array.from({ length: 8 }, () => request(server, get("/"))));
    for (const response of responses) expect(response.body).toBe(chunks.join(""));
  });
});

test("a rejected send that nobody awaits, and a throw outside of any request, do not end a server that serve() started", async () => {
  const program = `
    import { serve } from ${JSON.stringify(Bun.fileURLToPath(new URL("../../index.ts", import.meta.url)))};
    const app = async (scope, receive, send) => {
      if (scope.type !== "http") throw new Error("http only");
      if (scope.path === "/reject") void send({ type: "http.response.body", body: "too early" });
      if (scope.path === "/throw") setTimeout(() => { throw new Error("outside of any request"); }, 1);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "ok" });
    };
    const server = await serve(app, { port: 0, env: "production", lifespan: "off" });
    console.log(server.url);
  `;
  const server = Bun.spawn([process.execPath, "-e", program], {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  });
  try {
    const reader = server.stdout.getReader();
    const { value } = await reader.read();
    const url = Buffer.from(value ?? [])
      .toString()
      .trim();
    for (const path of ["reject", "throw", "reject"])
      expect(await (await fetch(url + path)).text()).toBe("ok");
    await Bun.sleep(20);
    expect(await (await fetch(url)).text()).toBe("ok");
  } finally {
    server.kill("SIGTERM");
  }
  const stderr = await server.stderr.text();
  expect(await server.exited).toBe(0);
  expect(stderr).toContain("http.response.body is not allowed now");
  expect(stderr).toContain("outside of any request");
});
