import { expect, test } from "bun:test";
import { join } from "node:path";
import { messageOf } from "../../src/errors.ts";
import { dispatch } from "../../src/spec/index.ts";
import { CookieStore, MemoryStore, Session, sessions, SqliteStore } from "../../src/toolkit/session.ts";
import type { Store } from "../../src/toolkit/session.ts";
import { ServerProcess } from "../support/example.ts";
import { Folder } from "../support/program.ts";
import { startServer } from "../support/server.ts";
import { upgradeRequest } from "../support/websocket.ts";
import { openWire } from "../support/sse.ts";
import { Wire } from "../support/wire.ts";

// Over sockets, with the server's own check of every event.

const app = dispatch({
  async http(scope, _receive, send) {
    const session = Session.of<{ user?: string; count?: number }>(scope);
    if (scope.path === "/login") session.regenerate().set("user", scope.query_string);
    else if (scope.path === "/logout") session.destroy();
    else if (scope.path === "/count") session.set("count", session.get("count", 0) + 1);
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/json"]] });
    await send({ type: "http.response.body", body: JSON.stringify(session.data) });
  },
  async sse(scope, _receive, send) {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: JSON.stringify(Session.of(scope).data) });
    await send({ type: "sse.close" });
  },
  async websocket(scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: JSON.stringify(Session.of(scope).data) });
    await send({ type: "websocket.close" });
  },
});

/** `fetch` with the session's cookie, as a browser would have it. */
class Browser {
  cookie = "";

  async get(url: URL | string): Promise<Response> {
    const response = await fetch(url, { headers: this.cookie === "" ? {} : { cookie: this.cookie } });
    for (const set of response.headers.getSetCookie())
      this.cookie = set.includes("Max-Age=0;") ? "" : (set.split(";")[0] ?? "");
    return response;
  }
  async json(url: URL | string): Promise<unknown> {
    return (await this.get(url)).json();
  }
}

const SECRET = "0123456789abcdef0123456789abcdef";
const STORES: readonly (readonly [string, () => Store | Promise<Store>])[] = [
  ["MemoryStore", () => new MemoryStore()],
  ["SqliteStore", () => SqliteStore.open(":memory:")],
  ["CookieStore", () => new CookieStore({ secrets: [SECRET] })],
];

test.each(STORES)("%s: login, http, websocket, sse and logout over sockets", async (_name, open) => {
  await using running = await startServer(sessions({ store: await open() })(app));
  const at = (path: string): URL => new URL(path, running.url);
  const browser = new Browser();
  const first = await browser.get(at("/"));
  expect([first.headers.getSetCookie(), await first.json()]).toEqual([[], {}]);
  expect(await browser.json(at("/count"))).toEqual({ count: 1 });
  const anonymous = browser.cookie;
  expect(await browser.json(at("/login?alice"))).toEqual({ count: 1, user: "alice" });
  expect(browser.cookie).not.toBe(anonymous);
  expect(await browser.json(at("/"))).toEqual({ count: 1, user: "alice" });

  const wire = await Wire.open(running);
  await wire.send(upgradeRequest("/", { cookie: browser.cookie }));
  const head = await wire.readTo("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 101");
  expect(head.toLowerCase()).not.toContain("set-cookie");
  expect(await wire.readTo("}")).toContain('{"count":1,"user":"alice"}');
  await using stream = await openWire(running, { fields: [`Cookie: ${browser.cookie}`] });
  const events = await stream.readTo("}");
  expect(events.toLowerCase()).not.toContain("set-cookie");
  expect(events).toContain('data: {"count":1,"user":"alice"}');
  await wire[Symbol.asyncDispose]();

  expect(await browser.json(at("/logout"))).toEqual({});
  expect(browser.cookie).toBe("");
  expect(await browser.json(at("/"))).toEqual({});
});

test("an id from outside is not taken over", async () => {
  await using running = await startServer(sessions()(app));
  const victim = new Browser();
  victim.cookie = `pagi_session=${"A".repeat(32)}`;
  await victim.get(new URL("/login?victim", running.url));
  expect(victim.cookie).toMatch(/^pagi_session=[\w-]{32}$/);
  expect(victim.cookie).not.toContain("AAAA");
  const attacker = new Browser();
  attacker.cookie = `pagi_session=${"A".repeat(32)}`;
  expect(await attacker.json(running.url)).toEqual({});
});

test("a session with too much for a cookie is a 500 that the log explains", async () => {
  const store = new CookieStore({ secrets: [SECRET] });
  await using running = await startServer(sessions({ store })(app));
  const response = await new Browser().get(new URL(`/login?${"x".repeat(4000)}`, running.url));
  expect(response.status).toBe(500);
  const errors = running.logger.lines.map(({ error }) => messageOf(error));
  expect(errors.join()).toContain("or use a store that keeps the data on the server");
});

test("two processes share the sessions of one file", async () => {
  using folder = new Folder();
  const env = { SESSIONS_FILE: join(folder.path, "sessions.sqlite") };
  const start = () => ServerProcess.start(["test/support/session-app.ts", "-p", "0"], env);
  const [one, two] = await Promise.all([start(), start()]);
  try {
    const browser = new Browser();
    const texts: string[] = [];
    for (const server of [one, two, two, one])
      texts.push(await (await browser.get(`${server.url}/count`)).text());
    expect(texts).toEqual(["1", "2", "3", "4"]);

    // Many writers at a time: nobody is told that the file is locked.
    const browsers = Array.from({ length: 40 }, () => new Browser());
    const answers = await Promise.all(
      browsers.map(async (each, index) => {
        const [here, there] = index % 2 === 0 ? [one, two] : [two, one];
        await each.get(`${here.url}/count`);
        return (await each.get(`${there.url}/count`)).text();
      }),
    );
    expect(answers).toEqual(browsers.map(() => "2"));

    const { cookie } = browser;
    await browser.get(`${two.url}/logout`);
    browser.cookie = cookie;
    expect(await (await browser.get(`${one.url}/`)).text()).toBe("none");
    expect([await one.stop(), await two.stop()]).toEqual([0, 0]);
  } finally {
    await Promise.all([one.stop("SIGKILL"), two.stop("SIGKILL")]);
  }
}, 30_000);
