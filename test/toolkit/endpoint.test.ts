import { describe, expect, test } from "bun:test";
import { CompositionError, RouteError, UnsupportedScopeError } from "../../src/errors.ts";
import type { HttpScope, ReceiveEvent, Send, WebSocketScope } from "../../src/spec/index.ts";
import type {
  Answer,
  HttpCall,
  Responder,
  RouteBuilder,
  RouteBuilderOf,
} from "../../src/toolkit/endpoint.ts";
import {
  EndpointRouter,
  EndpointRouterOf,
  HttpEndpoint,
  HttpEndpointOf,
  SseEndpoint,
  WebSocketEndpoint,
} from "../../src/toolkit/endpoint.ts";
import { CONTEXT_CLASSES, contextFactory, HttpContext } from "../../src/toolkit/context.ts";
import type { SseContext, WebSocketContext } from "../../src/toolkit/context.ts";
import { MalformedBodyError } from "../../src/toolkit/request.ts";
import { MessageError } from "../../src/toolkit/websocket.ts";
import { Router } from "../../src/toolkit/router.ts";
import { bytes, httpScope, REQUEST, response, server, sseScope, type Wanted } from "../support/fake-scope.ts";
import { startServer } from "../support/server.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

/** A response as a value. */
class Text implements Responder {
  readonly status: number;
  text: string;

  constructor(text: string, status = 200) {
    this.text = text;
    this.status = status;
  }
  async respond(send: Send, scope: HttpScope): Promise<void> {
    await send({ type: "http.response.start", status: this.status, headers: [["x-path", scope.path]] });
    await send({ type: "http.response.body", body: this.text });
  }
}

async function ask(component: { toApp(): ReturnType<Router["toApp"]> }, wanted: Wanted = {}) {
  const side = server();
  await component.toApp()(httpScope(wanted), side.receive, side.send);
  const { status, headers, body } = response(side.sent);
  return { status, body, allow: new Map(headers).get("allow"), headers };
}

class Users extends HttpEndpoint {
  count = 0;

  override async get({ params, scope }: HttpCall) {
    this.count += 1;
    return new Text(`${scope.method} ${params["id"] ?? "all"} ${this.count}`);
  }
  override post() {
    return new Text("made", 201);
  }
}

describe("HttpEndpoint", () => {
  test("a method of the request is a method of the class; one instance serves all", async () => {
    const router = new Router().any("/users", Users).any("/users/:id", Users);
    expect(await ask(router, { path: "/users" })).toMatchObject({ status: 200, body: "GET all 1" });
    expect((await ask(router, { path: "/users" })).body).toBe("GET all 2");
    expect((await ask(router, { path: "/users/7" })).body).toBe("GET 7 1");
    expect(await ask(router, { path: "/users", method: "POST" })).toMatchObject({
      status: 201,
      body: "made",
    });
  });

  test("HEAD takes get, OPTIONS says what there is, anything else is 405", async () => {
    expect((await ask(new Users(), { method: "HEAD" })).body).toBe("HEAD all 1");
    expect(await ask(new Users(), { method: "OPTIONS" })).toMatchObject({
      status: 204,
      allow: "GET, HEAD, OPTIONS, POST",
    });
    for (const method of ["DELETE", "PROPFIND", "toString", "constructor"]) {
      expect(await ask(new Users(), { method })).toMatchObject({
        status: 405,
        allow: "GET, HEAD, OPTIONS, POST",
      });
    }
  });

  test("own head and options are taken", async () => {
    class Own extends HttpEndpoint {
      override head() {
        return new Text("", 299);
      }
      override options() {
        return new Text("own options");
      }
    }
    expect((await ask(new Own(), { method: "HEAD" })).status).toBe(299);
    expect((await ask(new Own(), { method: "OPTIONS" })).body).toBe("own options");
    expect((await ask(new Own(), { method: "GET" })).allow).toBe("HEAD, OPTIONS");
    expect(new Own().allowedMethods()).toEqual(["HEAD", "OPTIONS"]);
  });

  test("an answer may be an application or a component too", async () => {
    class Handing extends HttpEndpoint {
      override get() {
        return new Router({
          notFound: async (_scope, _receive, send) => new Text("component").respond(send, httpScope()),
        });
      }
    }
    expect((await ask(new Handing())).body).toBe("component");
  });

  test("a forgotten return is told by name", async () => {
    class Forgetful extends HttpEndpoint {
      // @ts-expect-error It returns nothing.
      override async get() {}
    }
    await expect(ask(new Forgetful())).rejects.toThrow(
      "Forgetful.get() returned undefined; is there a return missing?",
    );
    await expect(ask(new Forgetful())).rejects.toThrow(CompositionError);
  });

  test("methods may get a context of one's own", async () => {
    class Context extends HttpContext {
      hello() {
        return new Text(`hello ${this.path}`);
      }
    }
    class Mine extends HttpEndpointOf<Context> {
      contextOf(call: HttpCall) {
        return new Context(call.scope, call.receive, call.send);
      }
      override get(context: Context) {
        return context.hello();
      }
    }
    expect((await ask(new Mine(), { path: "/x" })).body).toBe("hello /x");
  });

  test("other scopes are not for it", async () => {
    const side = server();
    await expect(new Users().toApp()(sseScope(), side.receive, side.send)).rejects.toThrow(
      UnsupportedScopeError,
    );
  });
});

