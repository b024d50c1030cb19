import { describe, expect, test } from "bun:test";
import { CompositionError, StateError, UnsupportedScopeError } from "../../src/errors.ts";
import type { Application, LifespanScope, ReceiveEvent, SendEvent } from "../../src/spec/index.ts";
import { dispatch } from "../../src/spec/index.ts";
import { handleLifespan, Lifespan, wrap } from "../../src/toolkit/lifespan.ts";
import { Router } from "../../src/toolkit/router.ts";
import { Simple } from "../../src/toolkit/simple.ts";
import { TestClient } from "../../testing/test-client.ts";
import { httpScope, server } from "../support/fake-scope.ts";
import { startServer } from "../support/server.ts";

function lifespanScope(): LifespanScope {
  return {
    type: "lifespan",
    state: {},
    pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
  };
}

const UP: ReceiveEvent = { type: "lifespan.startup" };
const DOWN: ReceiveEvent = { type: "lifespan.shutdown" };
const ok: Application = async () => {};

/** Takes the application through a whole life. */
async function live(app: Application, ...events: ReceiveEvent[]): Promise<SendEvent[]> {
  const side = server(...(events.length === 0 ? [UP, DOWN] : events));
  await app(lifespanScope(), side.receive, side.send);
  return side.sent;
}

const hooks = (trace: string[], name: string) => ({
  startup: async () => void trace.push(`${name} up`),
  shutdown: async () => void trace.push(`${name} down`),
});

/** An application that speaks the protocol itself. */
function speaking(trace: string[], name: string): Application {
  return dispatch({
    async lifespan(scope, receive, send) {
      expect((await receive()).type).toBe("lifespan.startup");
      trace.push(`${name} up`);
      scope.state[name] = true;
      await send({ type: "lifespan.startup.complete" });
      expect((await receive()).type).toBe("lifespan.shutdown");
      trace.push(`${name} down`);
      await send({ type: "lifespan.shutdown.complete" });
    },
  });
}

const COMPLETE: SendEvent[] = [{ type: "lifespan.startup.complete" }, { type: "lifespan.shutdown.complete" }];

describe("wrap", () => {
  test("runs both hooks with the state, and tells the server", async () => {
    const seen: unknown[] = [];
    const app = wrap(ok, {
      startup: async (state) => void (state["db"] = "open"),
      shutdown: (state) => void seen.push(state["db"]),
    });
    expect(await live(app)).toEqual(COMPLETE);
    expect(seen).toEqual(["open"]);
  });

  test("wrapped again, startup goes inwards and shutdown outwards", async () => {
    const trace: string[] = [];
    const inner = wrap(speaking(trace, "app"), hooks(trace, "inner"));
    expect(await live(wrap(inner, hooks(trace, "outer")))).toEqual(COMPLETE);
    expect(trace).toEqual(["outer up", "inner up", "app up", "app down", "inner down", "outer down"]);
  });

  test("a startup that throws is told, and what had started is shut down", async () => {
    const trace: string[] = [];
    const inner = wrap(speaking(trace, "never"), {
      startup: () => {
        throw new Error("no database");
      },
      shutdown: () => void trace.push("not this one"),
    });
    const sent = await live(wrap(inner, hooks(trace, "outer")), UP);
    expect(sent).toEqual([{ type: "lifespan.startup.failed", message: "no database" }]);
    expect(trace).toEqual(["outer up", "outer down"]);
  });

  test("every shutdown runs, and all that fail are told", async () => {
    const trace: string[] = [];
    const failing = (name: string) => ({
      shutdown: async () => {
        trace.push(name);
        throw new Error(`${name} failed`);
      },
    });
    const app = wrap(wrap(wrap(ok, failing("a")), hooks(trace, "b")), failing("c"));
    expect(await live(app)).toEqual([
      { type: "lifespan.startup.complete" },
      { type: "lifespan.shutdown.failed", message: "a failed\nc failed" },
    ]);
    expect(trace).toEqual(["b up", "a", "b down", "c"]);
  });

  test("components are taken, anything else is refused", async () => {
    expect(await live(wrap({ toApp: () => ok }))).toEqual(COMPLETE);
    // @ts-expect-error A text is no application.
    expect(() => wrap("app")).toThrow(CompositionError);
  });

  test("requests keep the state that the server gives; where it gives none, they get a copy of what startup left", async () => {
    const states: unknown[] = [];
    const lifespan = new Lifespan({
      app: async (scope) => void (scope.type === "http" && states.push(scope.state)),
      startup: (state) => void (state["db"] = 1),
    });
    const app = lifespan.toApp();
    expect(lifespan.state).toBeUndefined();
    await live(app);
    const side = server();
    await app(httpScope({ state: { own: 1 } }), side.receive, side.send);
    const { state: _state, ...rest } = httpScope();
    // @ts-expect-error A scope without state, as another server may make it.
    await app(rest, side.receive, side.send);
    expect(states).toEqual([{ own: 1 }, { db: 1 }]);
    expect(states[1]).not.toBe(lifespan.state);
    expect(lifespan.state).toEqual({ db: 1 });
  });

  test("hooks that are added run in order, shutdown in reverse order", async () => {
    const trace: string[] = [];
    const lifespan = new Lifespan({ app: ok, ...hooks(trace, "first") })
      .register(hooks(trace, "second"))
      .onStartup(() => void trace.push("only up"))
      .onShutdown(() => void trace.push("only down"));
    expect(await live(lifespan.toApp())).toEqual(COMPLETE);
    expect(trace).toEqual(["first up", "second up", "only up", "only down", "second down", "first down"]);
  });
});

