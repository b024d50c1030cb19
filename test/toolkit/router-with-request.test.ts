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

class User extends HttpEndpoint {
  override get({ scope, receive }: HttpCall) {
    return PagiResponse.json({ id: new PagiRequest(scope, receive).pathParam("id") });
  }
}

class Versions extends EndpointRouter {
  routes(r: RouteBuilder<this>): void {
    r.get("/v/:id", ({ params }) => PagiResponse.text(params.id));
  }
}

test("endpoints, mounts, responses and handlers as targets, with the parameters of their paths", async () => {
  await using server = await startServer(
    new Router()
      .any("/user/:id", User)
      .get("/fixed", PagiResponse.text("fixed"))
      .mount("/mounted", Versions)
      .get("/raw/:id", async (scope, receive, send) => {
        await PagiResponse.text(new PagiRequest(scope, receive).pathParam("id")).respond(send, scope);
      })
      .toApp(),
  );
  const bodyOf = async (path: string) => (await fetch(new URL(path, server.url))).text();
  expect(await bodyOf("/user/7")).toBe(`{"id":"7"}`);
  expect(await bodyOf("/fixed")).toBe("fixed");
  expect(await bodyOf("/mounted/v/9")).toBe("9");
  expect(await bodyOf("/raw/a%2Fb")).toBe("a/b");
});
