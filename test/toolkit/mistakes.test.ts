import { expect, test } from "bun:test";
import { DeclinedError, TestClient } from "../../testing/testing.ts";
import type { HttpContext } from "../../src/toolkit/context.ts";
import { handler } from "../../src/toolkit/context.ts";
import type { RouteBuilder } from "../../src/toolkit/endpoint.ts";
import { EndpointRouter, HttpEndpoint } from "../../src/toolkit/endpoint.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Router } from "../../src/toolkit/router.ts";
import { CookieStore, sessions, SqliteStore } from "../../src/toolkit/session.ts";
import type { StepFunction } from "../../src/toolkit/simple.ts";
import { Simple, step } from "../../src/toolkit/simple.ts";

// What somebody writes who is new to it, or asks for, and what the answer says.

function client(register: (app: Simple) => unknown): TestClient {
  const app = new Simple();
  register(app);
  return new TestClient(app);
}

async function bodyOf(client: TestClient, path: string): Promise<[number, string]> {
  const response = await client.get(path, { throwErrors: false });
  return [response.status, await response.text()];
}

/** What a client was told whose stream or WebSocket was refused. */
async function answerOf(error: unknown): Promise<string> {
  if (!(error instanceof DeclinedError)) throw error;
  return error.response.text();
}

test("what looks right and is not: the context, a promise as JSON, a step that does not go on", async () => {
  const skip = step((async (_c, next) => void (await next())) as StepFunction);
  const c = client((app) =>
    app
      .get("/context", (ctx) => ctx.status(204))
      .get("/promise", (ctx) => ctx.json(Promise.resolve(1)))
      .get("/step", [skip], () => "never"),
  );
  await expect(c.get("/context")).rejects.toThrow("The handler of GET /context returned the context itself");
  await expect(c.get("/promise")).rejects.toThrow("A promise has no JSON; await it before.");
  await expect(c.get("/step")).rejects.toThrow(
    "of GET /step returned undefined; is there a return missing? Return next()",
  );
  const router = new Router().get(
    "/",
    handler((ctx) => ctx.status(204) as never),
  );
  await expect(new TestClient(router).get("/")).rejects.toThrow("returned the context itself");
});

test("a step in use() is refused, for it would guard nothing", () => {
  const guard = step((ctx) => ctx.abort(401));
  expect(() => new Simple().use(guard as never)).toThrow(/^use\(\): a step is for http routes/);
});

test("a stream or WebSocket that is asked for with plain HTTP is a 404 that says so", async () => {
  const c = client((app) =>
    app
      .sse("/events", (sse) => sse.close())
      .websocket("/chat", () => {})
      .get("/page", () => "page")
      .mount("/router", new Router().get("/page", PagiResponse.text("page")))
      .post("/both", () => "both")
      .sse("/both", (sse) => sse.close())
      .mount(
        "/mount",
        new Router().sse("/events", () => Promise.resolve()),
      ),
  );
  expect(await bodyOf(c, "/events")).toEqual([404, expect.stringContaining("Accept: text/event-stream")]);
  expect(await bodyOf(c, "/chat")).toEqual([404, expect.stringContaining("the path of a WebSocket")]);
  expect(await bodyOf(c, "/mount/events")).toEqual([
    404,
    expect.stringMatching(/^Not Found. This is the path/),
  ]);
  await expect(c.sse("/page").catch(answerOf)).resolves.toMatch(/^Not Found. This path is no event stream/);
  await expect(c.sse("/router/page").catch(answerOf)).resolves.toContain("ask for it with plain HTTP");
  await expect(c.websocket("/page").catch(answerOf)).resolves.toContain("no WebSocket");
  expect((await c.get("/both")).status).toBe(405);
  expect(await bodyOf(c, "/nothing")).toEqual([404, expect.not.stringContaining("path of")]);
});

test("an endpoint that handles nothing, and a handler that is not there, are refused when they are registered", () => {
  class Pages extends HttpEndpoint {
    gett(c: HttpContext): PagiResponse {
      return c.text("never");
    }
  }
  expect(() => new Pages().toApp()).toThrow(
    /^Pages handles nothing: it has none of the methods get, post, put/,
  );
  class Own extends HttpEndpoint {
    override dispatch(): Promise<void> {
      return Promise.resolve();
    }
  }
  expect(new Own().toApp()).toBeFunction();
  class Site extends EndpointRouter {
    declare page: never;
    override routes(r: RouteBuilder<this>): void {
      r.get("/", this.page);
    }
  }
  expect(() => new Site().toApp()).toThrow("undefined is no handler and no step of get('/')");
});

test("sessions that are not called, and a store that is not awaited, are refused", () => {
  expect(() => new Router().get("/", [sessions as never], PagiResponse.text("")).toApp()).toThrow(
    "write sessions(), or sessions()(app)",
  );
  expect(() => sessions({ store: SqliteStore.open(":memory:") as never })).toThrow(
    "await SqliteStore.open(...)",
  );
  expect(() => new CookieStore({ secret: "x" } as never)).toThrow("Did you mean secrets?");
});

test("an application that would be mounted in itself, directly or through another", () => {
  const app = new Simple();
  expect(() => app.mount("/x", app)).toThrow(
    "mount('/x'): an object of the class Simple would be mounted in",
  );
  const other = new Simple().mount("/app", app);
  expect(() => app.group("/g", (group) => void group.mount("/other", other))).toThrow("mount('/other')");
  expect(other.toApp()).toBeFunction();
});
