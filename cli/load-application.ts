import {
  describe,
  EXPECTED,
  isApplicationLike,
  isFactory,
  sentence,
  toApplication,
} from "../adapters/application-value.ts";
import { LoadError } from "../src/errors.ts";
import type { Application } from "../src/spec/application.ts";
import { splitSpec, type ApplicationSpec } from "../src/loading/application-spec.ts";
import { embeddedApplication } from "../src/loading/embedded-application.ts";
import { recognizeFactory } from "./factory-answer.ts";
import { imported, importModule, thrownText } from "../src/loading/import-module.ts";
import { printable } from "../src/system/escape-controls.ts";

/** Export names that are listed in a message. */
const MAX_LISTED = 10;

/** How an application is loaded. */
export interface LoadOptions {
  /** The export is a function that returns the application, or a promise of it. Default false. */
  readonly factory?: boolean;
  /** Modules that are imported before it. */
  readonly preload?: readonly string[];
  /** The application itself, as code; it is used where no file is named. */
  readonly eval?: string;
  /** Is given a message when the application turns out to be a factory. Default: nobody is. */
  readonly reportFactory?: ((message: string) => void) | undefined;
}

/**
 * Loads an application: the export that `spec` names after a colon (`app.ts:admin`), else the default export, else
 * the export `app`. A directory is served by the files in it. Without a spec the code of `eval` is the application. A
 * program into which an application was built loads that one.
 *
 * @throws LoadError (as a rejection), which says what was found and what is expected.
 */
export async function loadApplication(
  spec: string | undefined,
  { factory = false, preload = [], eval: code = "", reportFactory }: LoadOptions = {},
): Promise<Application> {
  if (preload.length > 0) await (await import("../src/loading/preload.ts")).preloadModules(preload);
  const embedded = embeddedApplication();
  if (embedded !== undefined) {
    const { file, exported } = embedded;
    const module = await imported(file, embedded.load);
    return await applicationOf({ file, exported, module }, factory || embedded.factory, reportFactory);
  }
  if (spec === undefined && code === "")
    throw new LoadError("There is no application to load. Name its file, such as app.ts.");
  if (spec !== undefined && (await isDirectory(spec))) return await servedDirectory(spec, factory);
  const loaded = spec === undefined ? await inline(code) : await ofFile(spec);
  return await applicationOf(loaded, factory, reportFactory);
}

async function applicationOf(
  { module, file, exported }: Loaded,
  factory: boolean,
  reportFactory: LoadOptions["reportFactory"],
): Promise<Application> {
  const found = pick(module, file, exported, factory);
  const value = factory ? await made(found.value, found.what) : found.value;
  const what = factory ? `what ${found.what} returned` : found.what;
  const app = await toApplication(value, what, (thrown) => printable(thrownText(thrown)));
  // What an adapter has made is none.
  if (factory || reportFactory === undefined || app !== value) return app;
  return recognizeFactory(app, what, (message) => reportFactory(printable(message)));
}

async function servedDirectory(root: string, factory: boolean): Promise<Application> {
  if (factory)
    throw new LoadError(`'${root}' is a directory, which has no factory. Name a file, such as app.ts.`);
  const { directory } = await import("../src/apps/directory.ts");
  return directory({ root });
}

/** Without `node:fs`, which takes longer to load than most applications. */
async function isDirectory(spec: string): Promise<boolean> {
  const file = Bun.file(spec);
  if (await file.exists()) return false;
  return await file.stat().then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}

interface Loaded extends ApplicationSpec {
  readonly module: Readonly<Record<string, unknown>>;
}

async function ofFile(spec: string): Promise<Loaded> {
  const parts = await splitSpec(spec);
  return { ...parts, module: await importModule(parts.file) };
}

async function inline(code: string): Promise<Loaded> {
  const { importCode, INLINE_NAME } = await import("../src/loading/inline-module.ts");
  const module = await imported(INLINE_NAME, () => importCode(code));
  return { module, file: INLINE_NAME, exported: undefined };
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
    factory ? isFactory(module[name]) : isApplicationLike(module[name]),
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
  if (!isFactory(factory)) {
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
