import { describe, expect, test } from "bun:test";

import { ProtocolError } from "../../src/errors.ts";
import { dispatch } from "../../src/spec/index.ts";
import type { HeaderPair, WebSocketHandler, WebSocketScope } from "../../src/spec/index.ts";
import { validateScope } from "../../src/spec/validate.ts";
import { acceptOf, maybeHandshake } from "../../src/websocket/handshake.ts";
import type { Handshake, HandshakeRequest } from "../../src/websocket/handshake.ts";
import { startServer, text } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { WebSocketWire, closePayload, frame, upgradeRequest } from "../support/websocket.ts";
import type { HandshakeFields } from "../support/websocket.ts";
import { Wire, eventually, field, get } from "../support/wire.ts";

/** The key of the RFC's example, and what has to be answered to it (RFC 6455 section 1.3). */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

type Fields = Readonly<Record<string, string | readonly string[] | null>>;

interface Asked extends Partial<Omit<HandshakeRequest, "headers">> {
  /** Over those of a valid handshake: several values are several fields, null takes one away. */
  readonly fields?: Fields;
}

function asked({ fields = {}, ...rest }: Asked = {}): HandshakeRequest {
  const all: Fields = {
    host: "a",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
    ...fields,
  };
  const headers = Object.entries(all).flatMap(([name, value]): HeaderPair[] =>
    value === null ? [] : [value].flat().map((each) => [name, each]),
  );
  return { httpVersion: "1.1", method: "GET", hasBody: false, headers, ...rest };
}

