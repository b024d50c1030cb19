import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { TestClient } from "../../testing/testing.ts";
import type { Application } from "../../src/spec/index.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { around, Router } from "../../src/toolkit/router.ts";
import { sessions } from "../../src/toolkit/session.ts";
import type { SimpleOptions } from "../../src/toolkit/simple.ts";
import { html, HttpError, Simple, SimpleContext, step } from "../../src/toolkit/simple.ts";

const SECRET = "a secret that is long enough to be one";

/** An application with the routes that `register` gives it, and a client for it. */
function client(register: (app: Simple) => unknown, options?: SimpleOptions): TestClient {
  const app = new Simple(options);
  register(app);
  return new TestClient(app);
}

async function bodyOf(client: TestClient, path: string, accept = "*/*"): Promise<[number, string]> {
  const response = await client.get(path, { headers: { accept }, throwErrors: false });
  return [response.status, await response.text()];
}

describe("what a handler returns", () => {
  const c = client((app) =>
    app
      .get("/text", () => "a < b")
      .get("/html", () => html`<p>${"<"}</p>`)
      .get("/object", () => ({ a: [1] }))
      .get("/list", async () => [1, 2])
      .get("/pagi", () => PagiResponse.text("pagi", { status: 202 }))
      .get("/fetch", () => new Response("fetch", { status: 203, headers: { "x-a": "b" } }))
      .get("/stream", (ctx) => ctx.stream(["a", "b"]))
      .get("/app", () =>
        new Router().get("/app", (ctx, _receive, send) => PagiResponse.text(ctx.path).respond(send)),
      )
      .get("/respond", async (ctx) => {
        await ctx.respond(ctx.text("sent"));
        return undefined as never;
      }),
  );

  test.each([
    ["/text", 200, "text/plain; charset=utf-8", "a < b"],
    ["/html", 200, "text/html; charset=utf-8", "<p>&lt;</p>"],
    ["/object", 200, "application/json", '{"a":[1]}'],
    ["/list", 200, "application/json", "[1,2]"],
    ["/pagi", 202, "text/plain; charset=utf-8", "pagi"],
    ["/fetch", 203, "text/plain;charset=utf-8", "fetch"],
    ["/stream", 200, undefined, "ab"],
    ["/app", 200, "text/plain; charset=utf-8", "/app"],
    ["/respond", 200, "text/plain; charset=utf-8", "sent"],
  ])("%s", async (path, status, type, body) => {
    const response = await c.get(path);
    expect([response.status, response.contentType, await response.text()]).toEqual([status, type, body]);
  });

  test.each<[string, unknown, string]>([
    ["undefined", undefined, "is there a return missing?"],
    ["null", null, "return c.json(...) for it"],
    ["a number", 42, "return c.json(...) for it"],
    ["a Map", new Map([["lost", 1]]), "returned an object of the class Map; return a response"],
    ["a symbol", Symbol("x"), "returned a symbol; return a response"],
  ])("%s is refused with advice, and told to nobody", async (_name, value, message) => {
    const bad = client((app) => app.get("/users/:id", () => value as object));
    await expect(bad.get("/users/1")).rejects.toThrow(`The handler of GET /users/:id returned`);
    await expect(bad.get("/users/1")).rejects.toThrow(message);
    const [status, body] = await bodyOf(bad, "/users/1");
    expect([status, body.includes("handler")]).toEqual([500, false]);
  });
});

