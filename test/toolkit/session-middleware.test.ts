import { describe, expect, test } from "bun:test";
import { SessionError } from "../../src/errors.ts";
import type { Scope, SendEvent } from "../../src/spec/index.ts";
import type { LoadedSession, StoredSession, Store } from "../../src/toolkit/session.ts";
import { callbackState, CookieStore, MemoryStore, Session, sessions } from "../../src/toolkit/session.ts";
import { httpScope, response, server, sseScope } from "../support/fake-scope.ts";
import { webSocketScope } from "../support/routing.ts";
import { eventually } from "../support/wire.ts";
import { StoppedClock, Visitor } from "../support/sessions.ts";

/** A store that notes what is asked of it. */
class RecordingStore implements Store {
  readonly calls: string[] = [];
  readonly #inner: MemoryStore;

  constructor(now?: () => number) {
    this.#inner = new MemoryStore({ ...(now && { now }) });
  }
  async load(token: string): Promise<LoadedSession | undefined> {
    this.calls.push("load");
    return this.#inner.load(token);
  }
  async save(session: StoredSession, replaces?: string): Promise<string | undefined> {
    this.calls.push(replaces === undefined ? "create" : replaces === session.id ? "update" : "move");
    return this.#inner.save(session, replaces);
  }
  async touch(session: StoredSession): Promise<string | undefined> {
    this.calls.push("touch");
    return this.#inner.touch(session);
  }
  async destroy(id: string): Promise<void> {
    this.calls.push("destroy");
    await this.#inner.destroy(id);
  }
}

const SECRETS = ["0123456789abcdef0123456789abcdef"] as const;

