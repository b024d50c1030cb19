import { RouteError } from "../../errors.ts";
import { similarName } from "../../spec/nearest-name.ts";
import type { ApplicationLike } from "../shared/component.ts";
import type { MiddlewareLike } from "../middleware.ts";
import type { PathValue, RoutePattern } from "./route-pattern.ts";
import { constrained, encodeValue, parsePattern, pathOf } from "./route-pattern.ts";

/** The methods of an http route, or all of them. */
export type Methods = readonly string[] | "*";

/** One route as it was written down. */
export interface Route {
  readonly type: "http" | "websocket" | "sse";
  /** Of use for http only. */
  readonly methods: Methods;
  pattern: RoutePattern;
  readonly constraints: Record<string, RegExp>;
  /** The outermost first. */
  readonly middleware: readonly MiddlewareLike[];
  readonly target: ApplicationLike;
  /** Its stack shows where that was; `constraints()` behind it may still make it another route than it seems there. */
  readonly registration: Error;
}

/** An application under a prefix. */
export interface Mount {
  readonly prefix: RoutePattern;
  readonly middleware: readonly MiddlewareLike[];
  readonly target: ApplicationLike;
  /** As that of a {@link Route}. */
  readonly registration: Error;
}

interface NamedRoute {
  /** Where the router of the route is mounted; a pattern. */
  readonly prefix: string;
  readonly route: Route;
}

/** What `name()`, `constraints()` and `as()` are about. */
type Last =
  | { readonly kind: "nothing" }
  | { readonly kind: "route"; readonly route: Route }
  | { readonly kind: "mount"; readonly mount: Mount; readonly names: RouteTable | undefined }
  | { readonly kind: "group"; readonly names: readonly string[] };

/** A query for `uriFor`: several values of a name are a list; what is undefined is left out. */
export type QueryValues = Readonly<Record<string, PathValue | readonly PathValue[] | undefined>>;

/** A name, and the pattern that it stands for. */
export interface RouteName {
  /** With the prefixes of groups and mounts. */
  readonly path: string;
  /** The parameters, in order. */
  readonly names: readonly string[];
}

const NOTHING: Last = { kind: "nothing" };

/** What a router and its groups have registered, until it is made an application. */
export class RouteTable {
  readonly routes: Route[] = [];
  readonly mounts: Mount[] = [];
  readonly #named = new Map<string, NamedRoute>();
  #last: Last = NOTHING;
  #isFrozen = false;

  freeze(): void {
    this.#isFrozen = true;
  }

  addRoute(route: Route): void {
    this.#assertOpen();
    this.routes.push(route);
    this.#last = { kind: "route", route };
  }

  /** @param names the routes that `as()` can name. */
  addMount(mount: Mount, names?: RouteTable): void {
    this.#assertOpen();
    this.mounts.push(mount);
    this.#last = { kind: "mount", mount, names };
  }