describe("routes", () => {
  test("every method, and 405, HEAD and OPTIONS by themselves", async () => {
    const c = client((app) => {
      for (const method of ["get", "post", "put", "patch", "delete"] as const)
        app[method]("/item/:id", (ctx) => `${ctx.method} ${ctx.params.id}`);
      app.any("/any", (ctx) => ctx.method);
      app.route(["GET", "PURGE"], "/two", (ctx) => ctx.method);
      app.options("/own", (ctx) => ctx.text("mine"));
      app.head("/own", (ctx) => ctx.empty({ headers: { "x-own": "1" } }));
    });
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"])
      expect(await (await c.request(method, "/item/7")).text()).toBe(`${method} 7`);
    expect(await (await c.request("PURGE", "/two")).text()).toBe("PURGE");
    expect(await (await c.request("REPORT", "/any")).text()).toBe("REPORT");
    expect(await (await c.options("/own")).text()).toBe("mine");
    expect((await c.head("/own")).header("x-own")).toBe("1");
    expect((await c.head("/item/7")).status).toBe(200);
    expect((await c.options("/two")).header("allow")).toBe("GET, HEAD, OPTIONS, PURGE");
    const refused = await c.post("/two");
    expect([refused.status, refused.header("allow")]).toEqual([405, "GET, HEAD, OPTIONS, PURGE"]);
  });

  test("middleware goes around, steps go next to the handler, in their order", async () => {
    const order: string[] = [];
    const middleware = (name: string) =>
      around(async (_scope, _receive, _send, next) => {
        order.push(name);
        await next();
      });
    const says = (name: string) =>
      step(async (_c, next) => {
        order.push(name);
        return next();
      });
    const c = client((app) =>
      app
        .use(middleware("use"))
        .hook("before", () => void order.push("before"))
        .hook("after", () => void order.push("after"))
        .group("/g", [says("group step"), middleware("group")], (group) =>
          group.get("/:x", [says("step"), middleware("route")], (ctx) => {
            order.push("handler");
            return ctx.params.x;
          }),
        ),
    );
    expect(await (await c.get("/g/1")).text()).toBe("1");
    expect(order).toEqual(["use", "group", "route", "before", "group step", "step", "handler", "after"]);
  });

  test("a step sees and changes the answer, or gives its own, and calls next() once", async () => {
    const c = client((app) =>
      app
        .get("/mine", [step(() => "mine")], () => "not reached")
        .get(
          "/changed",
          [
            step(async (ctx, next) => {
              const answer = await next();
              ctx.setHeader("x-answer", answer.constructor.name);
              return answer;
            }),
          ],
          () => "text",
        )
        .get("/twice", [step(async (_c, next) => [await next(), await next()])], () => "text")
        .get(
          "/nothing",
          [step((async (_c: SimpleContext, next: () => unknown) => void (await next())) as never)],
          () => "x",
        ),
    );
    expect(await (await c.get("/mine")).text()).toBe("mine");
    expect((await c.get("/changed")).header("x-answer")).toBe("PagiResponse");
    await expect(c.get("/twice")).rejects.toThrow("next() was called a second time");
    await expect(c.get("/nothing")).rejects.toThrow("The step of GET /nothing returned undefined");
  });

  test("parameters: of the path, the query and the form", async () => {
    const c = client((app) =>
      app.any("/p/:id", async (ctx) => [
        await ctx.param("id"),
        await ctx.param("q"),
        await ctx.param("f"),
        await ctx.param("none"),
      ]),
    );
    const response = await c.post("/p/1?q=2&id=9", { form: { f: "3", q: "9" } });
    expect(await response.json()).toEqual(["1", "2", "3", null]);
    expect(await (await c.post("/p/1", { json: { f: 3 } })).json()).toEqual(["1", null, null, null]);
  });

  test("validated input: 422 as a problem document", async () => {
    const c = client((app) =>
      app.post("/users", async (ctx) =>
        ctx.json(await ctx.validate(z.object({ age: z.number() })), { status: 201 }),
      ),
    );
    expect((await c.post("/users", { json: { age: 3 } })).status).toBe(201);
    const refused = await c.post("/users", { json: { age: "3" } });
    expect([refused.status, refused.contentType]).toEqual([422, "application/problem+json"]);
    expect(await refused.json()).toMatchObject({ errors: [{ in: "body", pointer: "/age" }] });
  });

  test("uploads", async () => {
    const c = client((app) =>
      app.post("/photo", async (ctx) => {
        const photo = await ctx.request.upload("photo");
        return { name: photo?.filename, size: photo?.size };
      }),
    );
    const response = await c.post("/photo", { files: { photo: { content: "12345", name: "me.png" } } });
    expect(await response.json()).toEqual({ name: "me.png", size: 5 });
  });
});

