import { equal } from "./conformance-case.ts";
import type { ConformanceCase, ConformanceClient, ConformanceTarget, Notes } from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import type { Application, LifespanHandler } from "../../src/spec/application.ts";

/** An application with a lifespan; its http handler notes the state, puts a key into it, and changes what it holds. */
function withLifespan(lifespan: LifespanHandler, notes: Notes): Application {
  return dispatch({
    lifespan,
    async http(scope, _receive, send) {
      notes.tell("state", structuredClone(scope.state));
      scope.state["mine"] = true;
      const { shared } = scope.state;
      if (Array.isArray(shared)) shared.push("changed");
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
  });
}

function startsWith(makeState: () => Record<string, unknown>): (notes: Notes) => Application {
  return (notes) =>
    withLifespan(async (scope, receive, send) => {
      notes.tell("startup", [scope.type, (await receive()).type]);
      Object.assign(scope.state, makeState());
      await send({ type: "lifespan.startup.complete" });
      notes.tell("shutdown", (await receive()).type);
      await send({ type: "lifespan.shutdown.complete" });
    }, notes);
}

async function visit(client: ConformanceClient): Promise<void> {
  equal((await client.request({ target: "/" })).status, 204, "status");
}

/** The lifespan of an application whose start succeeds. */
export const LIFESPAN_CASES: readonly ConformanceCase[] = [
  {
    name: "startup comes before the first request, shutdown after the last",
    source: "Lifespan, Startup; Lifespan, Shutdown",
    app: startsWith(() => ({})),
    async check(client, notes) {
      equal(await notes.heard("startup"), ["lifespan", "lifespan.startup"], "the startup");
      await visit(client);
      await client.stop();
      equal(await notes.heard("shutdown"), "lifespan.shutdown", "the shutdown");
    },
  },
  {
    name: "requests have a copy of the state, which is shallow",
    source: "Lifespan, Lifespan State",
    app: startsWith(() => ({ shared: ["first"] })),
    async check(client, notes) {
      await visit(client);
      await visit(client);
      equal(await notes.heard("state"), { shared: ["first"] }, "the state of the first request");
      equal(await notes.heard("state"), { shared: ["first", "changed"] }, "the state of the second request");
    },
  },
  {
    name: "an application that throws for lifespan is served all the same",
    source: "Lifespan, Scope",
    app: (notes) =>
      withLifespan(async () => {
        throw new Error("no lifespan here");
      }, notes),
    check: visit,
  },
  {
    name: "an application that returns from lifespan is served all the same",
    source: "Lifespan, Scope",
    app: (notes) => withLifespan(async () => {}, notes),
    check: visit,
  },
  {
    name: "the lifespan scope says who runs it",
    source: "Lifespan, Scope",
    app: (notes) =>
      withLifespan(async ({ pagi }, receive, send) => {
        notes.tell("pagi", [pagi.version, pagi.is_worker]);
        await receive();
        await send({ type: "lifespan.startup.complete" });
      }, notes),
    async check(_client, notes) {
      equal(await notes.heard("pagi"), ["0.3", 0], "pagi");
    },
  },
];

/** What an application that refuses to start does to its server. @throws what does not hold. */
export async function checkRefusedStart(target: ConformanceTarget): Promise<void> {
  const app = dispatch({
    async lifespan(_scope, receive, send) {
      await receive();
      await send({ type: "lifespan.startup.failed", message: "the disk is full" });
    },
  });
  let client: ConformanceClient;
  try {
    client = await target.serve(app, {});
  } catch (error) {
    equal(String(error).includes("the disk is full"), true, "the error says why");
    return;
  }
  await client.dispose();
  throw new Error("Lifespan, Startup Failed: the server started although the application had refused.");
}
