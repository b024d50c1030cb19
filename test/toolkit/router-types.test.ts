import { expect, test } from "bun:test";
import type { Application } from "../../src/spec/index.ts";
import { handler, sseHandler, webSocketHandler } from "../../src/toolkit/context.ts";
import type { HttpContext } from "../../src/toolkit/context.ts";
import type { PathParams } from "../../src/toolkit/router.ts";
import { Router } from "../../src/toolkit/router.ts";
import { leastCost } from "../support/type-check.ts";

// Most of what is tested here is tested by the type checker: a wrong type is an error of `bun check`.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type NamesOf<Pattern extends string> = keyof PathParams<Pattern>;

/** Milliseconds of the type checker for 300 routes. */
const BUDGET = 1000;

test("the names of a pattern's parameters are its type", () => {
  const rows = [
    true satisfies Equal<NamesOf<"/users">, never>,
    true satisfies Equal<NamesOf<"">, never>,
    true satisfies Equal<NamesOf<"/users/:id">, "id">,
    true satisfies Equal<NamesOf<"/users/{id}">, "id">,
    true satisfies Equal<NamesOf<"/users/{id:\\d+}/posts/:post_2">, "id" | "post_2">,
    true satisfies Equal<NamesOf<"/{year:\\d{4}}/x">, "year">,
    true satisfies Equal<NamesOf<"/files/*rest">, "rest">,
    true satisfies Equal<NamesOf<"/:name.:ext">, "name" | "ext">,
    true satisfies Equal<NamesOf<"/v{major}.{minor}-x/:a">, "major" | "minor" | "a">,
    true satisfies Equal<NamesOf<"/a:/b">, never>,
    true satisfies Equal<PathParams<"/:id">["id"], string>,
    true satisfies Equal<PathParams<string>, Readonly<Record<string, string>>>,
  ];
  expect(rows).not.toContain(false);
});

test("handlers know their scope, its parameters and those of their group", () => {
  const everything: Application = async () => {};
  const router = new Router()
    .get("/users/:id", async (scope) => {
      const id: string = scope.path_params.id;
      // @ts-expect-error There is no such parameter.
      void [id, scope.path_params.name, scope.type satisfies "http"];
    })
    .websocket("/chat/:room", async (scope, receive) => {
      const event = await receive();
      void [scope.path_params.room, scope.subprotocols, event.type satisfies `websocket.${string}`];
    })
    .sse("/events/*topic", [], async (scope) => void (scope.path_params.topic satisfies string))
    .post("/any", everything)
    .any("/component", new Router(), { methods: ["GET"] })
    .group("/orgs/:org", (orgs) => {
      orgs.group("/teams/:team", (teams) => {
        teams.get("/:member", async ({ path_params: { org, team, member } }) => void [org, team, member]);
      });
    });
  // @ts-expect-error A number is no application.
  expect(() => router.get("/wrong", 1)).toThrow("'/wrong': a number is no application");
});

test("handlers of contexts know the parameters of the pattern and of their group", () => {
  const router = new Router()
    .get(
      "/users/:id",
      handler((c) => {
        const id: string = c.params.id;
        // @ts-expect-error There is no such parameter.
        void [c.params.name, c.type satisfies "http"];
        return c.json({ id });
      }),
    )
    .post(
      "/async/:id",
      [],
      handler(async (c) => {
        const sent: { x: number } = await c.request.json();
        return Response.json({ ...sent, id: c.params.id satisfies string });
      }),
    )
    .get(
      "/any",
      handler(async (c: HttpContext) => c.text(c.path)),
    )
    .websocket(
      "/chat/:room",
      webSocketHandler((c) => void [c.params.room satisfies string, c.type satisfies "websocket"]),
    )
    .sse(
      "/events/*topic",
      sseHandler((c) => void [c.params.topic satisfies string, c.type satisfies "sse"]),
    )
    .group("/orgs/:org", (orgs) => {
      orgs.get(
        "/:member",
        handler(({ params: { org, member } }) => Response.json([org, member])),
      );
    });
  // @ts-expect-error It returns nothing.
  router.get("/wrong", handler(() => {})); // prettier-ignore
  expect(router.toApp()).toBeFunction();
});

test("300 routes cost the type checker little more than none, with handlers that get a context too", async () => {
  expect(await leastCost(BUDGET, import.meta.dir, routes(300), routes(0))).toBeLessThan(BUDGET);
  expect(await leastCost(BUDGET, import.meta.dir, handledRoutes(300), handledRoutes(0))).toBeLessThan(BUDGET);
}, 60_000);

/** A file of routes, each of which uses the types of its own parameters. */
function routes(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `router.get("/section${index}/:user_${index}/{item:\\\\d+}/*rest", async (scope, _receive, send) => {\n` +
      `  const { user_${index}: user, item, rest } = scope.path_params;\n` +
      `  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });\n});\n`,
  );
  return `import { Router } from "../../../src/toolkit/router.ts";\nconst router = new Router();\n${lines.join("")}export default router;\n`;
}

/** The same with handlers that get a context. */
function handledRoutes(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `router.get("/section${index}/:user_${index}/{item:\\\\d+}/*rest", handler(async (c) => {\n` +
      `  const { user_${index}: user, item, rest } = c.params;\n  return c.json({ user, item, rest });\n}));\n`,
  );
  return (
    `import { handler } from "../../../src/toolkit/context.ts";\nimport { Router } from "../../../src/toolkit/router.ts";\n` +
    `handler((c) => c.text(""));\nconst router = new Router();\n${lines.join("")}export default router;\n`
  );
}