describe("names", () => {
  const inner = new Simple().get("/posts/:post", (c) => c.uriFor("post", { post: "a/b" })).name("post");
  const c = client((app) =>
    app
      .get("/users/:id", (ctx) => ctx.uriFor("user", { id: 1 }, { page: 2 }))
      .name("user")
      .get("/go", (ctx) => ctx.redirectTo("user", { id: 7 }, { query: { a: "b" } }))
      .group("/admin", (admin) => admin.get("/", () => "").name("home"))
      .as("admin")
      .mount("/bl og", inner)
      .as("blog")
      .get("/links", (ctx) => [ctx.uriFor("admin.home"), ctx.uriFor("blog.post", { post: 3 })]),
  );

  test("uriFor, namespaces of groups and mounts, and redirects", async () => {
    expect(await (await c.get("/users/3")).text()).toBe("/users/1?page=2");
    expect(await (await c.get("/links")).json()).toEqual(["/admin/", "/bl%20og/posts/3"]);
    const redirected = await c.get("/go");
    expect([redirected.status, redirected.location]).toEqual([303, "/users/7?a=b"]);
  });

  test("an application that is mounted knows where", async () => {
    expect(await (await c.get("/bl%20og/posts/1")).text()).toBe("/bl%20og/posts/a%2Fb");
    expect(await (await c.get("/users/3", { rootPath: "/site" })).text()).toBe("/site/users/1?page=2");
  });

  test("a name that is taken, and one that there is not", async () => {
    expect(() =>
      new Simple()
        .get("/a", () => "")
        .name("x")
        .get("/b", () => "")
        .name("x"),
    ).toThrow("'x' already");
    const none = client((app) => app.get("/", (ctx) => ctx.uriFor("nothing")));
    await expect(none.get("/")).rejects.toThrow("There is no route with the name 'nothing'");
  });
});

describe("mounts", () => {
  const raw: Application = async (scope, _receive, send) => {
    if (scope.type === "lifespan") return;
    await PagiResponse.text(`${scope.root_path} ${scope.path}`).respond(send);
  };

  test("another Simple, a router and an application, each with its own errors", async () => {
    const inner = new Simple().get("/", () => "inner").notFound(() => "inner has none");
    const c = client((app) =>
      app
        .mount("/inner", inner)
        .mount("/router", new Router().get("/r", raw))
        .mount("/raw", raw)
        .group("/:org", (org) => org.mount("/raw", raw))
        .notFound(() => "outer has none"),
    );
    expect(await bodyOf(c, "/inner")).toEqual([200, "inner"]);
    expect(await bodyOf(c, "/inner/x")).toEqual([404, "inner has none"]);
    expect(await bodyOf(c, "/router/r")).toEqual([200, "/router /r"]);
    expect(await bodyOf(c, "/router/x")).toEqual([404, "Not Found"]);
    expect(await bodyOf(c, "/raw/a/b")).toEqual([200, "/raw /a/b"]);
    expect(await bodyOf(c, "/acme/raw/x")).toEqual([200, "/acme/raw /x"]);
    expect(await bodyOf(c, "/x")).toEqual([404, "outer has none"]);
  });

  test("what cannot be mounted is refused with advice", () => {
    const app = new Simple();
    expect(() => app.mount("/x", { fetch: () => new Response() } as never)).toThrow(
      "fromFetch() of pagi-server/fetch",
    );
    expect(() => app.mount("/x", [step(() => "")] as never, raw)).toThrow("steps are for http only");
  });

  test("lifespan: in order, and in reverse order", async () => {
    const order: string[] = [];
    const hooks = (app: Simple, name: string) =>
      app
        .onStart((state) => {
          state[name] = order.push(`start ${name}`);
        })
        .onShutdown(() => void order.push(`stop ${name}`));
    const inner = hooks(new Simple(), "inner").get("/", (c) => c.state);
    const app = hooks(hooks(new Simple(), "outer"), "second").mount("/inner", inner);
    await TestClient.run(app, async (c) => {
      expect(await (await c.get("/inner")).json()).toEqual({ outer: 1, second: 2, inner: 3 });
    });
    expect(order).toEqual([
      "start outer",
      "start second",
      "start inner",
      "stop inner",
      "stop second",
      "stop outer",
    ]);
  });

  test("a start that fails keeps the server from starting", async () => {
    const app = new Simple().onStart(() => {
      throw new Error("no database");
    });
    await expect(new TestClient(app).start()).rejects.toThrow("no database");
  });
});