  /** Runs what registers the routes of a group; `as()` behind it is about their names. */
  addGroup(register: () => void): void {
    this.#assertOpen();
    const before = new Set(this.#named.keys());
    register();
    this.#last = { kind: "group", names: [...this.#named.keys()].filter((name) => !before.has(name)) };
  }

  /** Copies the routes, mounts and names of another table under a prefix. */
  include(other: RouteTable, prefix: string, middleware: readonly MiddlewareLike[]): void {
    const copies = new Map<Route, Route>();
    for (const route of [...other.routes]) {
      const pattern = constrained(parsePattern(prefix + route.pattern.text), route.constraints);
      const copy = { ...route, pattern, middleware: [...middleware, ...route.middleware] };
      copies.set(route, copy);
      this.addRoute(copy);
    }
    for (const mount of [...other.mounts]) {
      this.addMount({
        ...mount,
        prefix: parsePattern(prefix + mount.prefix.text),
        middleware: [...middleware, ...mount.middleware],
      });
    }
    for (const [name, { prefix: inner, route }] of [...other.#named]) {
      const copy = copies.get(route);
      if (copy !== undefined) this.#addName(name, { prefix: inner, route: copy });
      else this.#addName(name, { prefix: prefix + inner, route });
    }
  }

  nameLast(name: string): void {
    this.#assertOpen();
    if (this.#last.kind !== "route") throw new RouteError("name() names the route before it; there is none.");
    if (name === "") throw new RouteError("A route's name cannot be empty.");
    this.#addName(name, { prefix: "", route: this.#last.route });
  }

  constrainLast(constraints: Readonly<Record<string, RegExp>>): void {
    this.#assertOpen();
    if (this.#last.kind !== "route") {
      throw new RouteError("constraints() is about the route before it; there is none.");
    }
    const { route } = this.#last;
    route.pattern = constrained(route.pattern, constraints);
    Object.assign(route.constraints, constraints);
  }

  namespaceLast(namespace: string): void {
    this.#assertOpen();
    if (namespace === "") throw new RouteError("A namespace cannot be empty.");
    const last = this.#last;
    if (last.kind === "group") {
      for (const name of last.names) {
        const named = this.#named.get(name);
        if (named === undefined) continue;
        this.#addName(`${namespace}.${name}`, named);
        this.#named.delete(name);
      }
      this.#last = NOTHING;
      return;
    }
    if (last.kind !== "mount") {
      throw new RouteError("as() is about the mount or group before it; there is none.");
    }
    if (last.names === undefined) {
      throw new RouteError("as() needs a Router to be mounted; any other application has no names.");
    }
    const { mount } = last;
    for (const [name, { prefix, route }] of [...last.names.#named]) {
      this.#addName(`${namespace}.${name}`, { prefix: mount.prefix.text + prefix, route });
    }
  }

  names(): Record<string, RouteName> {
    return Object.fromEntries(
      [...this.#named].map(([name, named]) => {
        const { text, names } = patternOf(named);
        return [name, { path: text, names }];
      }),
    );
  }

  uriFor(
    name: string,
    parameters: Readonly<Record<string, PathValue | undefined>>,
    query: QueryValues,
  ): string {
    const named = this.#named.get(name);
    if (named === undefined) throw this.#noRoute(name);
    const path = pathOf(patternOf(named), parameters);
    const text = queryOf(query);
    return text === "" ? path : `${path}?${text}`;
  }

  #noRoute(name: string): RouteError {
    const similar = similarName(name, this.#named.keys());
    const advice = similar === undefined ? "name() gives one to the route before it" : `is it '${similar}'?`;
    return new RouteError(
      `There is no route with the name '${name}'; ${advice}${similar === undefined ? "." : ""}`,
    );
  }

  #addName(name: string, named: NamedRoute): void {
    if (this.#named.has(name)) throw new RouteError(`There is a route with the name '${name}' already.`);
    this.#named.set(name, named);
  }

  #assertOpen(): void {
    if (!this.#isFrozen) return;
    throw new RouteError(
      "The router has been made an application, and takes no more routes. Add them before toApp() or serving.",
    );
  }
}

function patternOf({ prefix, route }: NamedRoute): RoutePattern {
  if (prefix === "") return route.pattern;
  const outer = parsePattern(prefix);
  return {
    text: prefix + route.pattern.text,
    segments: [...outer.segments, ...route.pattern.segments],
    names: [...outer.names, ...route.pattern.names],
  };
}

/** Sorted by name, so that the same values always make the same address. */
function queryOf(query: QueryValues): string {
  const pairs: string[] = [];
  for (const name of Object.keys(query).sort()) {
    const value = query[name];
    const values = Array.isArray(value) ? value : [value];
    for (const each of values) {
      if (each !== undefined && each !== null)
        pairs.push(`${encodeValue(name)}=${encodeValue(String(each))}`);
    }
  }
  return pairs.join("&");
}
