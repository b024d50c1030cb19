import type { FetchHandler } from "../../adapters/fetch.ts";
import type { HonoLike } from "../../adapters/hono/application.ts";
import type { NodeListener } from "../../adapters/node.ts";
import type { FastifyInstance } from "../../adapters/node/fastify.ts";
import { LoadError } from "../errors.ts";
import type { Application } from "../spec/application.ts";
import { embeddedApplication } from "./embedded-app.ts";
import { imported, importModule, thrownText } from "./import-module.ts";
import { printable } from "./printable.ts";

/** What names an application: a file, and perhaps one of its exports. */
export interface ApplicationSpec {
  readonly file: string;
  readonly exported: string | undefined;
}

type Callable = () => unknown;

interface Component {
  toApp(): unknown;
}

interface FetchObject {
  fetch: FetchHandler;
}

/** Export names that are listed in a message. */
const MAX_LISTED = 10;

const EXPECTED =
  "An application is a function (scope, receive, send), an object with toApp(), or an object with fetch(request)";

/** How an application is loaded. */
export interface LoadOptions {
  /** The export is a function that returns the application, or a promise of it. Default false. */
  readonly factory?: boolean;
  /** Modules that are imported before it. */
  readonly preload?: readonly string[];
  /** The application itself, as code; it is used where no file is named. */
  readonly eval?: string;
}

/**
 * Loads an application: the export that `spec` names after a colon (`app.ts:admin`), else the default export, else
 * the export `app`. Without a spec, and without code in its place, the current directory is served. A program into which
 * an application was built loads that one.
 *
 * @throws LoadError (as a rejection), which says what was found and what is expected.
 */
export async function loadApplication(
  spec: string | undefined,
  { factory = false, preload = [], eval: code = "" }: LoadOptions = {},
): Promise<Application> {
  if (preload.length > 0) await (await import("./preload.ts")).preloadModules(preload);
  const embedded = embeddedApplication();
  if (embedded !== undefined) {
    const { file, exported } = embedded;
    const module = await imported(file, embedded.load);
    return await applicationOf({ file, exported, module }, factory || embedded.factory);
  }
  if (spec === undefined && code === "") return servedDirectory(factory);
  return await applicationOf(spec === undefined ? await inline(code) : await ofFile(spec), factory);
}

async function applicationOf({ module, file, exported }: Loaded, factory: boolean): Promise<Application> {
  const found = pick(module, file, exported, factory);
  const value = factory ? await made(found.value, found.what) : found.value;
  return toApplication(value, factory ? `what ${found.what} returned` : found.what);
}

async function servedDirectory(factory: boolean): Promise<Application> {
  if (factory) throw new LoadError("There is no file to take a factory from. Name one, such as app.ts.");
  const { directory } = await import("../apps/directory.ts");
  return directory({ root: process.cwd() });
}

interface Loaded extends ApplicationSpec {
  readonly module: Readonly<Record<string, unknown>>;
}

async function ofFile(spec: string): Promise<Loaded> {
  const parts = await splitSpec(spec);
  return { ...parts, module: await importModule(parts.file) };
}

async function inline(code: string): Promise<Loaded> {
  const { importCode, INLINE_NAME } = await import("./inline-module.ts");
  const module = await imported(INLINE_NAME, () => importCode(code));
  return { module, file: INLINE_NAME, exported: undefined };
}

/**
 * Takes apart what names an application. A colon may also be part of the file's name; then the file exists as it is
 * written.
 *
 * @throws LoadError (as a rejection) where there is nothing before or behind the colon.
 */
export async function splitSpec(spec: string): Promise<ApplicationSpec> {
  const colon = spec.lastIndexOf(":");
  const exported = spec.slice(colon + 1);
  if (colon === -1 || exported.includes("/") || (await Bun.file(spec).exists())) {
    return { file: spec, exported: undefined };
  }
  if (colon === 0 || exported === "") {
    throw new LoadError(
      `'${spec}' names no ${colon === 0 ? "file" : "export"}. Write it as app.ts or app.ts:name.`,
    );
  }
  return { file: spec.slice(0, colon), exported };
}