describe("errors", () => {
  class Missing extends Error {}
  class VeryMissing extends Missing {}

  test("an error of the application is told to nobody, and thrown on for the log", async () => {
    const c = client((app) =>
      app.get("/oops", (ctx) => {
        ctx
          .setHeader("cache-control", "public, max-age=60")
          .setHeader("location", "/me")
          .setCookie("user", "1");
        throw new Error("the password is xyzzy");
      }),
    );
    await expect(c.get("/oops")).rejects.toThrow("the password is xyzzy");
    const response = await c.get("/oops", { throwErrors: false });
    expect([response.status, response.header("cache-control"), response.header("location")]).toEqual([
      500,
      undefined,
      undefined,
    ]);
    expect(response.cookies).toEqual({});
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
    });
    for (const accept of ["text/html", "text/plain", "application/json"])
      expect((await bodyOf(c, "/oops", accept))[1]).not.toContain("xyzzy");
  });

  test("what protects pages protects those of errors, and cookies of what ends on purpose are sent", async () => {
    const c = client((app) =>
      app
        .hook("before", (ctx) => void ctx.setHeader("content-security-policy", "default-src 'none'"))
        .get("/oops", () => {
          throw new Error("oops");
        })
        .get("/out", (ctx) => ctx.setHeader("content-type", "x/y").deleteCookie("user").abort(401)),
    );
    for (const path of ["/oops", "/out", "/nothing-here"]) {
      const response = await c.get(path, { throwErrors: false, headers: { accept: "text/html" } });
      expect([
        response.header("content-security-policy")?.split(";")[0],
        response.header("content-type"),
      ]).toEqual(["default-src 'none'", "text/html; charset=utf-8"]);
      expect(response.headers.has("set-cookie")).toBe(path === "/out");
    }
  });

  test("debug shows it, escaped", async () => {
    const c = client(
      (app) =>
        app.get("/oops", () => {
          throw new Error("<b>xyzzy</b>");
        }),
      { debug: true },
    );
    expect((await bodyOf(c, "/oops", "text/html"))[1]).toContain("Error: &lt;b&gt;xyzzy&lt;/b&gt;");
  });

  test("abort and HttpError: in the form that the client takes", async () => {
    const c = client((app) =>
      app
        .get("/gone", (ctx) => ctx.abort(410, "It was <here>.", [["x-until", "May"]]))
        .get("/busy", () => {
          throw new HttpError(503);
        }),
    );
    const gone = await c.get("/gone");
    expect([gone.status, gone.header("x-until"), await gone.json()]).toEqual([
      410,
      "May",
      { type: "about:blank", title: "Gone", status: 410, detail: "It was <here>.", code: "ERR_PAGI_HTTP" },
    ]);
    const page = await c.get("/gone", { headers: { accept: "text/html,*/*;q=0.1" } });
    expect([page.contentType, await page.text()]).toEqual([
      "text/html; charset=utf-8",
      expect.stringContaining("It was &lt;here&gt;."),
    ]);
    expect(await bodyOf(c, "/gone", "text/plain")).toEqual([410, "It was <here>."]);
    expect((await c.get("/busy")).status).toBe(503);
    expect(() => new HttpError(200)).toThrow(RangeError);
  });

  test("handlers: by the nearest class, then by status; the status is set", async () => {
    const c = client((app) =>
      app
        .error(Missing, (ctx, error) => ctx.status(404).text(`missing: ${error.message}`))
        .error(500, (_c, error) => `sorry: ${error instanceof Error}`)
        .error(418, () => ({ tea: true }))
        .get("/missing", () => {
          throw new VeryMissing("it");
        })
        .get("/tea", (ctx) => ctx.abort(418))
        .get("/oops", () => {
          throw new TypeError("x");
        }),
    );
    // The application has said what is to be said of it, so that it is no news.
    expect(await (await c.get("/missing")).text()).toBe("missing: it");
    expect(await bodyOf(c, "/missing")).toEqual([404, "missing: it"]);
    expect(await bodyOf(c, "/tea")).toEqual([418, '{"tea":true}']);
    expect(await bodyOf(c, "/oops")).toEqual([500, "sorry: true"]);
    await expect(c.get("/oops")).rejects.toThrow(TypeError);
  });

  test("404 and 405 have handlers like any other", async () => {
    const c = client((app) =>
      app
        .get("/only-get", () => "")
        .notFound((ctx) => ({ nothing: ctx.path }))
        .error(405, () => "not like this"),
    );
    expect(await bodyOf(c, "/x")).toEqual([404, '{"nothing":"/x"}']);
    const refused = await c.post("/only-get");
    expect([refused.status, refused.header("allow"), await refused.text()]).toEqual([
      405,
      "GET, HEAD, OPTIONS",
      "not like this",
    ]);
  });

  test("a handler of errors that throws leaves the client with a 500", async () => {
    const c = client((app) =>
      app
        .error(500, () => {
          throw new Error("again");
        })
        .get("/oops", () => {
          throw new Error("first");
        }),
    );
    expect((await bodyOf(c, "/oops"))[0]).toBe(500);
    await expect(c.get("/oops")).rejects.toThrow("first; again");
  });

  test("an error after the response has begun cuts it", async () => {
    const c = client((app) =>
      app.get("/cut", (ctx) =>
        ctx.stream(async (writer) => {
          await writer.write("x".repeat(10));
          throw new Error("halfway");
        }),
      ),
    );
    await expect(c.get("/cut")).rejects.toThrow("halfway");
  });

  test("wrong registrations say so", () => {
    const app = new Simple().error(404, () => "").error(Missing, () => "");
    expect(() => app.notFound(() => "")).toThrow("There is a handler for the status 404 already");
    expect(() => app.error(Missing, () => "")).toThrow("There is a handler for Missing already");
    expect(() => app.error(200, () => "")).toThrow("from 400 to 599");
    expect(() => app.error(500, "page" as never)).toThrow("a function (c, error)");
    expect(() => app.get("/x", {} as never)).toThrow("is no handler, which is a function");
    expect(() => app.get("/x", new Router() as never)).toThrow("A component is mounted");
    expect(() => app.get("/x", [] as never)).toThrow("no handler behind the list");
    expect(() => app.get("/x", [((_c: unknown, _next: unknown) => {}) as never], () => "")).toThrow(
      "write step((c, next)",
    );
    expect(() => app.get("/x", ["auth" as never], () => "")).toThrow("is no middleware");
    expect(() => step("auth" as never)).toThrow("step() takes a function");
    expect(() => app.group("/x", new Router() as never)).toThrow("is mounted");
    expect(() => app.group("/x", (async () => {}) as never)).toThrow("has to be synchronous");
    expect(() => app.hook("middle" as never, () => {})).toThrow("there are before and after");
    expect(() => app.get("no-slash", () => "")).toThrow("no-slash");
    expect(() => new Simple({ secret: "short" })).toThrow("32 chars");
    expect(() => new Simple({ views: "views" as never })).toThrow("{ views }): must be a function");
    app.toApp();
    expect(() => app.get("/late", () => "")).toThrow("before toApp()");
    expect(() => app.use((inner) => inner)).toThrow("before toApp()");
    expect(() => app.onStart(() => {})).toThrow("before toApp()");
  });
});

