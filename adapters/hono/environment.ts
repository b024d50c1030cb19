import type { Context } from "hono";
import type { HonoEnvironment } from "./application.ts";

/** What the server gave to the Hono application; nothing where another server runs it. */
export function environmentOf(c: Context): HonoEnvironment | undefined {
  const env: unknown = c.env;
  return isEnvironment(env) ? env : undefined;
}

function isEnvironment(env: unknown): env is HonoEnvironment {
  if (typeof env !== "object" || env === null || !("scope" in env)) return false;
  const { scope } = env;
  return typeof scope === "object" && scope !== null && "pagi.transport" in scope;
}

/** @throws TypeError where another server runs the application. */
export function requireEnvironment(c: Context, what: string): HonoEnvironment {
  const env = environmentOf(c);
  if (env !== undefined) return env;
  throw new TypeError(
    `${what} found no PAGI scope in c.env. Run the application with pagi-server, or with hono(app), and hand c.env on ` +
      "where you call another application's fetch.",
  );
}