function refusalOf(request: HandshakeRequest): ProtocolError {
  try {
    maybeHandshake(request);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

const base64 = (bytes: number): string => Buffer.alloc(bytes, "k").toString("base64");

// ── what is a handshake: RFC 6455 section 4.2.1 ─────────────────────────────────────────────────────────────────────

describe("a request is a handshake", () => {
  const ROWS: [about: string, request: Asked, wanted?: Partial<Handshake>][] = [
    ["with just what is needed", {}],
    ["with tokens in any case", { fields: { upgrade: "WebSocket", connection: "uPGRADE" } }],
    [
      "with tokens among others",
      { fields: { upgrade: "h2c, websocket", connection: "keep-alive, Upgrade" } },
    ],
    ["with tokens before others", { fields: { upgrade: "websocket,x/1", connection: "Upgrade,keep-alive" } }],
    [
      "with tokens in the second field",
      { fields: { upgrade: ["a", "websocket"], connection: ["b", "upgrade"] } },
    ],
    ["with tokens among empty members", { fields: { upgrade: ", ,websocket,", connection: ",\tupgrade ," } }],
    [
      "with a key of zeros",
      { fields: { "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" } },
      { key: "AAAAAAAAAAAAAAAAAAAAAA==" },
    ],
    [
      "with a key of ones",
      { fields: { "sec-websocket-key": "/////////////////////w==" } },
      { key: "/////////////////////w==" },
    ],
    [
      "with a key that has a plus",
      { fields: { "sec-websocket-key": "++++++++++++++++++++++++".slice(0, 21) + "A==" } },
      { key: "+".repeat(21) + "A==" },
    ],
    [
      "with spaces around key and version",
      { fields: { "sec-websocket-key": ` ${KEY}\t`, "sec-websocket-version": " 13 " } },
    ],
    ["with one subprotocol", { fields: { "sec-websocket-protocol": "chat" } }, { subprotocols: ["chat"] }],
    [
      "with several, in their order",
      { fields: { "sec-websocket-protocol": "b,a , c" } },
      { subprotocols: ["b", "a", "c"] },
    ],
    [
      "with subprotocols in several fields",
      { fields: { "sec-websocket-protocol": ["b, a", "c"] } },
      { subprotocols: ["b", "a", "c"] },
    ],
    [
      "with subprotocols twice",
      { fields: { "sec-websocket-protocol": ["a, b", "a", "B"] } },
      { subprotocols: ["a", "b", "B"] },
    ],
    [
      "with empty subprotocols",
      { fields: { "sec-websocket-protocol": [",a,, ,b,", ""] } },
      { subprotocols: ["a", "b"] },
    ],
    ["with only empty subprotocols", { fields: { "sec-websocket-protocol": " , " } }, { subprotocols: [] }],
    [
      "with a subprotocol of every kind of char",
      { fields: { "sec-websocket-protocol": "!#$%&'*+-.^_`|~09azAZ" } },
      { subprotocols: ["!#$%&'*+-.^_`|~09azAZ"] },
    ],
    [
      "with an extension",
      { fields: { "sec-websocket-extensions": "permessage-deflate" } },
      { extensions: "permessage-deflate" },
    ],
    [
      "with extensions in several fields",
      { fields: { "sec-websocket-extensions": ["permessage-deflate; client_max_window_bits", 'x; a="1"'] } },
      { extensions: 'permessage-deflate; client_max_window_bits, x; a="1"' },
    ],
    [
      "whatever else it has",
      { fields: { origin: "null", cookie: ["a=1", "b=2"], accept: "text/event-stream" } },
    ],
  ];
  test.each(ROWS)("%s", (_about, request, wanted = {}) => {
    expect(maybeHandshake(asked(request))).toEqual({ key: KEY, subprotocols: [], extensions: "", ...wanted });
  });
});

describe("a request is none, and is served as it is,", () => {
  const ROWS: [about: string, request: Asked][] = [
    ["without Upgrade", { fields: { upgrade: null } }],
    ["with an empty Upgrade", { fields: { upgrade: "" } }],
    ["with Upgrade for something else", { fields: { upgrade: "h2c" } }],
    ["with Upgrade for several other things", { fields: { upgrade: ["h2c, TLS/1.2", "x"] } }],
    ["with a longer token", { fields: { upgrade: "websockets, websocket/13, xwebsocket" } }],
    ["with a token behind a byte that is no white space", { fields: { upgrade: "\xa0websocket" } }],
    ["in HTTP/1.0, where Upgrade means nothing", { httpVersion: "1.0" }],
    ["in HTTP/2, where Upgrade is no field", { httpVersion: "2" }],
    ["in HTTP/1.0, however wrong it is", { httpVersion: "1.0", method: "POST", hasBody: true }],
    [
      "for something else, however wrong it is",
      { method: "POST", hasBody: true, fields: { upgrade: "h2c", "sec-websocket-key": "?" } },
    ],
  ];
  test.each(ROWS)("%s", (_about, request) => {
    expect(maybeHandshake(asked(request))).toBeUndefined();
  });
});

// ── what is malformed ───────────────────────────────────────────────────────────────────────────────────────────────

const NO_KEY = "Sec-WebSocket-Key is not base64 of 16 bytes";
const NO_CONNECTION = "Connection does not list 'upgrade'";
const NO_TOKEN = "Sec-WebSocket-Protocol lists a name that is no token";

describe("400", () => {
  const ROWS: [about: string, request: Asked, problem: string][] = [
    ["POST", { method: "POST" }, "its method is not GET"],
    ["HEAD", { method: "HEAD" }, "its method is not GET"],
    ["a method in lower case", { method: "get" }, "its method is not GET"],
    ["a body", { hasBody: true }, "it has a body"],
    ["no Connection", { fields: { connection: null } }, NO_CONNECTION],
    ["Connection without the token", { fields: { connection: "keep-alive, upgrades" } }, NO_CONNECTION],
    ["no key", { fields: { "sec-websocket-key": null } }, NO_KEY],
    ["an empty key", { fields: { "sec-websocket-key": "" } }, NO_KEY],
    ["two keys", { fields: { "sec-websocket-key": [KEY, KEY] } }, NO_KEY],
    ["two keys in one field", { fields: { "sec-websocket-key": `${KEY}, ${KEY}` } }, NO_KEY],
    ["a key of 15 bytes", { fields: { "sec-websocket-key": base64(15) } }, NO_KEY],
    ["a key of 17 bytes", { fields: { "sec-websocket-key": base64(17) } }, NO_KEY],
    ["a key of 32 bytes", { fields: { "sec-websocket-key": base64(32) } }, NO_KEY],
    ["a key without padding", { fields: { "sec-websocket-key": KEY.slice(0, -2) } }, NO_KEY],
    ["a key with half its padding", { fields: { "sec-websocket-key": KEY.slice(0, -1) } }, NO_KEY],
    ["a key with too much padding", { fields: { "sec-websocket-key": `${KEY}=` } }, NO_KEY],
    [
      "a key with bits behind its last byte",
      { fields: { "sec-websocket-key": KEY.replace("Q==", "R==") } },
      NO_KEY,
    ],
    ["a key of another base64", { fields: { "sec-websocket-key": "_".repeat(21) + "w==" } }, NO_KEY],
    ["a key with a space in it", { fields: { "sec-websocket-key": KEY.replace("I", " ") } }, NO_KEY],
    ["a key with a byte behind it", { fields: { "sec-websocket-key": `${KEY}\xa0` } }, NO_KEY],
    ["a subprotocol that is no token", { fields: { "sec-websocket-protocol": "chat, a b" } }, NO_TOKEN],
    ["a subprotocol with a slash", { fields: { "sec-websocket-protocol": "chat/1" } }, NO_TOKEN],
    [
      "a subprotocol with a byte over 7F",
      { fields: { "sec-websocket-protocol": ["chat", "\xe9"] } },
      NO_TOKEN,
    ],
    ["a subprotocol behind such a byte", { fields: { "sec-websocket-protocol": "\xa0chat" } }, NO_TOKEN],
  ];
  test.each(ROWS)("%s", (_about, request, problem) => {
    const error = refusalOf(asked(request));
    expect(error.status).toBe(400);
    expect(error.message).toBe(`The WebSocket handshake is malformed: ${problem} (RFC 6455 section 4.2.1)`);
    expect(error.reason).toBe("protocol_error");
    expect(error.headers).toEqual([]);
  });
});

describe("426", () => {
  const ROWS: [about: string, fields: Fields][] = [
    ["no version", { "sec-websocket-version": null }],
    ["an empty version", { "sec-websocket-version": "" }],
    ["version 12", { "sec-websocket-version": "12" }],
    ["version 130", { "sec-websocket-version": "130" }],
    ["version 013", { "sec-websocket-version": "013" }],
    ["several versions", { "sec-websocket-version": "13, 8" }],
    ["the version twice", { "sec-websocket-version": ["13", "13"] }],
    [
      "another version, whose key and subprotocols may look otherwise",
      { "sec-websocket-version": "14", "sec-websocket-key": "?", "sec-websocket-protocol": "a b" },
    ],
  ];
  test.each(ROWS)("%s", (_about, fields) => {
    const error = refusalOf(asked({ fields }));
    expect(error.status).toBe(426);
    expect(error.message).toBe("Only version 13 of WebSocket is spoken here (RFC 6455 section 4.4)");
    expect(error.headers).toEqual([
      ["sec-websocket-version", "13"],
      ["upgrade", "websocket"],
    ]);
  });
});

test("the key of RFC 6455 section 1.3 is answered as there", () => {
  expect(acceptOf(KEY)).toBe(ACCEPT);
});

// ── the same on the wire ────────────────────────────────────────────────────────────────────────────────────────────

interface Seen {
  readonly kinds: string[];
  readonly scopes: WebSocketScope[];
}

/** A server that echoes on WebSockets, answers requests with their scope's type, and notes what it is called for. */
async function startAll(websocket?: WebSocketHandler): Promise<TestServer & Seen> {
  const kinds: string[] = [];
  const scopes: WebSocketScope[] = [];
  const app = dispatch({
    http: text("http"),
    sse: async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
      await send({ type: "sse.close" });
    },
    websocket: async (scope, receive, send) => {
      scopes.push(scope);
      if (websocket !== undefined) return websocket(scope, receive, send);
      await receive();
      await send({ type: "websocket.accept" });
      for (;;) {
        const event = await receive();
        if (event.type !== "websocket.receive") return;
        if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
      }
    },
  });
  const server = await startServer(async (scope, receive, send) => {
    if (scope.type !== "lifespan") kinds.push(scope.type);
    return app(scope, receive, send);
  });
  return { ...server, kinds, scopes };
}

/** A request as bytes, with another method than GET, or a body. */
const changed = (from: string, to: string, fields: HandshakeFields = {}): string =>
  upgradeRequest("/", fields).replace(from, to);

describe("what is malformed is answered by the server, and the connection closes", () => {
  const ROWS: [about: string, bytes: string, problem: string][] = [
    ["POST", changed("GET", "POST"), "its method is not GET"],
    ["POST with a body", changed("GET", "POST", { "Content-Length": "4" }) + "body", "its method is not GET"],
    ["GET with a body", upgradeRequest("/", { "Content-Length": "4" }) + "body", "it has a body"],
    [
      "GET with a body in chunks",
      upgradeRequest("/", { "Transfer-Encoding": "chunked" }) + "0\r\n\r\n",
      "it has a body",
    ],
    ["no Connection", upgradeRequest("/", { Connection: null }), NO_CONNECTION],
    ["no key", upgradeRequest("/", { "Sec-WebSocket-Key": null }), NO_KEY],
    ["two keys", upgradeRequest("/", { "Sec-WebSocket-Key": [KEY, KEY] }), NO_KEY],
    ["a bad subprotocol", upgradeRequest("/", { "Sec-WebSocket-Protocol": "a b" }), NO_TOKEN],
  ];
  test.each(ROWS)("400: %s", async (_about, bytes, problem) => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    await wire.send(bytes + get("/next"));
    const body = `The WebSocket handshake is malformed: ${problem} (RFC 6455 section 4.2.1).\n`;
    expect((await wire.readToEnd()).replace(/date: [^\r]+/, "date: D")).toBe(
      `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\n` +
        `connection: close\r\ndate: D\r\n\r\n${body}`,
    );
    expect(server.kinds).toEqual([]);
    wire.halfClose();
    await eventually("the connection is gone", () => server.server.connectionCount === 0);
  });

  test.each([
    ["no version", null],
    ["version 12", "12"],
    ["versions 13 and 8", "13, 8"],
  ])("426: %s", async (_about, version) => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest("/", { "Sec-WebSocket-Version": version }) + get("/next"));
    const body = "Only version 13 of WebSocket is spoken here (RFC 6455 section 4.4).\n";
    expect((await wire.readToEnd()).replace(/date: [^\r]+/, "date: D")).toBe(
      `HTTP/1.1 426 Upgrade Required\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\n` +
        `sec-websocket-version: 13\r\nupgrade: websocket\r\nconnection: upgrade, close\r\ndate: D\r\n\r\n${body}`,
    );
    expect(server.kinds).toEqual([]);
    wire.halfClose();
    await eventually("the connection is gone", () => server.server.connectionCount === 0);
  });
});

