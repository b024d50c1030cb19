import { expect, test } from "bun:test";
import { EventError, LifespanError, StateError, UnsupportedScopeError } from "../../src/errors.ts";
import { Lifespan, type LifespanOptions } from "../../src/exchange/lifespan.ts";
import { dispatch, type Application, type Receive, type Send } from "../../src/spec/application.ts";
import type { SendEvent } from "../../src/spec/events.ts";
import type { LifespanScope, Scope } from "../../src/spec/scope.ts";
import { validateReceiveEvent, validateScope } from "../../src/spec/validate.ts";

type Level = "error" | "warn" | "info" | "debug";

function setUp(app: Application, options: Partial<LifespanOptions> = {}) {
  const logs: [level: Level, message: string, error?: unknown][] = [];
  const lifespan = new Lifespan(
    app,
    { mode: "auto", startupTimeout: 5, shutdownTimeout: 5, ...options },
    {
      error: (message, error) =>
        logs.push(error === undefined ? ["error", message] : ["error", message, error]),
      warn: (message) => logs.push(["warn", message]),
      info: (message) => logs.push(["info", message]),
      debug: (message) => logs.push(["debug", message]),
    },
  );
  return { lifespan, logs, levels: () => logs.map(([level]) => level) };
}

/** An application whose `receive` and `send` the test itself calls; it ends when the test says so. */
function puppet() {
  const called = Promise.withResolvers<{ scope: Scope; receive: Receive; send: Send }>();
  const end = Promise.withResolvers<void>();
  const app: Application = (scope, receive, send) => {
    called.resolve({ scope, receive, send });
    return end.promise;
  };
  return { app, called: called.promise, end };
}

/** The usual application; notes the types of the events that it gets. */
function usual(seen: string[] = []): Application {
  return async (_scope, receive, send) => {
    for (;;) {
      const event = await receive();
      validateReceiveEvent("lifespan", event);
      seen.push(event.type);
      if (event.type === "lifespan.startup") await send({ type: "lifespan.startup.complete" });
      if (event.type === "lifespan.shutdown") return send({ type: "lifespan.shutdown.complete" });
    }
  };
}

/** What a promise rejects with. */
async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("The promise did not reject.");
}

