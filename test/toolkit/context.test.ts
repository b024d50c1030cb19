import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { StateError, UnsupportedScopeError } from "../../src/errors.ts";
import type { Application, HeaderPair, HttpScope, ReceiveEvent, Scope } from "../../src/spec/index.ts";
import type { Context, PathParams } from "../../src/toolkit/context.ts";
import {
  CONTEXT_CLASSES,
  contextFactory,
  contextOf,
  handler,
  HttpContext,
  SseContext,
  WebSocketContext,
} from "../../src/toolkit/context.ts";
import { MalformedBodyError } from "../../src/toolkit/request.ts";
import { Router } from "../../src/toolkit/router.ts";
import { sessions } from "../../src/toolkit/session.ts";
import { bytes, httpScope, response, server, sseScope } from "../support/fake-scope.ts";
import { webSocketScope } from "../support/routing.ts";
import { startServer } from "../support/server.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const LIFESPAN: Scope = {
  type: "lifespan",
  pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
  state: {},
};

describe("contextOf", () => {
  test("makes the context of the scope type; where the type is known, so is the class", () => {
    const { receive, send } = server();
    const http: HttpContext = contextOf(httpScope(), receive, send);
    const websocket: WebSocketContext = contextOf(webSocketScope(), receive, send);
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

/** A context over a scope of `http`, and what it sends. */
function http(scope = httpScope(), ...incoming: ReceiveEvent[]) {
  const side = server(...incoming);
  return { context: new HttpContext(scope, side.receive, side.send), scope, side };
}

describe("what all contexts share", () => {
  test("the scope, the request's head, and one stash and state", () => {
    const scope = httpScope({ path: "/x", query_string: "a=1&a=2", state: { db: "open" } });
    const { context } = http(scope);
    expect(context.scope).toBe(scope);
    expect([context.path, context.host, context.queryParam("a"), context.state["db"]]).toEqual([
      "/x",
      "example.org",
      "2",
      "open",
    ]);
    context.stash.set("user", "me");
    expect(http(scope).context.stash.get("user")).toBe("me");
  });

  test("the session is the middleware's", async () => {
    const seen: unknown[] = [];
    const app = sessions()(async (scope, receive, send) => {
      const context = contextOf(scope, receive, send);
      seen.push(context.hasSession(), context.session.get("user", "nobody"));
    });
    const side = server();
    await app(httpScope(), side.receive, side.send);
    await app(sseScope(), side.receive, side.send);
    expect(seen).toEqual([true, "nobody", true, "nobody"]);
    expect(http().context.hasSession()).toBe(false);
    expect(() => http().context.session).toThrow("This scope has no session");
  });

  test("csrfVerify is true for the token only", () => {
    const { context, scope } = http();
    expect([context.csrfToken, context.csrfVerify(undefined), context.csrfVerify("")]).toEqual([
      undefined,
      false,
      false,
    ]);
    scope["csrf_token"] = "";
    expect(context.csrfVerify("")).toBe(false);
    scope["csrf_token"] = "secret-ä";
    expect(context.csrfToken).toBe("secret-ä");
    const wrong = [undefined, "", "secret", "secret-b", "secret-ää", 7, ["secret-ä"]];
    expect(wrong.map((each) => context.csrfVerify(each))).toEqual(wrong.map(() => false));
    expect(context.csrfVerify("secret-ä")).toBe(true);
  });

  test("the connection: gone is told to all contexts of a scope", () => {
    const { context, scope } = http();
    const reasons: string[] = [];
    context.connection.onDisconnect((reason) => reasons.push(reason));
    expect([context.isConnected(), context.isWritable(), context.request.disconnectReason()]).toEqual([
      true,
      true,
      undefined,
    ]);
    scope["pagi.connection"].lose("client_closed");
    expect([http(scope).context.isDisconnected(), context.request.disconnectReason(), reasons]).toEqual([
      true,
      "client_closed",
      ["client_closed"],
    ]);
  });
});

test("HttpContext tells of the connection's end as its request does", () => {
  const { context, scope } = http();
  const told: string[] = [];
  expect(context.onDisconnect((reason) => told.push(`lost: ${reason}`))).toBe(context);
  expect(context.onComplete(() => told.push("complete"))).toBe(context);
  expect(context.disconnectReason()).toBeUndefined();
  scope["pagi.connection"].lose("write_error");
  expect([context.disconnectReason(), told]).toEqual(["write_error", ["lost: write_error"]]);
});

describe("HttpContext", () => {
  test("each method makes a new response, with what was set on the context before or after", async () => {
    const { context, side } = http();
    context.status(404).setHeader("X-One", "1").setHeader("vary", "cookie");
    const first = context.json({ a: 1 });
    const second = context.html("<p>", { status: 410, headers: { "x-one": "2" } });
    context.setCookie("late", "ä", { httpOnly: true }).deleteCookie("old");
    expect([first.status(), first.header("x-one"), first.contentType()]).toEqual([
      404,
      "1",
      "application/json",
    ]);
    expect([second.status(), second.headerAll("x-one"), second.contentType()]).toEqual([
      410,
      ["2"],
      "text/html; charset=utf-8",
    ]);
    await context.respond(second);
    const { headers } = response(side.sent);
    expect(headers.filter(([name]) => name.startsWith("x-") || name === "vary")).toEqual([
      ["vary", "cookie"],
      ["x-one", "2"],
    ]);
    expect(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "late=%C3%A4; Path=/; HttpOnly",
      "old=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ]);
  });

  test("cookies of the answer and of the context add up, and none is there twice", async () => {
    const { context, side } = http();
    context.setCookie("a", "1").setHeader("content-type", "text/csv").setHeader("etag", `"x"`);
    await context.respond(context.text("a;b").cookie("b", "2"));
    const { headers } = response(side.sent);
    expect(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "a=1; Path=/",
      "b=2; Path=/",
    ]);
    expect(headers.filter(([name]) => name === "content-type")).toEqual([
      ["content-type", "text/csv; charset=utf-8"],
    ]);
    expect(headers.filter(([name]) => name === "etag")).toHaveLength(1);
  });

  test("what is set goes out with applications, Fetch responses and raw events too", async () => {
    const app: Application = async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "app" });
    };
    for (const answer of [
      app,
      new Router().get("/", app),
      new Response("app", { headers: { "x-own": "1" } }),
    ]) {
      const { context, side } = http();
      context.setHeader("x-set", "1").setHeader("x-own", "2");
      await context.respond(answer);
      const { headers, body } = response(side.sent);
      expect(body).toBe("app");
      expect(headers).toContainEqual(["x-set", "1"]);
      expect(headers.filter(([name]) => name === "x-own")).toHaveLength(1);
    }
    const { context, side } = http();
    await app(context.scope, context.receive, context.send);
    expect(side.sent[0]).toEqual({ type: "http.response.start", status: 200 });
  });

  test("all kinds of responses", async () => {
    const { context } = http();
    expect(context.redirect("/ä b").header("location")).toBe("/%C3%A4%20b");
    expect([context.redirect("/", 303).status(), context.empty().status()]).toEqual([303, 204]);
    expect(context.problem(new MalformedBodyError("no")).contentType()).toBe("application/problem+json");
    expect(context.sendFile(import.meta.path, { filename: "a.ts", status: 206 }).status()).toBe(206);
    const kinds = [
      context.sendRaw(bytes("x")),
      context.stream((writer) => writer.write("x")),
      context.jsonStream([1], { format: "lines", headers: { "x-a": "1" } }),
    ];
    const bodies = await Promise.all(
      kinds.map(async (each) => {
        const side = server();
        await each.respond(side.send);
        return response(side.sent).body;
      }),
    );
    expect(bodies).toEqual(["x", "x", "1\n"]);
    context.status(201);
    expect([context.empty().status(), context.response().status()]).toEqual([201, 201]);
  });

  test("an answer is given once", async () => {
    const { context, scope } = http();
    await context.respond(context.text("x"));
    await expect(context.respond(context.text("y"))).rejects.toThrow(StateError);
    const other = http(scope).context;
    expect([context.isAnswered(), other.isAnswered()]).toEqual([true, false]);
    scope["pagi.connection"].responseStarted = () => true;
    await expect(other.respond(new Response())).rejects.toThrow("has its response already");
    // @ts-expect-error No answer.
    await expect(http().context.respond(undefined)).rejects.toThrow("respond() returned undefined");
  });

  test("the request is read and validated through it", async () => {
    const scope = httpScope({ method: "POST", headers: [["content-type", "application/json"]] });
    const { context } = http(scope, { type: "http.request", body: bytes(`{"n":1}`), more: false });
    expect(context.request).toBe(context.request);
    const n: number = (await context.validate(z.object({ n: z.number() }))).n;
    const { body } = await context.validate({ body: z.object({ n: z.coerce.string() }) });
    expect([n, body.n satisfies string]).toEqual([1, "1"]);
    await expect(context.validate(z.object({ m: z.string() }))).rejects.toMatchObject({ status: 422 });
  });

  test("handler(): what is wrong with the request is a problem document; anything else is thrown", async () => {
    const strict = handler(async (c) => c.json(await c.validate(z.object({ n: z.number() }))));
    const scope = { ...httpScope({ method: "POST" }), path_params: {}, "pagi.router": { route: "/" } };
    const run = async (target: typeof strict, body: string) => {
      const side = server({ type: "http.request", body: bytes(body), more: false });
      const headers: HeaderPair[] = [["content-type", "application/json"]];
      const { receive, send } = new HttpContext({ ...scope, headers }, side.receive, side.send);
      await target({ ...scope, headers }, receive, send);
      return response(side.sent);
    };
    expect(await run(strict, `{"n":2}`)).toMatchObject({ status: 200, body: `{"n":2}` });
    expect(await run(strict, `{"n":"x"}`)).toMatchObject({
      status: 422,
      body: expect.stringContaining("/n"),
    });
    const broken = handler(() => {
      throw new Error("broken");
    });
    await expect(run(broken, "")).rejects.toThrow("broken");
    const forgetful = handler(function lost() {
      return JSON.parse("null");
    });
    await expect(run(forgetful, "")).rejects.toThrow("The handler 'lost' returned null");
    // @ts-expect-error Where untyped code has put it.
    const misplaced = strict(sseScope(), server().receive, server().send);
    await expect(misplaced).rejects.toThrow(UnsupportedScopeError);
  });

  test("through a server", async () => {
    const router = new Router()
      .get(
        "/users/:id",
        handler((c) => c.setCookie("seen", "1").json({ id: c.params.id, by: c.header("x-by") ?? null })),
      )
      .post(
        "/form",
        handler(async (c) => c.text((await c.request.formParam("name")) ?? "none", { status: 201 })),
      )
      .get(
        "/fetch",
        handler(() => new Response("fetched", { status: 418 })),
      );
    await using running = await startServer(router.toApp());
    const at = (path: string) => new URL(path, running.url);
    const user = await fetch(at("/users/a%20b"), { headers: { "x-by": "me" } });
    expect(await user.json()).toEqual({ id: "a b", by: "me" });
    expect(user.headers.getSetCookie()).toEqual(["seen=1; Path=/"]);
    const form = await fetch(at("/form"), { method: "POST", body: new URLSearchParams({ name: "ä" }) });
    expect([form.status, await form.text()]).toEqual([201, "ä"]);
    const wrong = await fetch(at("/form"), {
      method: "POST",
      body: "{}",
      headers: { "content-type": "text/x" },
    });
    expect([wrong.status, wrong.headers.get("content-type")]).toEqual([415, "application/problem+json"]);
    expect((await fetch(at("/fetch"))).status).toBe(418);
  });
});