describe("applications inside", () => {
  const inside = (lifespan: Application, trace: string[] = []) => wrap(lifespan, hooks(trace, "outer"));

  test("may decline by throwing or returning", async () => {
    const throwing: Application = async (scope) => {
      throw new UnsupportedScopeError(scope.type);
    };
    expect(await live(inside(throwing))).toEqual(COMPLETE);
    expect(await live(inside(ok))).toEqual(COMPLETE);
  });

  test("may return after startup", async () => {
    const app: Application = async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
    };
    expect(await live(inside(app))).toEqual(COMPLETE);
  });

  test.each<[string, SendEvent[], string]>([
    ["refuse to start", [{ type: "lifespan.startup.failed", message: "no" }], "no"],
    ["refuse without a word", [{ type: "lifespan.startup.failed" }], "An application refuses to start."],
  ])("may %s", async (_what, events, message) => {
    const trace: string[] = [];
    const app: Application = async (_scope, _receive, send) => {
      for (const event of events) await send(event);
    };
    expect(await live(inside(app, trace), UP)).toEqual([{ type: "lifespan.startup.failed", message }]);
    expect(trace).toEqual(["outer up", "outer down"]);
  });

  test("may fail in shutdown, or throw on the way to it", async () => {
    const failing: Application = async (_scope, receive, send) => {
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await receive();
      await send({ type: "lifespan.shutdown.failed", message: "stuck" });
    };
    const throwing: Application = async (_scope, _receive, send) => {
      await send({ type: "lifespan.startup.complete" });
      throw new Error("broken");
    };
    expect((await live(inside(failing)))[1]).toEqual({ type: "lifespan.shutdown.failed", message: "stuck" });
    expect((await live(inside(throwing)))[1]).toEqual({
      type: "lifespan.shutdown.failed",
      message: "broken",
    });
  });

  test("are told when they send what is not expected now", async () => {
    const errors: unknown[] = [];
    const app: Application = async (_scope, _receive, send) => {
      await send({ type: "lifespan.shutdown.complete" }).catch((error) => errors.push(error));
      await send({ type: "lifespan.startup.complete" });
      await send({ type: "lifespan.startup.complete" }).catch((error) => errors.push(error));
    };
    expect(await live(inside(app))).toEqual(COMPLETE);
    expect(errors).toEqual([expect.any(StateError), expect.any(StateError)]);
  });
});