const CONNECT: ReceiveEvent = { type: "websocket.connect" };
const GONE: ReceiveEvent = { type: "websocket.disconnect", code: 1001, reason: "bye" };
const scope: WebSocketScope = { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [] };

describe("WebSocketEndpoint", () => {
  class Recorder extends WebSocketEndpoint {
    readonly trace: unknown[] = [];
    override onReceive(_c: WebSocketContext, data: unknown) {
      this.trace.push(data);
    }
    override onDisconnect(_c: WebSocketContext, code: number, reason: string) {
      this.trace.push([code, reason]);
    }
  }
  class Json extends Recorder {
    override readonly encoding = "json";
  }
  class Bytes extends Recorder {
    override readonly encoding = "bytes";
  }

  async function live(endpoint: WebSocketEndpoint, ...events: ReceiveEvent[]) {
    const side = server(...events);
    await endpoint.toApp()({ ...scope }, side.receive, side.send);
    return side.sent;
  }

  test("accepts by itself, hands on messages, and says how it ended", async () => {
    const endpoint = new Recorder();
    const sent = await live(endpoint, CONNECT, { type: "websocket.receive", text: "hi" }, GONE);
    expect(sent).toEqual([{ type: "websocket.accept", headers: [] }]);
    expect(endpoint.trace).toEqual(["hi", [1001, "bye"]]);
  });

  test("json and bytes", async () => {
    const [json, bytes] = [new Json(), new Bytes()];
    await live(json, CONNECT, { type: "websocket.receive", text: `{"a":1}` }, GONE);
    expect(json.trace[0]).toEqual({ a: 1 });
    await live(bytes, CONNECT, { type: "websocket.receive", bytes: Uint8Array.of(1) }, GONE);
    expect(bytes.trace[0]).toEqual(Uint8Array.of(1));
  });

  test.each<[string, Recorder, ReceiveEvent, number]>([
    ["bytes for text", new Recorder(), { type: "websocket.receive", bytes: Uint8Array.of(1) }, 1003],
    ["text for bytes", new Bytes(), { type: "websocket.receive", text: "x" }, 1003],
    ["no JSON", new Json(), { type: "websocket.receive", text: "{" }, 1007],
  ])("%s closes, and what comes behind it is not looked at", async (_what, endpoint, event, code) => {
    const good: ReceiveEvent = { type: "websocket.receive", text: "1" };
    const sent = await live(endpoint, CONNECT, event, good, event, GONE);
    expect(sent.slice(1)).toEqual([expect.objectContaining({ type: "websocket.close", code })]);
    expect(endpoint.trace).toEqual([[code, expect.any(String)]]);
  });

  test("with an onError of the connection a wrong message closes nothing", async () => {
    class Lenient extends Json {
      override async onConnect({ websocket }: WebSocketContext) {
        await websocket.accept();
        websocket.onError((error) => void this.trace.push(error instanceof MessageError));
      }
    }
    const endpoint = new Lenient();
    const texts = ["{", "1"].map((text): ReceiveEvent => ({ type: "websocket.receive", text }));
    expect(await live(endpoint, CONNECT, ...texts, GONE)).toHaveLength(1);
    expect(endpoint.trace).toEqual([true, 1, [1001, "bye"]]);
  });

  test("onConnect decides; a throw ends in onDisconnect with 1011 (RFC 6455 section 7.4.1)", async () => {
    class Strict extends Recorder {
      override async onConnect({ websocket }: WebSocketContext) {
        this.trace.push("connect");
        await websocket.deny();
      }
    }
    class Broken extends Recorder {
      override onReceive(): never {
        throw new Error("broken");
      }
    }
    class Undecided extends Recorder {
      override onConnect() {}
    }
    const strict = new Strict();
    expect(await live(strict, CONNECT, GONE)).toEqual([expect.objectContaining({ type: "websocket.close" })]);
    expect(strict.trace).toEqual(["connect", [1008, ""]]);
    const broken = new Broken();
    await expect(live(broken, CONNECT, { type: "websocket.receive", text: "x" })).rejects.toThrow("broken");
    expect(broken.trace).toEqual([[1011, ""]]);
    class Worse extends Broken {
      override onDisconnect(): never {
        throw new Error("onDisconnect was called with what broken has left");
      }
    }
    await expect(live(new Worse(), CONNECT, { type: "websocket.receive", text: "x" })).rejects.toThrow(
      /^broken$/,
    );
    await expect(live(new Undecided(), CONNECT, GONE)).rejects.toThrow("accept() or deny()");
  });

  test("through a server: the class makes an instance for each connection", async () => {
    class Counter extends WebSocketEndpoint {
      count = 0;
      override async onReceive({ websocket, params }: WebSocketContext, text: string) {
        this.count += 1;
        await websocket.sendText(`${params["room"]} ${text} ${this.count}`);
      }
    }
    await using running = await startServer(new Router().websocket("/:room", Counter).toApp());
    for (const message of ["a", "b"]) {
      const client = await WebSocketClient.open(new URL("/blue", running.url).href.replace("http", "ws"));
      client.send(message);
      expect(await client.next()).toBe(`blue ${message} 1`);
    }
  });
});

