import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { dispatch } from "../../src/spec/index.ts";
import type { HttpScope } from "../../src/spec/index.ts";
import { startHttp, startServer, text } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { Wire, get, request } from "../support/wire.ts";

let scopes: HttpScope[] = [];
let server: TestServer;
beforeAll(async () => {
  server = await startHttp(async (scope, receive, send) => {
    scopes.push(scope);
    await text("ok")(scope, receive, send);
  });
});
afterAll(() => server[Symbol.asyncDispose]());

async function scopeOf(bytes: string): Promise<HttpScope> {
  scopes = [];
  expect((await request(server, bytes)).status).toBe(200);
  const [scope] = scopes;
  if (scope === undefined) throw new Error("the application was not called");
  return scope;
}

describe("PAGI Www, HTTP Connection Scope", () => {
  test("it has the keys of the specification and no others", async () => {
    const scope = await scopeOf("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(Object.keys(scope).sort()).toEqual(
      [
        ...[
          "type",
          "pagi",
          "http_version",
          "method",
          "scheme",
          "path",
          "raw_path",
          "query_string",
          "root_path",
        ],
        ...["headers", "client", "server", "state", "extensions", "pagi.connection", "pagi.transport"],
      ].sort(),
    );
    expect(scope).toMatchObject({
      type: "http",
      pagi: { version: "0.3", spec_version: "0.3" },
      http_version: "1.1",
      method: "GET",
      scheme: "http",
      path: "/a",
      raw_path: "/a",
      query_string: "b",
      root_path: "",
      headers: [["host", "h"]],
      server: [server.host, server.port],
      state: {},
      extensions: { fullflush: {} },
    });
  });

  test("client is the address that the client has", async () => {
    scopes = [];
    const { promise: port, resolve } = Promise.withResolvers<number>();
    const socket = await Bun.connect({
      hostname: server.host,
      port: server.port,
      socket: {
        open: (each) => void each.write(get("/")),
        data: (each) => resolve(each.localPort),
      },
    });
    const own = await port;
    socket.end();
    expect(scopes[0]?.client).toEqual(["127.0.0.1", own]);
  });

  test.each([
    ["/", "/"],
    ["/plain", "/plain"],
    ["/%41%2f%20", "/A/ "],
    ["/%C3%A9%e2%82%ac", "/é€"],
    ["/%F0%9F%98%80", "/😀"],
    ["/%E9", "/\xe9"],
    ["/%C3%A9%E9", "/\xc3\xa9\xe9"],
    ["/%C0%AF", "/\xc0\xaf"],
    ["/%ED%A0%80", "/\xed\xa0\x80"],
    ["/%", "/%"],
    ["/%4", "/%4"],
    ["/%zz%41", "/%zzA"],
    ["/%zz%C3%A9", "/%zzé"],
    ["/%25%34%31", "/%41"],
    ["/%00", "/\0"],
    ["/%EF%BB%BFx", "/\ufeffx"],
    ["/a/../b//c", "/a/../b//c"],
    ["/a+b;c=d", "/a+b;c=d"],
  ])("path: %s is decoded once", async (rawPath, path) => {
    const scope = await scopeOf(get(`${rawPath}?x=%41`));
    expect(scope.path).toBe(path);
    expect(scope.raw_path).toBe(rawPath);
    expect(scope.query_string).toBe("x=%41");
  });

  test.each([
    ["one stays as it is", ["Cookie: a=1; b=2"], [["cookie", "a=1; b=2"]]],
    [
      "several become one, at the place of the first",
      ["X: 1", "Cookie: a=1", "Y: 2", "cookie: b=2; c=3", "COOKIE: d=4", "Z: 3"],
      [
        ["x", "1"],
        ["cookie", "a=1; b=2; c=3; d=4"],
        ["y", "2"],
        ["z", "3"],
      ],
    ],
  ])("Cookie Header Normalization: %s", async (_name, lines, headers) => {
    expect((await scopeOf(get("/", ...lines))).headers.slice(1)).toEqual(headers as [string, string][]);
  });

  test("http_version is the request's", async () => {
    expect((await scopeOf("GET / HTTP/1.0\r\n\r\n")).http_version).toBe("1.0");
  });

  test("root_path is the option's", async () => {
    let seen: HttpScope | undefined;
    await using own = await startHttp(
      async (scope, receive, send) => {
        seen = scope;
        await text("ok")(scope, receive, send);
      },
      { rootPath: "/mounted" },
    );
    await request(own, get("/mounted/x"));
    expect(seen?.root_path).toBe("/mounted");
    expect(seen?.path).toBe("/mounted/x");
  });

  test("state: a shallow copy of what lifespan filled, each request its own", async () => {
    const shared = { count: 0 };
    const states: unknown[] = [];
    await using own = await startServer(
      dispatch({
        lifespan: async (scope, receive, send) => {
          await receive();
          scope.state["shared"] = shared;
          scope.state["plain"] = 1;
          await send({ type: "lifespan.startup.complete" });
          await receive();
          states.push({ ...scope.state });
          await send({ type: "lifespan.shutdown.complete" });
        },
        http: async (scope, receive, send) => {
          states.push({ ...scope.state });
          scope.state["plain"] = "changed";
          scope.state["own"] = true;
          expect(scope.state["shared"]).toBe(shared);
          await text("ok")(scope, receive, send);
        },
      }),
    );
    await request(own, get("/"));
    await request(own, get("/"));
    await own.server.stop();
    expect(states).toEqual(Array.from({ length: 3 }, () => ({ shared, plain: 1 })));
  });

  test("nothing that an application does to its scope reaches another request of the connection", async () => {
    const seen: unknown[] = [];
    await using own = await startHttp(async (scope, receive, send) => {
      seen.push([scope.headers.length, scope.state["x"], "mine" in scope, scope.path]);
      scope.headers.push(["x", "y"]);
      scope.state["x"] = 1;
      scope.path = "/changed";
      Object.assign(scope, { mine: true });
      await text("ok")(scope, receive, send);
    });
    await using wire = await Wire.open(own);
    await wire.send(get("/1") + get("/2"));
    await wire.response();
    await wire.response();
    expect(seen).toEqual([
      [1, undefined, false, "/1"],
      [1, undefined, false, "/2"],
    ]);
  });

  test("an application that does not know the scope type is answered with 500", async () => {
    await using own = await startServer(dispatch({}));
    expect((await request(own, get("/"))).status).toBe(500);
    expect(own.logger.messages("error")).toEqual(["GET /: the application threw"]);
  });
});
