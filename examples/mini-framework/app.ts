import { z } from "zod";
import { Mini } from "./mini.ts";

/** An application that knows nothing of PAGI. */
const app = new Mini();

app.use(async ({ request }, next) => {
  // As it was sent: the decoded path may have line ends in it, and make up lines of the log.
  console.error(`${request.method} ${request.rawPath} begins`);
  const response = await next();
  console.error(`${request.method} ${request.rawPath} ends`);
  return response;
});

app.get("/", () => "Hello from a web framework built on PAGI!\n");

app.get("/hello/:name", ({ params }) => `Hello, ${params.name}!\n`);

const Sum = z.object({ numbers: z.array(z.number()).min(1).max(1000) });

app.post("/sum", async ({ request }) => {
  const { numbers } = await request.validate(Sum);
  return { sum: numbers.reduce((sum, each) => sum + each, 0) };
});

app.get("/fetch", () => new Response("A Response of the Fetch standard.\n"));

/** Who waits for company. */
let waiting: { name: string; meet: (other: string) => void } | undefined;

/** A handler may wait; the server goes on serving others, the one that it waits for among them. */
app.get("/meet/:name", async ({ request, params: { name } }) => {
  const other = waiting;
  if (other !== undefined) {
    waiting = undefined;
    other.meet(name);
    return met(name, other.name);
  }
  const { promise, resolve: meet } = Promise.withResolvers<string>();
  const own = (waiting = { name, meet });
  request.onDisconnect(() => {
    if (waiting === own) waiting = undefined;
    meet("nobody");
  });
  return met(name, await promise);
});

const met = (...names: [string, string]): string => `${names.sort().join(" and ")} have met.\n`;

export default app;