/** The export to use, and how to call it in a message. */
function pick(
  module: Readonly<Record<string, unknown>>,
  file: string,
  exported: string | undefined,
  factory: boolean,
): { value: unknown; what: string } {
  const names = Object.keys(module);
  if (exported !== undefined) {
    if (Object.hasOwn(module, exported)) return { value: module[exported], what: `'${file}:${exported}'` };
    throw new LoadError(`'${file}' has no export '${exported}'. ${listed(names)}`);
  }
  const candidates = ["default", "app"].filter((name) => Object.hasOwn(module, name));
  const [first] = candidates;
  // A default export that is something else, such as settings, does not hide an application called app.
  const usable = candidates.find((name) =>
    factory ? isCallable(module[name]) : isApplicationLike(module[name]),
  );
  const name = usable ?? first;
  if (name === undefined) {
    throw new LoadError(
      `'${file}' has neither a default export nor an export 'app'. ${listed(names)} ${EXPECTED}.`,
    );
  }
  const label = name === "default" ? `the default export of '${file}'` : `the export '${name}' of '${file}'`;
  return { value: module[name], what: label };
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "It exports nothing.";
  const shown = names.slice(0, MAX_LISTED).join(", ");
  return `It exports ${shown}${names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : ""}.`;
}

async function made(factory: unknown, what: string): Promise<unknown> {
  if (!isCallable(factory) || isClass(factory)) {
    throw new LoadError(
      `${sentence(what)} is ${describe(factory)}; --factory expects a function that returns the application.`,
    );
  }
  try {
    return await factory();
  } catch (error) {
    throw new LoadError(printable(`${sentence(what)} threw as a factory: ${thrownText(error)}`), {
      cause: error,
    });
  }
}

async function toApplication(value: unknown, what: string): Promise<Application> {
  if (isExpress(value)) {
    const { fromNode } = await import("../../adapters/node.ts");
    return fromNode(value);
  }
  if (isFastify(value)) {
    const { fromFastify } = await import("../../adapters/node/fastify.ts");
    return fromFastify(value);
  }
  if (isComponent(value)) return fromComponent(value, what);
  if (!isClass(value) && isApplication(value)) return value;
  if (isHono(value)) {
    // Its helpers find in `c.env` what this gives them; Hono itself is not imported.
    const { hono } = await import("../../adapters/hono/application.ts");
    return hono(value);
  }
  if (isFetchObject(value)) {
    const { fromFetch } = await import("../../adapters/fetch.ts");
    // A method call, since handlers such as a class's own need their `this`.
    return fromFetch((request, env) => value.fetch(request, env));
  }
  throw new LoadError(`${sentence(what)} is ${describe(value)}. ${EXPECTED}.${adviceFor(value)}`);
}

function fromComponent(component: Component, what: string): Application {
  let app: unknown;
  try {
    app = component.toApp();
  } catch (error) {
    throw new LoadError(printable(`${sentence(what)} threw in toApp(): ${thrownText(error)}`), {
      cause: error,
    });
  }
  if (isApplication(app)) return app;
  throw new LoadError(
    `${sentence(what)} has a toApp() that returned ${describe(app)}; it must return a function.`,
  );
}

function isApplicationLike(value: unknown): boolean {
  return (
    (isApplication(value) && !isClass(value)) ||
    isComponent(value) ||
    isFetchObject(value) ||
    isFastify(value)
  );
}

// What a function takes and returns cannot be asked of it; that it is one is all that can be checked here.
function isApplication(value: unknown): value is Application {
  return typeof value === "function";
}

function isCallable(value: unknown): value is Callable {
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

/** An object, or a class whose static `toApp()` makes the instance, as those of the toolkit's endpoints do. */
function isComponent(value: unknown): value is Component {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    "toApp" in value &&
    typeof value.toApp === "function"
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

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** What a value is, in a few words. */
function describe(value: unknown): string {
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

function sentence(what: string): string {
  return what.charAt(0).toUpperCase() + what.slice(1);
}
