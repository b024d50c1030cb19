import type { FetchObject } from "./fetch.ts";
import type { HonoLike } from "./hono/application.ts";
import type { NodeListener } from "./node.ts";
import type { FastifyInstance } from "./node/fastify.ts";
import { LoadError, messageOf } from "../src/errors.ts";
import type { Application } from "../src/spec/application.ts";
import { isClass, isComponent } from "../src/toolkit/shared/component.ts";
import type { Component } from "../src/toolkit/shared/component.ts";

/** Names of keys that are listed in a message. */
const MAX_LISTED = 10;

export const EXPECTED =
  "An application is a function (scope, receive, send), an object with toApp(), or an object with fetch(request)";

/**
 * The application that a value of any kind is or makes: what a file may export, and what a test may give to its client.
 * The adapters are loaded when one is needed.
 *
 * @param what names the value in messages, in words that can begin a sentence: `the export 'app' of 'app.ts'`.
 * @param explain puts into one line what a `toApp()` has thrown.
 * @throws LoadError (as a rejection), which says what was found and what is expected.
 */
export async function toApplication(
  value: unknown,
  what: string,
  explain: (thrown: unknown) => string = messageOf,
): Promise<Application> {
  if (isExpress(value)) {
    const { fromNode } = await import("./node.ts");
    return fromNode(value);
  }
  if (isFastify(value)) {
    const { fromFastify } = await import("./node/fastify.ts");
    return fromFastify(value);
  }
  if (isComponent(value)) return fromComponent(value, what, explain);
  if (!isClass(value) && isApplication(value)) return value;
  if (isHono(value)) {
    // Its helpers find in `c.env` what this gives them; Hono itself is not imported.
    const { hono } = await import("./hono/application.ts");
    return hono(value);
  }
  if (isFetchObject(value)) {
    const { fromFetch } = await import("./fetch.ts");
    return fromFetch(value);
  }
  throw new LoadError(`${sentence(what)} is ${describe(value)}. ${EXPECTED}.${adviceFor(value)}`);
}

function fromComponent(
  component: Component,
  what: string,
  explain: (thrown: unknown) => string,
): Application {
  let app: unknown;
  try {
    app = component.toApp();
  } catch (error) {
    throw new LoadError(`${sentence(what)} threw in toApp(): ${explain(error)}`, { cause: error });
  }
  if (isApplication(app)) return app;
  throw new LoadError(
    `${sentence(what)} has a toApp() that returned ${describe(app)}; it must return a function.`,
  );
}

/** Whether a value can be made an application without calling anything. */
export function isApplicationLike(value: unknown): boolean {
  return (
    (isApplication(value) && !isClass(value)) ||
    isComponent(value) ||
    isFetchObject(value) ||
    isFastify(value)
  );
}

/** A function that can be called; what it makes is seen when it is. */
export function isFactory(value: unknown): value is () => unknown {
  return typeof value === "function" && !isClass(value);
}

// What a function takes and returns cannot be asked of it; that it is one is all that can be checked here.
function isApplication(value: unknown): value is Application {
  return typeof value === "function";
}

/** A function of Express or Connect. Any other function for `node:http` looks like an {@link Application}. */
function isExpress(value: unknown): value is NodeListener {
  return (
    typeof value === "function" &&
    "handle" in value &&
    typeof value.handle === "function" &&
    "listen" in value &&
    typeof value.listen === "function"
  );
}

function isFastify(value: unknown): value is FastifyInstance {
  return (
    typeof value === "object" &&
    value !== null &&
    "routing" in value &&
    typeof value.routing === "function" &&
    "ready" in value &&
    typeof value.ready === "function" &&
    "close" in value &&
    typeof value.close === "function"
  );
}

function isFetchObject(value: unknown): value is FetchObject {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}

/** By what a `Hono` has and no other object with `fetch`: it may come from any copy or version of the package. */
function isHono(value: unknown): value is HonoLike {
  if (!isFetchObject(value)) return false;
  return (
    ["routes", "router", "request", "basePath", "mount", "notFound"].every((name) => name in value) &&
    "routes" in value &&
    Array.isArray(value.routes)
  );
}

/** What a value is, in a few words. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (isClass(value)) return "a class";
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a promise";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") {
    const keys = Object.keys(value);
    return keys.length === 0
      ? "an object without keys"
      : `an object with ${keys.slice(0, MAX_LISTED).join(", ")}`;
  }
  return `a ${typeof value}`;
}

function adviceFor(value: unknown): string {
  if (isClass(value)) return " Export an instance of the class.";
  if (value instanceof Promise)
    return " Export what it resolves to, with await, or a function with --factory.";
  return "";
}

/** With a capital letter. */
export function sentence(what: string): string {
  return what.charAt(0).toUpperCase() + what.slice(1);
}