describe("SseEndpoint", () => {
  class Ticker extends SseEndpoint {
    gone = 0;
    override async onConnect({ sse, params }: SseContext) {
      await sse.send(`hello ${params["name"]}`);
    }
    override onDisconnect() {
      this.gone += 1;
    }
  }

  test("starts the stream, keeps it open, and says when the client has gone", async () => {
    const endpoint = new Ticker();
    const side = server({ type: "sse.request", body: new Uint8Array(), more: false });
    const life = endpoint.toApp()({ ...sseScope(), path_params: { name: "me" } }, side.receive, side.send);
    await side.sentAtLeast(3);
    expect(side.sent).toEqual([
      { type: "sse.start", status: 200, headers: [] },
      { type: "sse.keepalive", interval: 15, comment: "" },
      { type: "sse.send", data: "hello me" },
    ]);
    expect(endpoint.gone).toBe(0);
    side.put({ type: "sse.disconnect", reason: "client_closed" });
    await life;
    expect(endpoint.gone).toBe(1);
  });

  test("keepalive is the class's, and a client may be declined", async () => {
    class Quiet extends SseEndpoint {
      override readonly keepaliveInterval = 0;
    }
    const quiet = server({ type: "sse.disconnect", reason: "client_closed" });
    await new Quiet().toApp()(sseScope(), quiet.receive, quiet.send);
    expect(quiet.sent).toEqual([{ type: "sse.start", status: 200, headers: [] }]);
    class Closed extends Ticker {
      override onConnect({ sse }: SseContext) {
        return sse.decline({ status: 410, body: "gone" });
      }
    }
    const closed = server();
    await new Closed().toApp()(sseScope(), closed.receive, closed.send);
    expect(response(closed.sent)).toMatchObject({ status: 410, body: "gone" });
  });

  test("onDisconnect runs when onConnect throws", async () => {
    class Broken extends Ticker {
      override onConnect(): never {
        throw new Error("broken");
      }
    }
    const endpoint = new Broken();
    const side = server();
    await expect(endpoint.toApp()(sseScope(), side.receive, side.send)).rejects.toThrow("broken");
    expect(endpoint.gone).toBe(1);
    class Worse extends Broken {
      override onDisconnect(): never {
        throw new Error("onDisconnect was called with what broken has left");
      }
    }
    await expect(new Worse().toApp()(sseScope(), side.receive, side.send)).rejects.toThrow(/^broken$/);
  });
});