describe("a router", () => {
  test("takes its mounts through it, in order and in reverse order, each once", async () => {
    const trace: string[] = [];
    const shared = speaking(trace, "shared");
    const router = new Router()
      .mount("/first", wrap(ok, hooks(trace, "first")))
      .mount("/plain", new Router().get("/", ok))
      .mount("/a", shared)
      .mount("/b", shared)
      .mount(
        "/nested",
        new Router().group("/in", (group) => void group.mount("/", speaking(trace, "nested"))),
      );
    expect(await live(wrap(router, hooks(trace, "outer")))).toEqual(COMPLETE);
    expect(trace).toEqual([
      ...["outer up", "first up", "shared up", "nested up"],
      ...["nested down", "shared down", "first down", "outer down"],
    ]);
  });

  test("declines when nothing in it takes part", async () => {
    const router = new Router().mount("/a", ok).mount("/b", new Router());
    await expect(live(router.toApp())).rejects.toThrow(UnsupportedScopeError);
  });
});

describe("handleLifespan", () => {
  test("runs what middleware has left, then its own hooks", async () => {
    const trace: string[] = [];
    const leaving =
      (name: string, app: Application): Application =>
      async (scope, receive, send) => {
        const handlers = (scope["pagi.lifespan.handlers"] ??= []);
        if (Array.isArray(handlers)) handlers.push(hooks(trace, name));
        await app(scope, receive, send);
      };
    const app: Application = (scope, receive, send) =>
      handleLifespan(scope, receive, send, hooks(trace, "own"));
    expect(await live(leaving("outer", leaving("inner", app)))).toEqual(COMPLETE);
    expect(trace).toEqual(["outer up", "inner up", "own up", "own down", "inner down", "outer down"]);
    trace.length = 0;
    expect(await live(leaving("left", wrap(app, hooks(trace, "wrapped"))))).toEqual(COMPLETE);
    expect(trace).toEqual(["left up", "wrapped up", "own up", "own down", "wrapped down", "left down"]);
  });

  test("refuses other scopes, and what are no hooks", async () => {
    const side = server(UP);
    await expect(handleLifespan(httpScope(), side.receive, side.send)).rejects.toThrow(UnsupportedScopeError);
    const scope = { ...lifespanScope(), "pagi.lifespan.handlers": [{ startup: "no function" }] };
    await expect(handleLifespan(scope, side.receive, side.send)).rejects.toThrow(CompositionError);
  });
});

describe("through a server", () => {
  test("requests see what the hooks of mounted applications have left, and shutdown sees it too", async () => {
    const closed: unknown[] = [];
    const greeting = wrap(
      new Router().get("/", async (scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: String(scope.state["greeting"]) });
      }),
      {
        startup: async (state) => void (state["greeting"] = "hello"),
        shutdown: async (state) => void closed.push(state["greeting"]),
      },
    );
    const running = await startServer(new Router().mount("/greeting", greeting).toApp(), { lifespan: "on" });
    expect(await (await fetch(new URL("/greeting", running.url))).text()).toBe("hello");
    expect(await running.server.stop()).toBe(true);
    expect(closed).toEqual(["hello"]);
  });

  test("a startup that fails keeps it from starting", async () => {
    const app = new Router().mount(
      "/",
      wrap(ok, { startup: () => Promise.reject(new Error("no database")) }),
    );
    await expect(startServer(app.toApp())).rejects.toThrow("no database");
  });
});