describe("on the wire", () => {
  test("the answer to the handshake of RFC 6455 section 1.2", async () => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    expect((await wire.readTo("\r\n\r\n")).replace(/date: [^\r]+/, "date: D")).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
        `sec-websocket-accept: ${ACCEPT}\r\ndate: D\r\n\r\n`,
    );
  });

  test("nothing is written until the application has answered, and frames wait for it", async () => {
    const answer = Promise.withResolvers<void>();
    const called = Promise.withResolvers<void>();
    await using server = await startAll(async (_scope, receive, send) => {
      await receive();
      called.resolve();
      await answer.promise;
      await send({ type: "websocket.accept" });
      const event = await receive();
      if (event.type === "websocket.receive") await send({ type: "websocket.send", text: `${event.text}!` });
    });
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    await called.promise;
    await wire.send(frame({ opcode: "text", payload: "hi" }));
    // Another client's whole exchange takes longer than a byte that should not have been written.
    await using other = await Wire.open(server);
    await other.send(get("/"));
    expect((await other.response()).body).toBe("http");
    expect(wire.pending).toBe("");
    answer.resolve();
    expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 101 ");
    expect(await wire.read(5)).toBe("\x81\x03hi!");
  });

  test.each([
    [
      "for h2c",
      upgradeRequest("/", { Upgrade: "h2c", Connection: "Upgrade, HTTP2-Settings", "HTTP2-Settings": "" }),
    ],
    ["in HTTP/1.0", changed("HTTP/1.1", "HTTP/1.0")],
    ["in Connection only", upgradeRequest("/", { Upgrade: null })],
  ])("Upgrade %s makes an ordinary request", async (_about, bytes) => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    const response = await wire.response();
    expect([response.status, response.body]).toEqual([200, "http"]);
    expect(field(response, "upgrade")).toBeUndefined();
    expect(server.kinds).toEqual(["http"]);
  });

  test("a client that would take an event stream gets a WebSocket all the same", async () => {
    await using server = await startAll();
    await using client = await WebSocketWire.open(server.url, { Accept: "text/event-stream" });
    await client.sendText("hi");
    expect(await client.nextMessage()).toEqual({ type: "text", text: "hi" });
    expect(server.kinds).toEqual(["websocket"]);
  });

  test("a handshake may follow other requests on its connection", async () => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    for (let i = 0; i < 3; i++) {
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("http");
    }
    const client = await WebSocketWire.upgrade(wire);
    await client.sendText("hi");
    expect(await client.nextMessage()).toEqual({ type: "text", text: "hi" });
    expect(server.kinds).toEqual(["http", "http", "http", "websocket"]);
  });

  test("a handshake may come in the same packet as a request before it and frames behind it", async () => {
    await using server = await startAll();
    await using wire = await Wire.open(server);
    const hello = Buffer.from(frame({ opcode: "text", payload: "hi" })).toString("latin1");
    await wire.send(get("/") + upgradeRequest() + hello);
    expect((await wire.response()).body).toBe("http");
    expect((await wire.response()).status).toBe(101);
    expect(await wire.read(4)).toBe("\x81\x02hi");
  });

  const TALK = Buffer.concat([
    Buffer.from(upgradeRequest()),
    frame({ opcode: "text", payload: "one " }),
    frame({ opcode: "text", payload: "tw", fin: false }),
    frame({ opcode: "ping", payload: "?" }),
    frame({ opcode: "continuation", payload: "o " }),
    frame({ opcode: "text", payload: "three" }),
    frame({ opcode: "close", payload: closePayload(4000, "done") }),
  ]);

  test.each([
    ["whole", TALK.byteLength],
    ["byte by byte", 1],
    ["in pieces of 100 bytes", 100],
    ["all but its last byte, and that", TALK.byteLength - 1],
  ])("no frame is lost that comes right behind the handshake, %s", async (_how, size) => {
    const texts: (string | undefined)[] = [];
    const end = Promise.withResolvers<unknown>();
    await using server = await startAll(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      for (;;) {
        const event = await receive();
        if (event.type !== "websocket.receive") return end.resolve(event);
        texts.push(event.text);
      }
    });
    await using wire = await Wire.open(server);
    for (let at = 0; at < TALK.byteLength; at += size) await wire.send(TALK.subarray(at, at + size));
    expect(await end.promise).toEqual({ type: "websocket.disconnect", code: 4000, reason: "done" });
    expect(texts).toEqual(["one ", "two ", "three"]);
    const [, frames] = (await wire.readToEnd()).split("\r\n\r\n");
    expect(frames).toBe("\x8a\x01?\x88\x06\x0f\xa0done");
  });

  test("more frames than fit anywhere may come right behind the handshake", async () => {
    const frames = Array.from({ length: 300 }, (_, at) =>
      frame({ opcode: "binary", payload: new Uint8Array(10_000).fill(at) }),
    );
    const seen: (number | undefined)[] = [];
    await using server = await startAll(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      while (seen.length < frames.length) {
        const event = await receive();
        if (event.type !== "websocket.receive" || event.bytes === undefined) return;
        seen.push(event.bytes.every((each) => each === event.bytes[0]) ? event.bytes[0] : -1);
      }
      await send({ type: "websocket.send", text: "all" });
    });
    await using wire = await Wire.open(server);
    await wire.send(Buffer.concat([Buffer.from(upgradeRequest()), ...frames]));
    await wire.readTo("\r\n\r\n");
    expect(await wire.read(5)).toBe("\x81\x03all");
    expect(seen).toEqual(frames.map((_, at) => at & 0xff));
  });
});

