import { Hono } from "hono";
import { fromFetch } from "../../adapters/fetch.ts";
import { hono } from "../../adapters/hono.ts";
import type { Application } from "../../src/spec/index.ts";
import { handler } from "../../src/toolkit/context.ts";
import { Router } from "../../src/toolkit/router.ts";

/** A handler that makes a Response, by the method and the path as the request has them. */
export type Respond = (method: string, path: string) => Response | Promise<Response>;

/** The ways in which a handler that returns a Response can be an application. */
export const ADAPTERS = ["fetch", "hono", "toolkit"] as const;
export type AdapterName = (typeof ADAPTERS)[number];

export function applicationOf(adapter: AdapterName, respond: Respond): Application {
  switch (adapter) {
    case "fetch":
      return fromFetch((request) => respond(request.method, new URL(request.url).pathname));
    case "hono": {
      const app = new Hono();
      app.all("*", (c) => respond(c.req.method, new URL(c.req.url).pathname));
      return hono(app);
    }
    case "toolkit": {
      const router = new Router();
      router.any(
        "/*rest",
        handler((c) => respond(c.method, c.rawPath)),
      );
      return router.toApp();
    }
  }
}
