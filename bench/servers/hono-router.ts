import { Hono } from "hono";
import { answerTo, ROUTES } from "./routes.ts";

/** The 100 routes, in Hono. */
export const app = new Hono();

for (const { method, path } of ROUTES) {
  app[method](path, (context) => context.json(answerTo(context.req.param("id") ?? "")));
}
