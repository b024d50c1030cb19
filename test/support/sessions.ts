import type { Headers, HttpScope } from "../../src/spec/index.ts";
import type { Middleware } from "../../src/toolkit/router.ts";
import { Session } from "../../src/toolkit/session.ts";
import { httpScope, response, server, type Wanted } from "./fake-scope.ts";

/** A clock that stands still until it is moved. */
export class StoppedClock {
  #time = Date.UTC(2030, 0, 1);
  readonly now = (): number => this.#time;

  /** Seconds. */
  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }
}

/** What a request does with its session before it answers. */
export type Use = (session: Session, scope: HttpScope) => unknown;

export interface Visit {
  readonly headers: Headers;
  /** The values of `Set-Cookie`. */
  readonly cookies: readonly string[];
  field(name: string): string | undefined;
}

/** Somebody with a browser: brings the cookies that it was given, as long as nobody takes them away. */
export class Visitor {
  readonly #middleware: Middleware;
  readonly jar = new Map<string, string>();

  constructor(middleware: Middleware, cookies: Readonly<Record<string, string>> = {}) {
    this.#middleware = middleware;
    for (const [name, value] of Object.entries(cookies)) this.jar.set(name, value);
  }

  /** The session's token; empty without one. */
  get token(): string {
    return this.jar.get("pagi_session") ?? "";
  }

  /** One request through the middleware. `fields` are those of the response. */
  async visit(use: Use = () => {}, wanted: Wanted = {}, fields: Headers = []): Promise<Visit> {
    const brought = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers: Headers = [...httpScope(wanted).headers];
    if (brought !== "") headers.push(["cookie", brought]);
    const side = server();
    const app = this.#middleware(async (scope, _receive, send) => {
      if (scope.type !== "http") throw new Error(`no http scope, but ${scope.type}`);
      await use(Session.of(scope), scope);
      await send({ type: "http.response.start", status: 200, headers: fields });
      await send({ type: "http.response.body", body: "done" });
    });
    await app(httpScope({ ...wanted, headers }), side.receive, side.send);
    const sent = response(side.sent).headers;
    const cookies = sent.filter(([name]) => name === "set-cookie").map(([, value]) => value);
    for (const cookie of cookies) this.#keep(cookie);
    return { headers: sent, cookies, field: (name) => new Map(sent).get(name) };
  }

  #keep(cookie: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (/; Max-Age=0(;|$)/.test(cookie)) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}