// ── the scope: PAGI Www, "WebSocket Connection Scope" ───────────────────────────────────────────────────────────────

describe("the scope", () => {
  test("has the request as it came", async () => {
    await using server = await startAll();
    await using client = await WebSocketWire.open(new URL("/r%C3%A4ume/7?x=%20&y", server.url), {
      "Sec-WebSocket-Protocol": ["b", "a, b"],
      "Sec-WebSocket-Extensions": "x-none",
      Cookie: ["a=1", "b=2"],
      "X-Two": ["1", "2"],
    });
    await client.sendText("hi");
    await client.nextMessage();
    const [scope] = server.scopes;
    if (scope === undefined) throw new Error("there was no scope");
    validateScope(scope);
    const { client: address, "pagi.transport": transport, ...rest } = scope;
    expect(rest).toEqual({
      type: "websocket",
      pagi: { version: "0.3", spec_version: "0.3" },
      http_version: "1.1",
      method: "GET",
      scheme: "ws",
      path: "/räume/7",
      raw_path: "/r%C3%A4ume/7",
      query_string: "x=%20&y",
      root_path: "",
      headers: [
        ["host", "a"],
        ["upgrade", "websocket"],
        ["connection", "Upgrade"],
        ["sec-websocket-version", "13"],
        ["sec-websocket-key", KEY],
        ["sec-websocket-protocol", "b"],
        ["sec-websocket-protocol", "a, b"],
        ["sec-websocket-extensions", "x-none"],
        ["cookie", "a=1; b=2"],
        ["x-two", "1"],
        ["x-two", "2"],
      ],
      subprotocols: ["b", "a"],
      server: ["127.0.0.1", server.port],
      state: {},
      extensions: { "websocket.http.response": {} },
    });
    expect(address?.[0]).toBe("127.0.0.1");
    expect(transport.bufferedAmount()).toBe(0);
    expect(transport.highWaterMark()).toBeGreaterThan(transport.lowWaterMark());
  });

  test("of one connection is not that of another", async () => {
    await using server = await startAll();
    await using one = await WebSocketWire.open(new URL("/1", server.url), { "Sec-WebSocket-Protocol": "a" });
    await using two = await WebSocketWire.open(new URL("/2", server.url));
    await one.sendText("1");
    await two.sendText("2");
    expect(await one.nextMessage()).toEqual({ type: "text", text: "1" });
    expect(await two.nextMessage()).toEqual({ type: "text", text: "2" });
    expect(server.scopes.map(({ path, subprotocols }) => [path, subprotocols])).toEqual([
      ["/1", ["a"]],
      ["/2", []],
    ]);
    expect(server.scopes[0]?.state).not.toBe(server.scopes[1]?.state);
  });
});