describe("hooks", () => {
  test("before may answer; after learns how it ended, and runs in any case", async () => {
    const ended: [string, unknown][] = [];
    const c = client((app) =>
      app
        .hook("before", async (ctx) =>
          ctx.path === "/closed" ? ctx.text("closed", { status: 503 }) : undefined,
        )
        .hook("before", (ctx) => void ctx.stash.set("user", "Ada"))
        .hook(
          "after",
          (ctx, { error }) => void ended.push([ctx.path, error instanceof Error ? error.message : "well"]),
        )
        .get("/closed", () => "not reached")
        .get("/open", (ctx) => String(ctx.stash.get("user")))
        .get("/oops", () => {
          throw new Error("x");
        }),
    );
    expect(await bodyOf(c, "/closed")).toEqual([503, "closed"]);
    expect(await bodyOf(c, "/open")).toEqual([200, "Ada"]);
    await bodyOf(c, "/oops");
    await bodyOf(c, "/none");
    expect(ended).toEqual([
      ["/closed", "well"],
      ["/open", "well"],
      ["/oops", "x"],
      ["/none", "Not Found"],
    ]);
  });

  test("after runs where nothing can be sent, and the server is told what went wrong", async () => {
    const ended: unknown[] = [];
    const app = new Simple()
      .hook("after", (_, { error }) => void ended.push(error))
      .get("/", () => {
        throw new Error("x");
      });
    const served: Application = (scope, receive) =>
      app.toApp()(scope, receive, () => Promise.reject(new Error("cannot be sent")));
    await expect(new TestClient(served).get("/")).rejects.toThrow("GET /: x; cannot be sent");
    expect(ended).toEqual([new Error("x")]);
  });

  test("an after hook that throws harms neither the client nor the other hooks", async () => {
    let ran = false;
    const c = client((app) =>
      app
        .hook("after", () => {
          throw new Error("log is full");
        })
        .hook("after", () => void (ran = true))
        .get("/", () => "fine"),
    );
    expect(await bodyOf(c, "/")).toEqual([200, "fine"]);
    expect(ran).toBe(true);
    await expect(c.get("/")).rejects.toThrow("log is full");
  });
});