describe("EndpointRouter", () => {
  class Site extends EndpointRouter {
    readonly trace: string[] = [];

    routes(r: RouteBuilder<this>): void {
      r.get("/users/:id", [this.outer, this.login], this.user).name("user");
      r.post("/forget", this.forget);
      r.get("/inline/{n:\\d+}", ({ params: { n } }) => new Text(n));
      r.put("/strict", [this.careless], this.list);
      r.websocket("/ws/:room", this.room);
      r.sse("/events/:name", this.events);
      r.mount("/in", new Router().get("/x", this.mounted)).as("in");
    }
    async outer(_call: HttpCall, next: () => Promise<Answer>) {
      this.trace.push("outer");
      const answer = await next();
      return answer instanceof Text ? new Text(`[${answer.text}]`) : new Text("no text");
    }
    async login({ params }: HttpCall, next: () => Promise<Answer>) {
      this.trace.push("login");
      return params["id"] === "0" ? new Text("who?", 401) : next();
    }
    user(call: HttpCall<{ id: string }>) {
      this.trace.push("user");
      return new Text(`user ${call.params.id} ${String(call.scope.state["db"])}`);
    }
    list() {
      return new Text("list");
    }
    // @ts-expect-error It does not return what next() gives.
    async careless(_call: HttpCall, next: () => Promise<Answer>): Promise<Answer> {
      await next();
    }
    forget(): Text {
      return JSON.parse("null");
    }
    async room({ websocket, params }: WebSocketContext<{ room: string }>) {
      await websocket.accept();
      await websocket.sendText(`${params.room} ${this.trace.length}`);
      await websocket.close();
    }
    async events({ sse, params }: SseContext<{ name: string }>) {
      await sse.send(params.name);
      await sse.close();
    }
    async mounted(_scope: unknown, _receive: unknown, send: Send) {
      await new Text("mounted").respond(send, httpScope());
    }
  }

  test("methods are handlers and steps, with the endpoint as this; values come back through the steps", async () => {
    const site = new Site();
    expect((await ask(site, { path: "/users/7", state: { db: "open" } })).body).toBe("[user 7 open]");
    expect(site.trace).toEqual(["outer", "login", "user"]);
    expect((await ask(site, { path: "/users/0" })).body).toBe("[who?]");
    expect((await ask(site, { path: "/inline/42" })).body).toBe("42");
    expect((await ask(site, { path: "/in/x" })).body).toBe("mounted");
  });

  test("404, 405 and names are the router's", async () => {
    expect((await ask(new Site(), { path: "/inline/x" })).status).toBe(404);
    expect((await ask(new Site(), { path: "/users/1", method: "PUT" })).allow).toBe("GET, HEAD, OPTIONS");
    expect(new Site().uriFor("user", { id: 1 })).toBe("/users/1");
    expect(new Site().namedRoutes()).toEqual({ user: { path: "/users/:id", names: ["id"] } });
  });

  test("routes that cannot be registered are told each time: there is no router with some of them", () => {
    class Half extends EndpointRouter {
      routes(r: RouteBuilder<this>): void {
        r.get("/open", (c) => c.text("open"));
        r.get("no-slash", (c) => c.text("written wrongly"));
      }
    }
    const half = new Half();
    expect(() => half.toApp()).toThrow(RouteError);
    expect(() => half.toApp()).toThrow(RouteError);
  });

  test("a handler or step that returns no response is told by name", async () => {
    await expect(ask(new Site(), { path: "/forget", method: "POST" })).rejects.toThrow(
      "The handler 'forget' of POST /forget returned null",
    );
    await expect(ask(new Site(), { path: "/strict", method: "PUT" })).rejects.toThrow(
      "The step 'careless' of PUT /strict returned undefined",
    );
  });

  test.each([
    ["get", [{ wrap: (app: unknown): unknown => app }], (): string => "unused"],
    ["post", undefined],
    ["websocket", [() => {}], () => {}],
    ["sse", "events"],
  ])("what is no handler is refused when %s() registers it", (verb, ...given) => {
    class Wrong extends EndpointRouter {
      routes(builder: RouteBuilder<this>): void {
        // As JavaScript might call it.
        Reflect.apply(Reflect.get(builder, verb), builder, ["/here", ...given]);
      }
    }
    expect(() => new Wrong().toApp()).toThrow(`no handler and no step of ${verb}('/here')`);
    expect(() => new Wrong().toApp()).toThrow(CompositionError);
  });

  test("state is the endpoint's where the server gives none", async () => {
    const site = new Site();
    site.state["db"] = "own";
    const side = server();
    const { state: _state, ...rest } = httpScope({ path: "/users/7" });
    // @ts-expect-error A scope without state, as another server may make it.
    await site.toApp()(rest, side.receive, side.send);
    expect(response(side.sent).body).toBe("[user 7 own]");
  });

  test("through a server, as a class in a mount", async () => {
    await using running = await startServer(new Router().mount("/site", Site).toApp());
    const at = (path: string) => new URL(path, running.url);
    expect(await (await fetch(at("/site/users/a%2Fb"))).text()).toBe("[user a/b undefined]");
    const client = await WebSocketClient.open(at("/site/ws/red").href.replace("http", "ws"));
    expect(await client.next()).toBe("red 3");
    const stream = await fetch(at("/site/events/news"), { headers: { accept: "text/event-stream" } });
    expect(await stream.text()).toContain("data: news\n");
  });

  test("handlers get contexts: parameters by the pattern, and what is set on the way goes out with the answer", async () => {
    class Contexts extends EndpointRouter {
      routes(r: RouteBuilder<this>): void {
        r.get("/users/:id", [this.tagged], this.user);
        r.get("/fetch/:a/:b", ({ params: { a, b } }) => Response.json([a, b], { status: 202 }));
        r.post("/sum", this.sum);
        r.get("/late", this.late);
      }
      async tagged(c: HttpContext, next: () => Promise<Answer>) {
        c.setCookie("seen", "1").setHeader("x-id", c.params["id"] ?? "");
        return next();
      }
      user(c: HttpContext<{ id: string }>) {
        // @ts-expect-error The pattern has no such parameter.
        void c.params.name;
        return c.json({ id: c.params.id, user: c.stash.get("user", null) });
      }
      async sum(c: HttpContext) {
        const { a, b } = await c.request.json<{ a: number; b: number }>();
        return c.text(String(a + b), { status: 201 });
      }
      late(c: HttpContext): Answer {
        c.scope["pagi.connection"].responseStarted = () => true;
        throw new MalformedBodyError("late");
      }
    }
    const user = await ask(new Contexts(), { path: "/users/7" });
    expect(JSON.parse(user.body)).toEqual({ id: "7", user: null });
    expect(user.headers).toContainEqual(["x-id", "7"]);
    expect(user.headers).toContainEqual(["set-cookie", "seen=1; Path=/"]);
    expect(await ask(new Contexts(), { path: "/fetch/x/y" })).toMatchObject({
      status: 202,
      body: `["x","y"]`,
    });
    const app = new Contexts().toApp();
    for (const [body, status, answer] of [
      [`{"a":1,"b":2}`, 201, "3"],
      ["{", 400, "ERR_PAGI_MALFORMED_BODY"],
    ] as const) {
      const side = server({ type: "http.request", body: bytes(body), more: false });
      await app(httpScope({ path: "/sum", method: "POST" }), side.receive, side.send);
      expect(response(side.sent)).toMatchObject({ status, body: expect.stringContaining(answer) });
    }
    await expect(ask(new Contexts(), { path: "/late" })).rejects.toThrow("late");
  });

  test("its own hook makes contexts of one's own", async () => {
    class Mine extends HttpContext {
      hello(name: string) {
        return this.text(`hello ${name}`);
      }
    }
    class Own extends EndpointRouterOf<Mine, WebSocketContext, SseContext> {
      readonly contextOf = contextFactory({ ...CONTEXT_CLASSES, http: Mine });
      routes(r: RouteBuilderOf<this, Mine, WebSocketContext, SseContext>): void {
        r.get("/:name", (c) => c.hello(c.params.name));
        r.get("/of/:name", this.method);
      }
      method(c: Mine) {
        return c.hello(c.params["name"] ?? "");
      }
    }
    expect((await ask(new Own(), { path: "/you" })).body).toBe("hello you");
    expect((await ask(new Own(), { path: "/of/you" })).body).toBe("hello you");
  });
});
