import { expect, test } from "bun:test";
import {
  HttpEndpoint,
  EndpointRouter,
  type HttpCall,
  type RouteBuilder,
} from "../../src/toolkit/endpoint.ts";
import { PagiRequest } from "../../src/toolkit/request.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Router } from "../../src/toolkit/router.ts";
import { startServer } from "../support/server.ts";
class U extends HttpEndpoint {
  override get({ scope, receive }: HttpCall) {
    return PagiResponse.json({ id: new PagiRequest(scope, receive).pathParam("id") });
  }
}
class S extends EndpointRouter {
  routes(r: RouteBuilder<this>): void {
    r.get("/v/:id", ({ params }) => PagiResponse.text(params.id));
  }
}
test("x", async () => {
  await using s = await startServer(
    new Router()
      .any("/u/:id", U)
      .get("/c", PagiResponse.text("c"))
      .mount("/s", S)
      .get("/r/:id", async (scope, receive, send) => {
        await PagiResponse.text(new PagiRequest(scope, receive).pathParam("id") ?? "").respond(send, scope);
      })
      .toApp(),
  );
  const t = async (p: string) => (await fetch(new URL(p, s.url))).text();
  expect([await t("/u/7"), await t("/c"), await t("/s/v/9"), await t("/r/a%2Fb")]).toEqual([
    `{"id":"7"}`,
    "c",
    "9",
    "a/b",
  ]);
});
