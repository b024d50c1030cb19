import { describe, expect, test } from "bun:test";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type { HttpScope, Scope, WebSocketScope } from "../../src/spec/index.ts";
import type { Context, PathParams } from "../../src/toolkit/context.ts";
import {
  CONTEXT_CLASSES,
  contextFactory,
  contextOf,
  HttpContext,
  SseContext,
  WebSocketContext,
} from "../../src/toolkit/context.ts";
import { httpScope, REQUEST, server, sseScope, type Wanted } from "../support/fake-scope.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function websocketScope(wanted: Wanted = {}): WebSocketScope {
  const { scheme: _scheme, ...rest } = wanted;
  return { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [], ...rest };
}

const LIFESPAN: Scope = {
  type: "lifespan",
  pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
  state: {},
};

describe("contextOf", () => {
  test("makes the context of the scope type; where the type is known, so is the class", () => {
    const { receive, send } = server();
    const http: HttpContext = contextOf(httpScope(), receive, send);
    const websocket: WebSocketContext = contextOf(websocketScope(), receive, send);
    const sse: SseContext = contextOf(sseScope(), receive, send);
    expect([http.type, websocket.type, sse.type]).toEqual(["http", "websocket", "sse"]);
    expect(http).toBeInstanceOf(HttpContext);
    expect(websocket).toBeInstanceOf(WebSocketContext);
    expect(sse).toBeInstanceOf(SseContext);
    expect(() => contextOf(LIFESPAN, receive, send)).toThrow(UnsupportedScopeError);
  });

  test("a context is narrowed by its type, and by assertions that are loud", () => {
    const { receive, send } = server();
    const any: Scope = httpScope({ method: "POST" });
    const context: Context = contextOf(any, receive, send);
    if (context.type === "http") expect(context.text("x").status()).toBe(200);
    const http = context.assertHttp();
    true satisfies Equal<typeof http, HttpContext & { readonly type: "http" }>;
    expect(http.json({}).status()).toBe(200);
    expect(context.isHttp() && context.method).toBe("POST");
    expect([context.isWebSocket(), context.isSse()]).toEqual([false, false]);
    expect(() => context.assertWebSocket()).toThrow(UnsupportedScopeError);
    expect(() => context.assertSse()).toThrow("does not handle the scope type 'http'");
    expect(contextOf(sseScope(), receive, send).assertSse().isSse()).toBe(true);
  });

  test("classes of one's own extend those that are there", () => {
    class Mine extends HttpContext {
      get user(): string {
        return this.stash.get("user", "nobody") as string;
      }
    }
    const { receive, send } = server();
    const own = contextFactory({ ...CONTEXT_CLASSES, http: Mine });
    const mine: Mine = own(httpScope(), receive, send);
    expect(mine.user).toBe("nobody");
    expect(own(sseScope(), receive, send)).toBeInstanceOf(SseContext);
    const any: Scope = httpScope();
    const narrowed = own(any, receive, send);
    expect(narrowed.type === "http" && narrowed.user).toBe("nobody");
    expect(own(any, receive, send).assertHttp().user).toBe("nobody");
  });

  test("parameters are typed; a context with fewer known names takes one with more", () => {
    const { receive, send } = server();
    const scope: HttpScope = { ...httpScope(), path_params: { id: "7" } };
    const context = new HttpContext<PathParams<"/users/:id">>(scope, receive, send);
    const wide: HttpContext = context;
    // @ts-expect-error There is no such parameter.
    void context.params.name;
    expect([context.params.id, wide.params["id"], context.request.pathParam("id")]).toEqual(["7", "7", "7"]);
    expect(contextOf(httpScope(), receive, send).params).toEqual({});
  });
});