describe("sessions()", () => {
  test("what one request puts into the session, the next one finds", async () => {
    const visitor = new Visitor(sessions());
    const { cookies } = await visitor.visit((session) => {
      expect(session.isNew()).toBe(true);
      session.set("user", { id: 7, name: "Ödön" });
    });
    expect(cookies).toEqual([
      expect.stringMatching(
        /^pagi_session=[A-Za-z0-9_-]{32}; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    await visitor.visit((session) => {
      expect(session.isNew()).toBe(false);
      expect(session.id).toBe(visitor.token);
      expect(session.get("user")).toEqual({ id: 7, name: "Ödön" });
    });
    await new Visitor(sessions()).visit((session) => expect(session.keys()).toEqual([]));
  });

  test("what is sent without waiting for the head comes behind it", async () => {
    const side = server();
    const app = sessions()(async (scope, _receive, send) => {
      Session.of(scope).set("a", 1);
      const head = send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      await send({ type: "http.response.body", body: "b" });
      await head;
    });
    await app(httpScope(), side.receive, side.send);
    expect(response(side.sent)).toMatchObject({ status: 200, body: "ab" });
  });

  test("the cookie is Secure for a request that came over https", async () => {
    const use = (session: Session) => session.set("a", 1);
    const over = async (scheme: "http" | "https", secure?: boolean) =>
      (
        await new Visitor(sessions(secure === undefined ? {} : { cookie: { secure } })).visit(use, { scheme })
      ).cookies.join();
    expect(await over("https")).toContain("; Secure");
    expect(await over("http")).not.toContain("; Secure");
    expect(await over("http", true)).toContain("; Secure");
    expect(await over("https", false)).not.toContain("; Secure");
  });

  test("a request that does not touch the session costs one load, and without a cookie nothing", async () => {
    const store = new RecordingStore();
    const visitor = new Visitor(sessions({ store }));
    const first = await visitor.visit();
    expect(store.calls).toEqual([]);
    expect(first.headers).toEqual([]);
    await visitor.visit((session) => session.set("a", 1));
    expect(store.calls.splice(0)).toEqual(["create"]);
    const { headers } = await visitor.visit();
    expect(store.calls.splice(0)).toEqual(["load"]);
    expect(headers).toEqual([]);
  });

  test("a session that was read, or set to what it was, is not written; one that was changed is", async () => {
    const store = new RecordingStore();
    const visitor = new Visitor(sessions({ store }));
    await visitor.visit((session) => session.set({ user: 7, list: [1] }));
    store.calls.splice(0);
    const read = await visitor.visit((session) => session.set("user", 7).get("list"));
    expect(store.calls.splice(0)).toEqual(["load"]);
    expect(read.cookies).toEqual([]);
    const changed = await visitor.visit((session) => {
      const list = session.get("list");
      if (Array.isArray(list)) list.push(2);
    });
    expect(store.calls.splice(0)).toEqual(["load", "update"]);
    expect(changed.cookies).toHaveLength(1);
    await visitor.visit((session) => expect(session.get("list")).toEqual([1, 2]));
  });

  test("a new session in which nothing stays is not kept", async () => {
    const store = new RecordingStore();
    const visitor = new Visitor(sessions({ store }));
    const { cookies } = await visitor.visit((session) => session.set("a", 1).regenerate().delete("a"));
    expect([cookies, store.calls]).toEqual([[], []]);
  });

  test("an id that is not in the store is never taken over, and what is no id is not looked up", async () => {
    const store = new RecordingStore();
    for (const [planted, looked] of [
      ["A".repeat(32), ["load", "create"]],
      ["A".repeat(31), ["create"]],
      ["A".repeat(33), ["create"]],
      ["..%2F".repeat(6), ["create"]],
      ["", ["create"]],
    ] as const) {
      const visitor = new Visitor(sessions({ store }), { pagi_session: planted });
      await visitor.visit((session) => {
        expect(session.isNew()).toBe(true);
        session.set("user", 7);
      });
      expect(visitor.token).not.toBe(planted);
      expect(visitor.token).toMatch(/^[\w-]{32}$/);
      expect(store.calls.splice(0)).toEqual([...looked]);
    }
  });

  test("regenerate gives a new id, keeps the data and makes the old id worthless", async () => {
    const store = new RecordingStore();
    const middleware = sessions({ store });
    const victim = new Visitor(middleware);
    await victim.visit((session) => session.set("cart", [1]));
    const old = victim.token;
    let told = "";
    await victim.visit((session) => {
      told = session.set("user", 7).regenerate().id;
    });
    expect(store.calls.at(-1)).toBe("move");
    expect(victim.token).toBe(told);
    expect(victim.token).not.toBe(old);
    await victim.visit((session) => expect(session.slice("cart", "user")).toEqual({ cart: [1], user: 7 }));
    await new Visitor(middleware, { pagi_session: old }).visit((session) =>
      expect(session.isNew()).toBe(true),
    );
  });

  test("regenerate of a session that was not otherwise touched moves it too", async () => {
    const visitor = new Visitor(sessions());
    await visitor.visit((session) => session.set("a", 1));
    const old = visitor.token;
    await visitor.visit((session) => session.regenerate());
    expect(visitor.token).not.toBe(old);
    await visitor.visit((session) => expect(session.get("a")).toBe(1));
  });

  test("destroy forgets the session and takes the cookie away", async () => {
    const store = new RecordingStore();
    const middleware = sessions({ store, cookie: { path: "/app", domain: "example.org" } });
    const visitor = new Visitor(middleware);
    await visitor.visit((session) => session.set("user", 7));
    const { token } = visitor;
    store.calls.splice(0);
    const { cookies, field } = await visitor.visit((session) => session.destroy());
    expect(store.calls.splice(0)).toEqual(["load", "destroy"]);
    expect(cookies).toEqual([
      "pagi_session=; Max-Age=0; Domain=example.org; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
    ]);
    expect(field("cache-control")).toBe("private");
    expect(visitor.jar.size).toBe(0);
    await new Visitor(middleware, { pagi_session: token }).visit((session) =>
      expect(session.isNew()).toBe(true),
    );
    expect((await visitor.visit((session) => session.destroy())).cookies).toEqual([]);
  });

  test.each([
    ["changes", (session: Session) => session.set("seen", true)],
    ["regenerates", (session: Session) => session.set("seen", true).regenerate()],
  ])("a request that %s it does not bring back a session that another one destroys", async (_name, use) => {
    const store = new MemoryStore();
    const middleware = sessions({ store });
    const visitor = new Visitor(middleware);
    await visitor.visit((session) => session.set("user", 7));
    const other = new Visitor(middleware, { pagi_session: visitor.token });
    const { cookies } = await visitor.visit(async (session) => {
      await other.visit((same) => same.destroy());
      use(session);
    });
    expect(cookies).toEqual([]);
    expect(store.size).toBe(0);
  });

  test("of two requests that change one session, the data of the later one stands", async () => {
    const middleware = sessions();
    const visitor = new Visitor(middleware);
    await visitor.visit((session) => session.set("n", 0));
    const other = new Visitor(middleware, { pagi_session: visitor.token });
    await visitor.visit(async (session) => {
      await other.visit((same) => same.set({ n: 1, other: true }));
      session.set("n", 2);
    });
    await visitor.visit((session) => expect(session.data).toEqual({ n: 2 }));
  });

  test("a session ends when it is not used for the idle time, which use prolongs", async () => {
    const clock = new StoppedClock();
    const store = new RecordingStore(clock.now);
    const visitor = new Visitor(sessions({ store, now: clock.now, idleTimeout: 1000 }));
    await visitor.visit((session) => session.set("user", 7));
    store.calls.splice(0);
    clock.advance(99);
    expect((await visitor.visit()).cookies).toEqual([]);
    expect(store.calls.splice(0)).toEqual(["load"]);
    clock.advance(1);
    const touched = await visitor.visit();
    expect(store.calls.splice(0)).toEqual(["load", "touch"]);
    expect(touched.cookies.join()).toContain("Max-Age=1000;");
    clock.advance(999);
    await visitor.visit((session) => expect(session.get("user")).toBe(7));
    clock.advance(1000);
    await visitor.visit((session) => expect(session.isNew()).toBe(true));
  });

  test("a session ends at the absolute time however much it is used, and with a new id too", async () => {
    const clock = new StoppedClock();
    const store = new MemoryStore({ now: clock.now });
    const visitor = new Visitor(
      sessions({ store, now: clock.now, idleTimeout: 1000, absoluteTimeout: 2500 }),
    );
    await visitor.visit((session) => session.set("user", 7));
    clock.advance(900);
    await visitor.visit((session) => session.regenerate());
    clock.advance(900);
    const { cookies } = await visitor.visit((session) => session.set("n", 1));
    expect(cookies.join()).toContain("Max-Age=700;");
    clock.advance(699);
    expect((await visitor.visit((session) => expect(session.isNew()).toBe(false))).cookies).toEqual([]);
    clock.advance(1);
    await visitor.visit((session) => expect(session.isNew()).toBe(true));
  });

  test("shorter times hold for the sessions that there are", async () => {
    const clock = new StoppedClock();
    const store = new MemoryStore({ now: clock.now });
    const visitor = new Visitor(sessions({ store, now: clock.now, idleTimeout: 100_000 }));
    await visitor.visit((session) => session.set("user", 7));
    clock.advance(500);
    const shorter = new Visitor(sessions({ store, now: clock.now, idleTimeout: 100 }), {
      pagi_session: visitor.token,
    });
    expect((await shorter.visit()).cookies.join()).toContain("Max-Age=100;");
    const absolute = new Visitor(sessions({ store, now: clock.now, absoluteTimeout: 400 }), {
      pagi_session: visitor.token,
    });
    await absolute.visit((session) => expect(session.isNew()).toBe(true));
  });

  test("caches are told: Vary where the session was looked at, private where a cookie goes out", async () => {
    const clock = new StoppedClock();
    const store = new MemoryStore({ now: clock.now });
    const visitor = new Visitor(sessions({ store, now: clock.now }));
    const set = await visitor.visit((session) => session.set("a", 1), {}, [["vary", "Accept"]]);
    expect(set.headers.filter(([name]) => name === "vary")).toEqual([
      ["vary", "Accept"],
      ["vary", "cookie"],
    ]);
    expect(set.field("cache-control")).toBe("private");
    const read = await visitor.visit((session) => session.get("a"), {}, [["vary", "X, Cookie"]]);
    expect(read.headers).toEqual([["vary", "X, Cookie"]]);
    const any = await visitor.visit((session) => session.get("a"), {}, [["vary", "*"]]);
    expect(any.headers).toEqual([["vary", "*"]]);
    const rows = [
      ["public, max-age=60, s-maxage=600", "private, max-age=60"],
      ["no-store", "no-store"],
      ["max-age=5, Private", "max-age=5, Private"],
      ["no-cache", "private, no-cache"],
    ];
    for (const [index, [given = "", sent]] of rows.entries()) {
      const visit = await visitor.visit((session) => session.set("a", `${index}`), {}, [
        ["cache-control", given],
      ]);
      expect(visit.field("cache-control")).toBe(sent);
    }
    clock.advance(1800);
    const asset = await visitor.visit(() => {}, {}, [["cache-control", "public, max-age=60"]]);
    expect(asset.headers).toEqual([["cache-control", "public, max-age=60"]]);
    expect((await visitor.visit()).cookies).toHaveLength(1);
  });

  test("after the head nothing can be changed, and the rest of the response is passed on as it is", async () => {
    const side = server();
    const failures: unknown[] = [];
    await sessions()(async (scope, _receive, send) => {
      const session = Session.of(scope).set("a", 1);
      await send({ type: "http.response.start", status: 200, trailers: true });
      expect([session.isReadOnly(), session.get("a")]).toEqual([true, 1]);
      try {
        session.set("a", 2);
      } catch (error) {
        failures.push(error);
      }
      await send({ type: "http.response.body", body: "a", more: false });
      await send({ type: "http.response.trailers", headers: [["x", "y"]] });
    })(httpScope(), side.receive, side.send);
    expect(failures).toEqual([
      expect.objectContaining({
        code: "ERR_PAGI_SESSION",
        message: expect.stringContaining("The head of the response has been sent"),
      }),
    ]);
    expect(side.sent.map(({ type }) => type)).toEqual([
      "http.response.start",
      "http.response.body",
      "http.response.trailers",
    ]);
    expect(side.sent[0]).toMatchObject({ status: 200, trailers: true });
  });

  test("a change while the head is being saved throws too, instead of getting lost", async () => {
    const store = new MemoryStore();
    const visitor = new Visitor(sessions({ store }));
    const side = server();
    await sessions({ store })(async (scope, _receive, send) => {
      const session = Session.of(scope).set("a", 1);
      const sending = send({ type: "http.response.start", status: 200 });
      expect(() => session.set("a", 2)).toThrow(SessionError);
      await sending;
    })(httpScope(), side.receive, side.send);
    visitor.jar.set(
      "pagi_session",
      /=([^;]+)/.exec(new Map(response(side.sent).headers).get("set-cookie") ?? "")?.[1] ?? "",
    );
    await visitor.visit((session) => expect(session.get("a")).toBe(1));
  });

  test("an application that fails before the head saves nothing", async () => {
    const store = new MemoryStore();
    const side = server();
    const app = sessions({ store })(async (scope) => {
      Session.of(scope).set("a", 1);
      throw new Error("failed");
    });
    await expect(app(httpScope(), side.receive, side.send)).rejects.toThrow("failed");
    expect(store.size).toBe(0);
  });

  test("a store that fails makes the head fail, and the page that tells of it gets through", async () => {
    const store = new MemoryStore();
    store.save = () => Promise.reject(new Error("no disk"));
    const side = server();
    await sessions({ store })(async (scope, _receive, send) => {
      Session.of(scope).set("a", 1);
      await expect(send({ type: "http.response.start", status: 200 })).rejects.toThrow("no disk");
      await send({ type: "http.response.start", status: 500 });
      await send({ type: "http.response.body", body: "sorry" });
    })(httpScope(), side.receive, side.send);
    expect(response(side.sent)).toMatchObject({ status: 500, body: "sorry" });
  });

  test("too much data is refused, with what to do", async () => {
    const visitor = new Visitor(sessions({ maxBytes: 100 }));
    const visit = visitor.visit((session) => session.set("text", "é".repeat(50)));
    await expect(visit).rejects.toThrow("The session has 111 bytes of JSON, more than the 100 of maxBytes.");
    const inCookie = new Visitor(sessions({ store: new CookieStore({ secrets: SECRETS }) }));
    const tooLarge = inCookie.visit((session) => session.set("text", "x".repeat(3000)));
    await expect(tooLarge).rejects.toThrow(/cookie would have \d+ bytes.*SqliteStore/s);
    await expect(tooLarge).rejects.toBeInstanceOf(SessionError);
    await inCookie.visit((session) => session.set("text", "x".repeat(2700)));
    await inCookie.visit((session) => expect(session.get("text")).toHaveLength(2700));
  });

  test("nested twice it works once", async () => {
    const outer = new RecordingStore();
    const inner = new RecordingStore();
    const both = new Visitor((app) => sessions({ store: outer })(sessions({ store: inner })(app)));
    expect((await both.visit((session) => session.set("a", 1))).cookies).toHaveLength(1);
    expect([outer.calls, inner.calls]).toEqual([["create"], []]);
  });

  test("options that cannot be are refused at once", () => {
    for (const options of [
      { idleTimeout: 0 },
      { absoluteTimeout: -1 },
      { idleTimeout: Number.NaN },
      { idleTimeout: Infinity, absoluteTimeout: Infinity },
      { maxBytes: 0 },
      { cookie: { name: "a b" } },
      { cookie: { name: "__Host-s", path: "/x" } },
      { cookie: { sameSite: "none", secure: false } },
      { cookie: {}, state: callbackState({ extract: () => undefined }) },
    ] as const) {
      expect(() => sessions(options)).toThrow(/sessions|cookie|name/);
    }
    expect(() => sessions({ idleTimeout: Infinity, cookie: { name: "__Host-s" } })).not.toThrow();
  });
});

describe("scopes that are not http", () => {
  const makers = { websocket: webSocketScope, sse: sseScope };

  /** Calls an application on a scope of a type, and returns what it has sent. */
  async function call(
    middleware: ReturnType<typeof sessions>,
    scope: Scope,
    use: (scope: Scope) => void,
  ): Promise<SendEvent[]> {
    const side = server();
    await middleware(async (inner, _receive, send) => {
      use(inner);
      await send({ type: "sse.start" });
    })(scope, side.receive, side.send);
    return side.sent;
  }

  test.each(["websocket", "sse"] as const)(
    "a %s scope reads the session and changes nothing",
    async (type) => {
      const clock = new StoppedClock();
      const store = new RecordingStore(clock.now);
      const middleware = sessions({ store, now: clock.now });
      const visitor = new Visitor(middleware);
      await visitor.visit((session) => session.set("user", 7));
      store.calls.splice(0);
      clock.advance(3000);
      const scope = makers[type]({ headers: [["cookie", `pagi_session=${visitor.token}`]] });
      const sent = await call(middleware, scope, (inner) => {
        const session = Session.of(inner);
        expect([session.get("user"), session.id, session.isNew(), session.isReadOnly()]).toEqual([
          7,
          visitor.token,
          false,
          true,
        ]);
        for (const change of [
          () => session.set("user", 8),
          () => session.delete("user"),
          () => session.take("user"),
          () => session.clear(),
          () => session.regenerate(),
          () => session.destroy(),
        ]) {
          expect(change).toThrow(`On a ${type} scope it can only be read`);
        }
        session.data["user"] = 9;
      });
      expect(sent).toEqual([{ type: "sse.start" }]);
      expect(store.calls).toEqual(["load"]);
      await visitor.visit((session) => expect(session.get("user")).toBe(7));
      clock.advance(3600);
      await call(middleware, scope, (inner) => expect(Session.of(inner).isNew()).toBe(true));
    },
  );

  test.each(["websocket", "sse"] as const)("a %s scope without a session has an empty one", async (type) => {
    for (const cookie of ["", `pagi_session=${"A".repeat(32)}`, "pagi_session=garbage"]) {
      await call(sessions(), makers[type]({ headers: [["cookie", cookie]] }), (inner) => {
        const session = Session.of(inner);
        expect([session.keys(), session.isNew(), session.get("user", "nobody")]).toEqual([
          [],
          true,
          "nobody",
        ]);
        expect(() => session.id).toThrow("There is no session, and so no id.");
      });
    }
  });

  test("the second worker warns of a store that other workers do not see", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): number => warnings.push(warning);
    process.on("warning", listen);
    try {
      const cookies = new CookieStore({ secrets: SECRETS });
      for (const [worker_num, options] of [
        [1, {}],
        [2, {}],
        [2, { store: cookies }],
        [3, {}],
      ] as const) {
        const pagi = {
          version: "0.3",
          spec_version: "0.3",
          is_worker: 1,
          role: "worker",
          worker_num,
        } as const;
        await call(sessions(options), { type: "lifespan", pagi, state: {} }, () => {});
      }
      // They are emitted in a later turn, in order.
      process.emitWarning("the last one");
      await eventually("the warnings", () => warnings.some(({ message }) => message === "the last one"));
    } finally {
      process.off("warning", listen);
    }
    expect(warnings.map(({ name }) => name)).toEqual(["PagiSessionWarning", "Warning"]);
  });

  test("a lifespan scope passes as it is", async () => {
    const pagi = { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" } as const;
    const scope: Scope = { type: "lifespan", pagi, state: {} };
    const seen: Scope[] = [];
    await call(sessions(), scope, (inner) => seen.push(inner));
    expect(seen[0]).toBe(scope);
  });
});
