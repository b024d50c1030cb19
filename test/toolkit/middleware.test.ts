import { describe, expect, test } from "bun:test";
import { CompositionError } from "../../src/errors.ts";
import type { Application, SendEvent } from "../../src/spec/index.ts";
import type { Middleware, Step } from "../../src/toolkit/router.ts";
import { around, chain, compose, Router } from "../../src/toolkit/router.ts";
import { httpScope, response, server } from "../support/fake-scope.ts";

const answer: Application = async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, headers: [["x", "app"]] });
  await send({ type: "http.response.body", body: "answer" });
};

async function run(app: Application) {
  const side = server();
  await app(httpScope(), side.receive, side.send);
  return response(side.sent);
}

/** Adds a field to the answer. */
const stamp =
  (value: string): Middleware =>
  (app) =>
  (scope, receive, send) =>
    app(scope, receive, (event: SendEvent) =>
      event.type === "http.response.start"
        ? send({ ...event, headers: [...(event.headers ?? []), ["x", value]] })
        : send(event),
    );

describe("compose", () => {
  test("the first is the outermost; functions and objects go together", async () => {
    const app = compose([stamp("first"), { wrap: stamp("second") }, stamp("third")])(answer);
    expect((await run(app)).headers.map(([, value]) => value)).toEqual(["app", "third", "second", "first"]);
  });

  test("an empty list is the application itself", () => {
    expect(compose([])(answer)).toBe(answer);
  });

  test("an object keeps its this", async () => {
    const wrapper = {
      value: "own",
      wrap(app: Application): Application {
        return stamp(this.value)(app);
      },
    };
    expect((await run(compose([wrapper])(answer))).headers).toContainEqual(["x", "own"]);
  });

  test("middleware is applied once, when the router is made an application", async () => {
    let applied = 0;
    const counted: Middleware = (app) => {
      applied += 1;
      return app;
    };
    const app = new Router().get("/", [counted], answer).toApp();
    await run(app);
    await run(app);
    expect(applied).toBe(1);
  });

  test("what is no middleware, or makes no application, is refused", () => {
    // @ts-expect-error A number is no middleware.
    expect(() => compose([1])).toThrow(CompositionError);
    // @ts-expect-error It returns no application.
    expect(() => compose([() => undefined])(answer)).toThrow("must return an application");
  });
});

describe("around", () => {
  test("not calling next() ends the request there", async () => {
    const refuse = around(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 401 });
      await send({ type: "http.response.body", body: "no" });
    });
    expect(await run(refuse(answer))).toMatchObject({ status: 401, body: "no" });
  });

  test("next() passes on what it is given, and the rest as it was", async () => {
    const seen: unknown[] = [];
    const app = around(async (scope, _receive, _send, next) => {
      await next({ scope: { ...scope, user: "me" } });
    })(async (scope, receive) => {
      seen.push(scope["user"], (await receive()).type);
    });
    const side = server({ type: "http.disconnect" });
    await app(httpScope(), side.receive, side.send);
    expect(seen).toEqual(["me", "http.disconnect"]);
  });

  test("a second next() is refused, whether the first is over or not, and the application runs once", async () => {
    let calls = 0;
    const counted: Application = async () => void (calls += 1);
    const oneByOne = around(async (_scope, _receive, _send, next) => {
      await next();
      await next();
    });
    const atOnce = around(async (_scope, _receive, _send, next) => {
      await Promise.all([next(), next()]);
    });
    await expect(run(oneByOne(counted))).rejects.toThrow(CompositionError);
    await expect(run(atOnce(counted))).rejects.toThrow("next() was called a second time");
    expect(calls).toBe(2);
  });

  test("each request has its own next()", async () => {
    const app = around((_scope, _receive, _send, next) => next())(answer);
    expect((await Promise.all([run(app), run(app)])).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("what the application throws comes out of next()", async () => {
    const app = around(async (_scope, _receive, _send, next) => {
      await expect(next()).rejects.toThrow("broken");
      throw new Error("seen");
    })(async () => {
      throw new Error("broken");
    });
    await expect(run(app)).rejects.toThrow("seen");
  });
});

describe("chain", () => {
  const step =
    (name: string): Step<string[], string> =>
    async (trace, next) => {
      trace.push(name);
      return `${name}(${await next()})`;
    };

  test("values come back through the steps", async () => {
    const trace: string[] = [];
    expect(await chain([step("a"), step("b")], async () => "last")(trace)).toBe("a(b(last))");
    expect(trace).toEqual(["a", "b"]);
    expect(await chain<string[], string>([], async () => "last")(trace)).toBe("last");
  });

  test("a second next() is refused", async () => {
    const twice: Step<string[], string> = async (_trace, next) => (await next()) + (await next());
    await expect(chain([twice], async () => "last")([])).rejects.toThrow(CompositionError);
  });
});