/** True when `promise` is still pending after everything that can run has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  return Bun.peek.status(promise) === "pending";
}

const MODES = ["auto", "on", "off"] as const;

test("startup, then shutdown", async () => {
  const seen: string[] = [];
  const { lifespan, logs } = setUp(usual(seen), { mode: "on" });
  await lifespan.start();
  expect(seen).toEqual(["lifespan.startup"]);
  await lifespan.stop();
  expect(seen).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  expect(logs).toEqual([]);
});

test("start waits for lifespan.startup.complete, stop for lifespan.shutdown.complete", async () => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app);
  const started = lifespan.start();
  const { receive, send } = await called;
  expect(await receive()).toEqual({ type: "lifespan.startup" });
  expect(await isPending(started)).toBe(true);
  await send({ type: "lifespan.startup.complete" });
  await started;
  const next = receive();
  expect(await isPending(next)).toBe(true);
  const stopped = lifespan.stop();
  expect(await next).toEqual({ type: "lifespan.shutdown" });
  expect(await isPending(stopped)).toBe(true);
  await send({ type: "lifespan.shutdown.complete" });
  await stopped;
  expect(await isPending(receive())).toBe(true);
});

test("a second start and a second stop wait for the first, and call the application once", async () => {
  const seen: string[] = [];
  const { lifespan } = setUp(usual(seen));
  await Promise.all([lifespan.start(), lifespan.start()]);
  await lifespan.start();
  await Promise.all([lifespan.stop(), lifespan.stop()]);
  await lifespan.stop();
  await lifespan.start();
  expect(seen).toEqual(["lifespan.startup", "lifespan.shutdown"]);
});

test("stop without start does nothing, and start after it neither", async () => {
  const seen: string[] = [];
  const { lifespan } = setUp(usual(seen));
  await lifespan.stop();
  await lifespan.start();
  expect(seen).toEqual([]);
});

test("an application that never calls receive may send lifespan.startup.complete", async () => {
  const { lifespan, logs } = setUp(
    async (_scope, _receive, send) => {
      await send({ type: "lifespan.startup.complete" });
      await new Promise(() => {});
    },
    { mode: "on", shutdownTimeout: 0.01 },
  );
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([["error", expect.stringContaining("has not shut down within 0.01 s")]]);
});

// ── scope ───────────────────────────────────────────────────────────────────────────────────────────────────────

test.each<[options: Partial<LifespanOptions>, pagi: Partial<LifespanScope["pagi"]>]>([
  [{}, { is_worker: 0, role: "single" }],
  [{ role: "supervisor" }, { is_worker: 0, role: "supervisor" }],
  [
    { role: "worker", workerNumber: 3 },
    { is_worker: 1, worker_num: 3, role: "worker" },
  ],
  [{ workerNumber: 1 }, { is_worker: 1, worker_num: 1, role: "worker" }],
])("the scope with %j", async (options, pagi) => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app, options);
  void lifespan.start().catch(() => {});
  const { scope, send } = await called;
  validateScope(scope);
  expect(scope).toEqual({
    type: "lifespan",
    pagi: { version: "0.3", spec_version: "0.3", ...pagi } as LifespanScope["pagi"],
    state: {},
  });
  expect(scope.state).toBe(lifespan.state);
  await send({ type: "lifespan.startup.complete" });
});

test("state is the very object that the application filled", async () => {
  const database = { rows: 1 };
  const { lifespan } = setUp(
    dispatch({
      async lifespan(scope, receive, send) {
        await receive();
        scope.state.database = database;
        await send({ type: "lifespan.startup.complete" });
        await receive();
      },
    }),
  );
  const before = lifespan.state;
  await lifespan.start();
  expect(lifespan.state).toBe(before);
  expect(lifespan.state.database).toBe(database);
});

test("state may be replaced during startup", async () => {
  const replaced = { database: 1 };
  const { lifespan, logs } = setUp(async (scope, _receive, send) => {
    scope.state = replaced;
    await send({ type: "lifespan.startup.complete" });
  });
  await lifespan.start();
  expect(lifespan.state).toBe(replaced);
  expect(logs).toEqual([]);
});

test("a state that is replaced by no object is ignored with a warning", async () => {
  const { lifespan, levels } = setUp(async (scope, _receive, send) => {
    Object.assign(scope, { state: null });
    await send({ type: "lifespan.startup.complete" });
  });
  await lifespan.start();
  expect(lifespan.state).toEqual({});
  expect(levels()).toEqual(["warn"]);
});

// ── declining ───────────────────────────────────────────────────────────────────────────────────────────────────

const DECLINING: [how: string, app: Application, why: RegExp][] = [
  ["rejecting", () => Promise.reject(new Error("no such scope")), /it threw: no such scope/],
  [
    "throwing before the promise",
    () => {
      throw new Error("at once");
    },
    /it threw: at once/,
  ],
  [
    "throwing what is no error",
    async () => {
      throw "a string";
    },
    /it threw: a string/,
  ],
  ["an UnsupportedScopeError", dispatch({}), /does not handle the scope type 'lifespan'/],
  ["returning at once", async () => {}, /it returned without lifespan\.startup\.complete/],
  [
    "returning after receive",
    async (_scope, receive) => {
      await receive();
    },
    /it returned without/,
  ],
  [
    "throwing after receive",
    async (_scope, receive) => {
      await receive();
      throw new Error("no database");
    },
    /no database/,
  ],
];

test.each(DECLINING)("auto: %s is one line at debug, and the server goes on", async (how, app, why) => {
  const { lifespan, logs } = setUp(app);
  await lifespan.start();
  // An application that fails with the event in its hands has not declined.
  const level = how === "throwing after receive" ? "warn" : "debug";
  expect(logs).toEqual([[level, expect.stringMatching(why)]]);
  await lifespan.stop();
  expect(logs).toHaveLength(1);
});

test("auto: an application that answers a lifespan as if it were a request is calm too", async () => {
  const { lifespan, logs } = setUp(async (_scope, receive, send) => {
    await receive();
    await send({ type: "http.response.start", status: 200 });
  });
  await lifespan.start();
  expect(logs).toEqual([["debug", expect.stringContaining("does not handle lifespan events")]]);
});

test.each(DECLINING)("auto: %s is not logged where another process does", async (_how, app) => {
  const { lifespan, logs } = setUp(app, { isDeclineLogged: false });
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([]);
});

test.each(DECLINING)("on: %s is a LifespanError", async (_how, app, why) => {
  const { lifespan, logs } = setUp(app, { mode: "on" });
  const error = await rejectionOf(lifespan.start());
  expect(error).toBeInstanceOf(LifespanError);
  expect(String(error)).toMatch(why);
  expect(String(error)).toContain("--lifespan on");
  expect(await rejectionOf(lifespan.start())).toBe(error);
  await lifespan.stop();
  expect(logs).toEqual([]);
});

test("on: what the application threw is the cause", async () => {
  const cause = new UnsupportedScopeError("lifespan");
  const { lifespan } = setUp(() => Promise.reject(cause), { mode: "on" });
  expect(await rejectionOf(lifespan.start())).toMatchObject({ cause });
});

test("off: the application is not called", async () => {
  let calls = 0;
  const { lifespan, logs } = setUp(
    async () => {
      calls++;
    },
    { mode: "off" },
  );
  await lifespan.start();
  await lifespan.stop();
  expect([calls, logs, lifespan.state]).toEqual([0, [], {}]);
});

test("after declining, nothing more is sent to what still listens", async () => {
  let late: Promise<unknown> | undefined;
  const { lifespan } = setUp(async (_scope, receive) => {
    await receive();
    late = receive();
  });
  await lifespan.start();
  await lifespan.stop();
  expect(await isPending(late!)).toBe(true);
});

// ── startup goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

test.each(MODES.filter((mode) => mode !== "off"))(
  "%s: lifespan.startup.failed aborts with its message",
  async (mode) => {
    const { lifespan, logs } = setUp(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "lifespan.startup.failed", message: "the database is down" });
      },
      { mode },
    );
    const error = await rejectionOf(lifespan.start());
    expect(error).toBeInstanceOf(LifespanError);
    expect(String(error)).toContain("refuses to start: the database is down");
    await lifespan.stop();
    expect(logs).toEqual([]);
  },
);

test.each([undefined, null, ""])("lifespan.startup.failed with the message %p", async (message) => {
  const { lifespan } = setUp(async (_scope, _receive, send) =>
    send({ type: "lifespan.startup.failed", message }),
  );
  expect(String(await rejectionOf(lifespan.start()))).toContain("does not say why");
});

test("an application that neither signals nor returns runs into the startup timeout", async () => {
  const { app, called, end } = puppet();
  const { lifespan, levels } = setUp(app, { startupTimeout: 0.02 });
  const error = await rejectionOf(lifespan.start());
  expect(error).toBeInstanceOf(LifespanError);
  expect(String(error)).toContain("within 0.02 s");
  expect(String(error)).toContain("--lifespan-startup-timeout");
  const { receive, send } = await called;
  expect(await isPending(receive())).toBe(true);
  expect(await rejectionOf(send({ type: "lifespan.startup.complete" }))).toBeInstanceOf(StateError);
  await lifespan.stop();
  end.reject(new Error("far too late"));
  await isPending(end.promise.catch(() => {}));
  expect(levels()).toEqual(["debug"]);
});

test("a startup timeout of 0 is none", async () => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app, { startupTimeout: 0 });
  const started = lifespan.start();
  const { send } = await called;
  expect(await isPending(started)).toBe(true);
  await send({ type: "lifespan.startup.complete" });
  await started;
});

test("a timeout longer than a timer can be does not fire at once", async () => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app, { startupTimeout: 10_000_000 });
  const started = lifespan.start();
  expect(await isPending(started)).toBe(true);
  await (await called).send({ type: "lifespan.startup.complete" });
  await started;
});

test("stop during startup lets it finish, then shuts down", async () => {
  const { app, called } = puppet();
  const { lifespan, logs } = setUp(app);
  const started = lifespan.start();
  const { receive, send } = await called;
  await receive();
  const stopped = lifespan.stop();
  expect(await isPending(stopped)).toBe(true);
  await send({ type: "lifespan.startup.complete" });
  await started;
  expect(await receive()).toEqual({ type: "lifespan.shutdown" });
  await send({ type: "lifespan.shutdown.complete" });
  await stopped;
  expect(logs).toEqual([]);
});

test("stop during a startup that does not end makes start reject", async () => {
  const { app } = puppet();
  const { lifespan } = setUp(app, { startupTimeout: 0, shutdownTimeout: 0.01 });
  const failure = rejectionOf(lifespan.start());
  await lifespan.stop();
  expect(await failure).toBeInstanceOf(LifespanError);
  expect(String(await failure)).toContain("stopped before");
});

// ── after startup ───────────────────────────────────────────────────────────────────────────────────────────────

test("a throw after startup is logged as an error, and the server goes on", async () => {
  const { app, called, end } = puppet();
  const { lifespan, logs } = setUp(app, { mode: "on" });
  const started = lifespan.start();
  await (await called).send({ type: "lifespan.startup.complete" });
  await started;
  const crash = new Error("background task crashed");
  end.reject(crash);
  await isPending(end.promise.catch(() => {}));
  expect(logs).toEqual([["error", expect.stringContaining("after startup; the server goes on"), crash]]);
  await lifespan.stop();
  expect(logs).toHaveLength(1);
});

test("an application that returned after startup is not waited for at shutdown", async () => {
  const { lifespan, logs } = setUp(
    async (_scope, _receive, send) => send({ type: "lifespan.startup.complete" }),
    { mode: "on", shutdownTimeout: 1000 },
  );
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([]);
});

test("lifespan.shutdown.failed is logged with its message, and stop resolves", async () => {
  const { lifespan, logs } = setUp(async (_scope, receive, send) => {
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await receive();
    await send({ type: "lifespan.shutdown.failed", message: "3 jobs left" });
  });
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([["error", "The application failed to shut down: 3 jobs left"]]);
});

test("returning after lifespan.shutdown ends the shutdown", async () => {
  const { lifespan, logs } = setUp(
    async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
    },
    { shutdownTimeout: 1000 },
  );
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([]);
});

test("throwing after lifespan.shutdown is logged and ends the shutdown", async () => {
  const crash = new Error("cannot close");
  const { lifespan, logs } = setUp(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    throw crash;
  });
  await lifespan.start();
  await lifespan.stop();
  expect(logs).toEqual([["error", expect.stringContaining("while it shut down"), crash]]);
});

test("an application that does not shut down in time is logged and left behind", async () => {
  const { app, called } = puppet();
  const { lifespan, logs } = setUp(app, { shutdownTimeout: 0.02 });
  const started = lifespan.start();
  const { send } = await called;
  await send({ type: "lifespan.startup.complete" });
  await started;
  await lifespan.stop();
  expect(logs).toEqual([["error", expect.stringContaining("has not shut down within 0.02 s")]]);
  expect(await rejectionOf(send({ type: "lifespan.shutdown.complete" }))).toBeInstanceOf(StateError);
});

// ── events out of order, and no events at all ───────────────────────────────────────────────────────────────────

test("events out of order are StateErrors that name the state", async () => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app);
  const started = lifespan.start();
  const { send } = await called;

  const refused = async (type: SendEvent["type"], state: string) => {
    const error = await rejectionOf(send({ type } as SendEvent));
    expect(error).toBeInstanceOf(StateError);
    expect(error).toMatchObject({ eventType: type, state });
  };

  await refused("lifespan.shutdown.complete", "starting");
  await refused("lifespan.shutdown.failed", "starting");
  await send({ type: "lifespan.startup.complete" });
  await started;
  await refused("lifespan.startup.complete", "started");
  await refused("lifespan.startup.failed", "started");
  await refused("lifespan.shutdown.complete", "started");
  const stopped = lifespan.stop();
  await refused("lifespan.startup.complete", "stopping");
  await send({ type: "lifespan.shutdown.complete" });
  await stopped;
  await refused("lifespan.shutdown.complete", "over");
  await refused("lifespan.startup.complete", "over");
});

test.each<[event: unknown, field: string | undefined]>([
  [{ type: "lifespan.startup.completed" }, undefined],
  [{ type: "http.response.start", status: 200 }, undefined],
  [{ type: "lifespan.startup" }, undefined],
  [{ type: "lifespan.startup.failed", message: 5 }, "message"],
  [{}, "type"],
  [undefined, undefined],
])("%j is an EventError, and startup can still complete", async (event, field) => {
  const { app, called } = puppet();
  const { lifespan } = setUp(app);
  const started = lifespan.start();
  const { send } = await called;
  const error = await rejectionOf(send(event as SendEvent));
  expect(error).toBeInstanceOf(EventError);
  expect(error).toHaveProperty("field", field);
  await send({ type: "lifespan.startup.complete" });
  await started;
});