describe("beforeWorkers and afterWorkers", () => {
  type Role = LifespanScope["pagi"]["role"];
  const scopeOf = (role: Role | undefined, isWorker: 0 | 1): LifespanScope => {
    const pagi = {
      version: "0.3",
      spec_version: "0.3",
      is_worker: isWorker,
      role: role ?? "single",
    } as const;
    if (role !== undefined) return { type: "lifespan", state: {}, pagi };
    const { role: _role, ...rest } = pagi;
    return Object.assign(lifespanScope(), { pagi: rest });
  };
  const all = (trace: string[], name: string) => ({
    ...hooks(trace, name),
    beforeWorkers: async () => void trace.push(`${name} before`),
    afterWorkers: async () => void trace.push(`${name} after`),
  });
  const liveAs = async (app: Application, scope: LifespanScope, ...events: ReceiveEvent[]) => {
    const side = server(...(events.length === 0 ? [UP, DOWN] : events));
    await app(scope, side.receive, side.send);
    return side.sent;
  };

  test.each<[what: string, role: Role | undefined, isWorker: 0 | 1, expected: string]>([
    ["a single process", "single", 0, "before, up, down, after"],
    ["a supervisor", "supervisor", 0, "before, after"],
    ["a worker", "worker", 1, "up, down"],
    ["a server that names no role", undefined, 0, "before, up, down, after"],
    ["a worker of one", undefined, 1, "up, down"],
  ])("in %s", async (_what, role, isWorker, expected) => {
    for (const make of [
      (trace: string[]) => wrap(ok, all(trace, "")),
      (trace: string[]) => {
        const { startup, shutdown, beforeWorkers, afterWorkers } = all(trace, "");
        const lifespan = new Lifespan({ app: ok }).onStartup(startup).onShutdown(shutdown);
        return lifespan.beforeWorkers(beforeWorkers).afterWorkers(afterWorkers).toApp();
      },
      (trace: string[]) => {
        const { startup, shutdown, beforeWorkers, afterWorkers } = all(trace, "");
        const simple = new Simple().onStart(startup).onShutdown(shutdown);
        return simple.beforeWorkers(beforeWorkers).afterWorkers(afterWorkers).toApp();
      },
      (trace: string[]) => new Router().mount("/a", wrap(ok, all(trace, ""))).toApp(),
      (trace: string[]): Application =>
        (scope, receive, send) =>
          handleLifespan(scope, receive, send, all(trace, "")),
    ]) {
      const trace: string[] = [];
      expect(await liveAs(make(trace), scopeOf(role, isWorker))).toEqual(COMPLETE);
      expect(trace.map((each) => each.trim()).join(", ")).toBe(expected);
    }
  });

  test("a raw application inside still has its lifespan in the supervisor, and sees its role", async () => {
    const roles: unknown[] = [];
    const raw = dispatch({
      async lifespan(scope, receive, send) {
        roles.push(scope.pagi.role);
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        await send({ type: "lifespan.shutdown.complete" });
      },
    });
    await liveAs(wrap(new Router().mount("/", raw), {}), scopeOf("supervisor", 0));
    expect(roles).toEqual(["supervisor"]);
  });

  test("a startup that fails in a single process is followed by afterWorkers", async () => {
    const trace: string[] = [];
    const app = wrap(ok, {
      ...all(trace, "it"),
      startup: () => {
        throw new Error("no database");
      },
    });
    expect(await liveAs(app, scopeOf("single", 0), UP)).toEqual([
      { type: "lifespan.startup.failed", message: "no database" },
    ]);
    expect(trace).toEqual(["it before", "it after"]);
  });

  test("a beforeWorkers that throws keeps the server from starting; what has not started is not ended", async () => {
    const trace: string[] = [];
    const app = wrap(ok, {
      ...all(trace, "it"),
      beforeWorkers: () => {
        throw new Error("the migration failed");
      },
    });
    for (const role of ["single", "supervisor"] as const)
      expect(await liveAs(app, scopeOf(role, 0), UP)).toEqual([
        { type: "lifespan.startup.failed", message: "the migration failed" },
      ]);
    expect(trace).toEqual([]);
  });

  test("the test client is a single process", async () => {
    const trace: string[] = [];
    await TestClient.run(wrap(ok, all(trace, "it")), async () => {});
    expect(trace).toEqual(["it before", "it up", "it down", "it after"]);
  });

  test("hooks that middleware has left may have them too, and wrong ones are refused", async () => {
    const trace: string[] = [];
    const app: Application = (scope, receive, send) => handleLifespan(scope, receive, send);
    const scope = Object.assign(scopeOf("supervisor", 0), { "pagi.lifespan.handlers": [all(trace, "left")] });
    expect(await liveAs(app, scope)).toEqual(COMPLETE);
    expect(trace).toEqual(["left before", "left after"]);
    const wrong = Object.assign(scopeOf("single", 0), { "pagi.lifespan.handlers": [{ beforeWorkers: 7 }] });
    await expect(liveAs(app, wrong)).rejects.toThrow(CompositionError);
  });
});