describe("cookies and sessions", () => {
  test("a signed cookie comes back, and a forged one does not", async () => {
    const c = client(
      (app) =>
        app
          .get("/set", (ctx) => ctx.setSignedCookie("user", "Ada", { httpOnly: true }).text("set"))
          .get("/get", (ctx) => String(ctx.signedCookie("user")))
          .get("/delete", (ctx) => ctx.deleteCookie("user").text("")),
      { secret: SECRET },
    );
    expect((await c.get("/set")).headers.get("set-cookie")).toContain("HttpOnly");
    expect(await (await c.get("/get")).text()).toBe("Ada");
    expect(await (await c.get("/get", { cookies: { user: "Eve.forged" } })).text()).toBe("undefined");
    await c.get("/delete");
    expect(c.cookie("user")).toBeUndefined();
  });

  test("without a secret it says what to do; a second secret is good for reading", async () => {
    const none = client((app) => app.get("/", (ctx) => ctx.setSignedCookie("a", "b").text("")));
    await expect(none.get("/")).rejects.toThrow("new Simple({ secret:");
    const old = client((app) => app.get("/", (ctx) => ctx.setSignedCookie("a", "b").text("")), {
      secret: SECRET,
    });
    await old.get("/");
    const renewed = client((app) => app.get("/", (ctx) => String(ctx.signedCookie("a"))), {
      secret: ["another secret, that is as long as this", SECRET],
    });
    const value = decodeURIComponent(old.cookie("a") ?? "");
    expect(
      await (await renewed.get("/", { headers: { cookie: `a=${encodeURIComponent(value)}` } })).text(),
    ).toBe("b");
  });

  test("a session by its middleware", async () => {
    const c = client((app) =>
      app.use(sessions({ cookie: { secure: false } })).get("/", (ctx) => {
        const visits = Number(ctx.session.get("visits", 0)) + 1;
        ctx.session.set("visits", visits);
        return { visits };
      }),
    );
    await c.get("/");
    expect(await (await c.get("/")).json()).toEqual({ visits: 2 });
    const none = client((app) => app.get("/", (ctx) => ctx.session.id));
    await expect(none.get("/")).rejects.toThrow("session");
  });
});

describe("views and negotiation", () => {
  test("views make HTML of a name and data", async () => {
    const views = async (name: string, data: Readonly<Record<string, unknown>>) =>
      name === "hello"
        ? html`<p>Hello, ${String(data["name"])}</p>`
        : name === "plain"
          ? "<hr>"
          : (undefined as never);
    const c = client(
      (app) =>
        app
          .get("/", (ctx) => ctx.render("hello", { name: "<Ada>" }, { status: 201 }))
          .get("/plain", (ctx) => ctx.render("plain"))
          .get("/missing", (ctx) => ctx.render("missing")),
      { views },
    );
    const response = await c.get("/");
    expect([response.status, response.contentType, await response.text()]).toEqual([
      201,
      "text/html; charset=utf-8",
      "<p>Hello, &lt;Ada&gt;</p>",
    ]);
    expect(await (await c.get("/plain")).text()).toBe("<hr>");
    await expect(c.get("/missing")).rejects.toThrow("There is no view 'missing'");
    const none = client((app) => app.get("/", (ctx) => ctx.render("x")));
    await expect(none.get("/")).rejects.toThrow("new Simple({ views:");
  });

  test("respondTo chooses by Accept, and says so in Vary", async () => {
    const c = client((app) =>
      app
        .get("/user", (ctx) =>
          ctx.respondTo({
            json: () => ({ name: "Ada" }),
            html: () => "<b>Ada</b>",
            csv: () => "name\nAda\n",
          }),
        )
        .get("/any", (ctx) => ctx.respondTo({ json: () => [], any: () => "anything" })),
    );
    const ask = async (path: string, accept: string) => {
      const response = await c.get(path, { headers: { accept } });
      return [response.status, response.contentType, await response.text(), response.header("vary")];
    };
    expect(await ask("/user", "text/html;q=0.9,application/json")).toEqual([
      200,
      "application/json",
      '{"name":"Ada"}',
      "accept",
    ]);
    expect(await ask("/user", "text/html")).toEqual([
      200,
      "text/html; charset=utf-8",
      "<b>Ada</b>",
      "accept",
    ]);
    expect(await ask("/user", "text/csv")).toEqual([200, "text/csv; charset=utf-8", "name\nAda\n", "accept"]);
    expect((await ask("/user", "image/png")).slice(0, 2)).toEqual([406, "application/problem+json"]);
    expect((await ask("/any", "image/png")).slice(0, 3)).toEqual([
      200,
      "text/plain; charset=utf-8",
      "anything",
    ]);
  });
});
