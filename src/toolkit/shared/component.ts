import { CompositionError } from "../../errors.ts";
import type { Application } from "../../spec/application.ts";

/** Something that makes an application of itself: a router, an endpoint, a wrapped application. */
export interface Component {
  toApp(): Application;
}

/** What is taken wherever an application is wanted. A class with a static `toApp()` is a component too. */
export type ApplicationLike = Application | Component;

/** Components whose `toApp()` runs. */
const beingMade = new Set<Component>();

/**
 * The application that `thing` is or makes. Untyped code is told what it has given instead.
 *
 * @throws CompositionError when it is neither an application nor a component, when its `toApp()` makes none, and for a
 *   component that is needed to make itself.
 */
export function toApp(thing: ApplicationLike): Application {
  if (isComponent(thing)) {
    const app = made(thing);
    if (typeof app === "function") return app;
    throw new CompositionError(`toApp() returned ${nameOf(app)}; it must return an application.`);
  }
  if (typeof thing === "function" && !isClass(thing)) return thing;
  throw new CompositionError(`${beginningNameOf(thing)} ${notAnApplication(thing)}`);
}

function made(component: Component): Application {
  if (beingMade.has(component)) {
    throw new CompositionError(
      `${beginningNameOf(component)} is mounted in itself, perhaps through another; one of the mounts has to go.`,
    );
  }
  beingMade.add(component);
  try {
    return component.toApp();
  } finally {
    beingMade.delete(component);
  }
}

/**
 * Says where something is given what {@link toApp} would say later.
 *
 * @param where begins the message.
 * @throws CompositionError when it is neither an application nor a component.
 */
export function assertApplicationLike(thing: unknown, where: string): asserts thing is ApplicationLike {
  if (isComponent(thing) || (typeof thing === "function" && !isClass(thing))) return;
  throw new CompositionError(`${where}: ${nameOf(thing)} ${notAnApplication(thing)}`);
}

function notAnApplication(thing: unknown): string {
  return (
    "is no application. An application is a function (scope, receive, send) or an object with toApp()." +
    adviceFor(thing)
  );
}

/** True for an object, or a class, with a method `toApp`. */
export function isComponent(thing: unknown): thing is Component {
  return (
    ((typeof thing === "object" && thing !== null) || typeof thing === "function") &&
    "toApp" in thing &&
    typeof thing.toApp === "function"
  );
}

/** True for a class, which is no function to be called. */
export function isClass(thing: unknown): boolean {
  return typeof thing === "function" && /^class\b/.test(Function.prototype.toString.call(thing));
}

/** What a value is, in a few words within a sentence. */
export function nameOf(thing: unknown): string {
  if (thing === null || thing === undefined) return String(thing);
  if (isClass(thing)) return "a class";
  if (Array.isArray(thing)) return "a list";
  if (typeof thing !== "object") return `a ${typeof thing}`;
  const { constructor } = thing;
  return constructor === Object ? "an object" : `an object of the class ${constructor?.name ?? "null"}`;
}

/** {@link nameOf} at the beginning of a sentence; `null` and `undefined` are written as in code. */
export function beginningNameOf(thing: unknown): string {
  const name = nameOf(thing);
  return thing === null || thing === undefined ? name : `A${name.slice(1)}`;
}

/** How a function is called in messages. */
export function nameOfFunction(value: { readonly name: string }): string {
  return value.name === "" ? "without a name" : `'${value.name}'`;
}

function adviceFor(thing: unknown): string {
  if (isClass(thing)) return " Give an instance of the class.";
  if (typeof thing === "object" && thing !== null && "wrap" in thing) {
    return " This looks like a middleware, which belongs into the list before the application.";
  }
  return "";
}
