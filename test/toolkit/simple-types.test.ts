import { expect, test } from "bun:test";
import { Simple, SimpleContext, step } from "../../src/toolkit/simple.ts";
import { leastCost } from "../support/type-check.ts";

// What is tested here first is tested by the type checker: a wrong type is an error of `bun check`.

/** Milliseconds of the type checker for 300 routes. */
const BUDGET = 1000;

test("handlers know the parameters of their route and of its groups", () => {
  class Broken extends Error {
    readonly part: string = "";
  }
  const app = new Simple()
    .get("/users/:id", (c) => {
      // @ts-expect-error There is no such parameter.
      void c.params.name;
      return c.params.id satisfies string;
    })
    .post("/:a", [step((c, next) => (c.queryParam("x") === undefined ? next() : c.empty()))], async (c) => ({
      a: c.params.a satisfies string,
    }))
    .route(["GET", "POST"], "/files/*path", ({ params }) => params.path)
    .websocket("/chat/:room", (ws) => {
      void (ws.params.room satisfies string);
      ws.on("message", (data) => void (data satisfies string | Uint8Array));
      ws.on("close", (code, reason) => void [code satisfies number, reason satisfies string]);
    })
    .sse("/events/{topic:\\w+}", (sse) => sse.subscribe(sse.params.topic satisfies string))
    .error(Broken, (_c, error) => error.part)
    .error(500, (c, error) => {
      // @ts-expect-error It may be anything.
      void error.message;
      return c.empty();
    })
    .group("/orgs/:org", (orgs) => {
      orgs.group("/teams/{team}", (teams) => {
        teams.get("/:member", ({ params: { org, team, member } }) => [org, team, member]);
      });
      orgs.websocket("/:room", (ws) => void [ws.params.org, ws.params.room]);
    });
  // @ts-expect-error It returns nothing.
  app.get("/nothing", () => {});
  // @ts-expect-error A number is no answer.
  app.get("/number", () => 42);
  expect(app.toApp()).toBeFunction();
  // A function that knows nothing of the route takes the context of any.
  expect(((c: SimpleContext) => c.path).length).toBe(1);
});

test("300 routes cost the type checker little more than none", async () => {
  expect(await leastCost(BUDGET, import.meta.dir, routes(300), routes(0))).toBeLessThan(BUDGET);
}, 60_000);

/** A file of routes, each of which uses the types of its own parameters. */
function routes(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `app.get("/section${index}/:user_${index}/{item:\\\\d+}/*rest", async (c) => {\n` +
      `  const { user_${index}: user, item, rest } = c.params;\n  return c.json({ user, item, rest });\n});\n`,
  );
  return (
    `import { Simple } from "../../../src/toolkit/simple.ts";\nconst app = new Simple();\n` +
    `app.get("/", (c) => c.text(""));\n${lines.join("")}export default app;\n`
  );
}
