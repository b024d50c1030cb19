import { describe, expect, test } from "bun:test";
import { fromFetch } from "../../adapters/fetch.ts";
import { fromNode } from "../../adapters/node.ts";
import { directory } from "../../src/apps/directory.ts";
import type { HeaderPair, Scope } from "../../src/spec/index.ts";
import { HttpContext } from "../../src/toolkit/context.ts";
import { PagiRequest } from "../../src/toolkit/request.ts";
import { Session, sessions } from "../../src/toolkit/session.ts";
import { PagiSse } from "../../src/toolkit/sse.ts";
import { PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { httpScope, response, server, sseScope, webSocketScope } from "../support/fake-scope.ts";

// Servers may leave out what has a default. Source: PAGI Www, "HTTP Connection Scope", "WebSocket Connection Scope".

const OPTIONAL = new Set([
  ...["scheme", "raw_path", "root_path", "client", "server", "state", "extensions", "subprotocols"],
  ...["pagi.transport", "http_version"],
]);

/** The scope of a server that says no more than it has to. */
function bare<S extends Scope>(scope: S): S {
  for (const name of OPTIONAL) Reflect.deleteProperty(scope, name);
  return scope;
}

const unused = (): Promise<never> => Promise.reject(new Error("not used"));

describe("a scope without what has a default", () => {
  test.each([
    ["http", new PagiRequest(bare(httpScope())), "http"],
    ["a context", new HttpContext(bare(httpScope()), unused, unused), "http"],
    ["sse", new PagiSse(bare(sseScope()), unused, unused), "http"],
    ["websocket", new PagiWebSocket(bare(webSocketScope()), unused, unused), "ws"],
  ] as const)("%s", (_what, head, scheme) => {
    const { httpVersion, rootPath, mountPath, rawPath, path, queryString, state } = head;
    expect({
      scheme: head.scheme,
      httpVersion,
      rootPath,
      mountPath,
      rawPath,
      path,
      queryString,
      state,
    }).toEqual({
      ...{ scheme, httpVersion: "1.1", rootPath: "", mountPath: "", rawPath: "/", path: "/" },
      ...{ queryString: "", state: {} },
    });
    expect([head.bufferedAmount(), head.highWaterMark(), head.lowWaterMark(), head.isWritable()]).toEqual([
      ...[0, Infinity, 0, true],
    ]);
  });

  test("what it says stands", () => {
    const wss = { ...webSocketScope(), scheme: "wss" as const, http_version: "2" as const };
    const head = new PagiWebSocket(wss, unused, unused);
    expect([head.scheme, head.httpVersion]).toEqual(["wss", "2"]);
    expect(new PagiRequest({ ...httpScope(), scheme: "https" }).scheme).toBe("https");
  });

  test("fetch and node handlers", async () => {
    const scope = bare({ ...httpScope(), path: "/a b" });
    Reflect.deleteProperty(scope, "query_string");
    for (const app of [
      fromFetch((request) => new Response(request.url)),
      fromNode((request, answer) => void answer.end(`http://${request.headers.host}${request.url}`)),
    ]) {
      const side = server();
      await app(scope, side.receive, side.send);
      expect(response(side.sent).body).toBe("http://example.org/a%20b");
    }
  });

  test("the directory application", async () => {
    const side = server();
    await directory({ root: import.meta.dir })(bare(httpScope()), side.receive, side.send);
    expect(response(side.sent)).toMatchObject({
      status: 200,
      body: expect.stringContaining("<title>Index of /</title>"),
    });
  });
});

describe("several Cookie fields", () => {
  const headers: HeaderPair[] = [
    ["cookie", "a=1; b=2"],
    ["x-other", "y"],
    ["cookie", "c=3"],
    ["cookie", "a=4"],
  ];

  test("are one, as PAGI wants it of servers", () => {
    const heads = [
      new PagiRequest(httpScope({ headers })),
      new PagiSse(sseScope({ headers }), unused, unused),
      new PagiWebSocket(webSocketScope({ headers }), unused, unused),
    ];
    for (const head of heads) {
      expect(head.cookies).toEqual({ a: "1", b: "2", c: "3" });
      expect(head.header("cookie")).toBe("a=1; b=2; c=3; a=4");
      expect(head.headers.toPairs()).toEqual([
        ["cookie", "a=1; b=2; c=3; a=4"],
        ["x-other", "y"],
      ]);
    }
  });

  test("carry a session in any of them", async () => {
    let token = "";
    const app = sessions()(async (scope, _receive, send) => {
      const session = Session.of(scope);
      const seen = session.get("seen", 0);
      if (scope.type === "http" && seen === 0) session.set("seen", 1);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: String(seen) });
    });
    const ask = async (fields: HeaderPair[]): Promise<string> => {
      const side = server();
      await app(httpScope({ headers: fields }), side.receive, side.send);
      const answer = response(side.sent);
      token = answer.headers.find(([name]) => name === "set-cookie")?.[1].split(";")[0] ?? token;
      return answer.body;
    };
    expect(await ask([])).toBe("0");
    expect(await ask([["cookie", "x=1"], ["cookie", token], ["cookie", "y=2"]])).toBe("1"); // prettier-ignore
  });
});
