import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { LoadError } from "../../src/errors.ts";
import { loadApplication } from "../../cli/load-application.ts";
import type { Application } from "../../src/spec/application.ts";

const files: Readonly<Record<string, string>> = {
  "function.ts":
    "export default async function handler() {}; export const app = async () => {}; export const admin = async () => { throw new Error('admin') };",
  "named-app.ts": "export const app = async () => { throw new Error('app') };",
  "settings.ts": "export default { port: 3000 }; export const app = async () => { throw new Error('app') };",
  "component.ts":
    "export default { toApp() { return this.inner }, inner: async () => { throw new Error('inner') }, fetch() {} };",
  "bad-component.ts": "export default { toApp() { return 5 } };",
  "throwing-component.ts": "export default { toApp() { throw new RangeError('no routes') } };",
  // As where the server is an installed package itself, so that nothing of the stack is the user's.
  "node_modules/routing/index.js": `
    export const add = () => new Error("added here");
    export const make = (cause) => ({
      toApp() {
        const error = new Error("twice", { cause });
        error.stack = error.stack.split("\\n").filter((line) => !/ at /.test(line) || line.includes("/node_modules/")).join("\\n");
        throw error;
      },
    });`,
  "cause.ts": "import { add, make } from 'routing';\nconst cause = add();\nexport default make(cause);",
  "fetch.ts":
    "export default { name: 'world', fetch(request: Request) { return new Response(`${request.method} ${this.name}`) } };",
  "factory.ts": "export default async () => ({ toApp: () => async () => { throw new Error('made') } });",
  "factory-nothing.ts": "export default () => {};",
  "factory-throws.ts": "export default () => { throw new Error('no database') };",
  "endpoint.ts":
    "export default class { static toApp() { return async () => { throw new Error('made by the class') } } }",
  "class.ts": "export default class App { toApp() {} }",
  "promise.ts": "export default Promise.resolve(async () => {});",
  "number.ts": "export default 5;",
  "list.ts": "export default [1];",
  "null.ts": "export default null;",
  "others.ts": "export const one = 1; export function two() {}",
  "many.ts": Array.from({ length: 12 }, (_, index) => `export const e${index} = ${index};`).join("\n"),
  "nothing.ts": "const x: number = 1; void x;",
  "commonjs.cjs": "module.exports = async () => { throw new Error('cjs') };",
  "syntax.ts": "const ok = 1;\nexport default async () => {\n  let x = ;\n};",
  "syntax-twice.ts": "let a = 1; let a = 2;\nlet b = ;",
  "imports-syntax.ts": "import './syntax.ts'; export default async () => {};",
  "imports-package.ts": "import x from '@no-such-scope/no-such-package/deep'; export default x;",
  "imports-file.ts": "import x from './no-such-file.ts'; export default x;",
  "imports-export.ts": "import { three } from './others.ts'; export default three;",
  "throws.ts":
    "function connect() {\n  throw new TypeError('cannot connect\\nsecond line');\n}\nconnect();\nexport {};",
  "throws-null.ts": "throw null;",
  "with:colon.ts": "export default async () => { throw new Error('colon') };",
  "folder/app.ts": "export default async () => {};",
  "with space #1/a%20b.ts": "export default async () => { throw new Error('space') };",
};

let folder = "";
const before = process.cwd();

beforeAll(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "load-app-")));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
  fs.rmSync(folder, { recursive: true });
});

/** What a loaded application throws when it is called, which tells the applications here apart. */
async function thrownBy(app: Application): Promise<string> {
  const scope = {
    type: "lifespan",
    pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
    state: {},
  } as const;
  try {
    await app(
      scope,
      async () => ({ type: "lifespan.startup" }),
      async () => {},
    );
    return "nothing";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function refusal(spec: string | undefined, factory = false): Promise<string> {
  const error: unknown = await loadApplication(spec, { factory }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LoadError)) throw new Error(`expected a LoadError, got ${String(error)}`);
  expect(error.message).not.toContain("\n");
  return error.message;
}

describe("loadApplication takes", () => {
  const rows: [string, string, string][] = [
    ["the export after the colon", "function.ts:admin", "admin"],
    ["the default export before the export app", "function.ts", "nothing"],
    ["the default export by name", "function.ts:default", "nothing"],
    ["the export app", "named-app.ts", "app"],
    ["the export app when the default export is something else", "settings.ts", "app"],
    ["an object with toApp(), before its fetch()", "component.ts", "inner"],
    ["a class with a static toApp()", "endpoint.ts", "made by the class"],
    ["a CommonJS module", "commonjs.cjs", "cjs"],
    ["a file whose name has a colon", "with:colon.ts", "colon"],
    ["a file whose path needs care", "with space #1/a%20b.ts", "space"],
    ["a path that begins with a dot", "./folder/app.ts", "nothing"],
  ];
  test.each(rows)("%s", async (_, spec, message) => {
    expect(await thrownBy(await loadApplication(spec))).toBe(message);
  });

  test("an absolute path", async () => {
    expect(await thrownBy(await loadApplication(path.join(folder, "named-app.ts")))).toBe("app");
  });

  test("what a factory's promise gives", async () => {
    expect(await thrownBy(await loadApplication("factory.ts", { factory: true }))).toBe("made");
  });

  test("an object with fetch(request), through the fetch adapter", async () => {
    expect(await thrownBy(await loadApplication("fetch.ts"))).toContain("'lifespan'");
  });

  test("a directory, by any path to it", async () => {
    for (const name of [".", "folder", "./folder/"]) expect(await loadApplication(name)).toBeFunction();
  });
});

describe("loadApplication refuses", () => {
  const expected =
    "An application is a function (scope, receive, send), an object with toApp(), or an object with fetch(request).";
  const rows: [string, string][] = [
    ["functions.ts", "There is no file 'functions.ts'. Did you mean 'function.ts'?"],
    ["folder/ap.ts", "There is no file 'folder/ap.ts'. Did you mean 'folder/app.ts'?"],
    ["number", "There is no file 'number'. Did you mean 'number.ts'?"],
    ["./number:x", "There is no file './number'. Did you mean './number.ts'?"],
    [":app", "':app' names no file. Write it as app.ts or app.ts:name."],
    ["number.ts:", "'number.ts:' names no export. Write it as app.ts or app.ts:name."],
    ["function.ts:amdin", "'function.ts' has no export 'amdin'. It exports admin, app, default."],
    ["function.ts:toString", "'function.ts' has no export 'toString'. It exports admin, app, default."],
    ["nothing.ts:x", "'nothing.ts' has no export 'x'. It exports nothing."],
    [
      "others.ts",
      `'others.ts' has neither a default export nor an export 'app'. It exports one, two. ${expected}`,
    ],
    [
      "nothing.ts",
      `'nothing.ts' has neither a default export nor an export 'app'. It exports nothing. ${expected}`,
    ],
    ["number.ts", `The default export of 'number.ts' is a number. ${expected}`],
    ["list.ts", `The default export of 'list.ts' is a list. ${expected}`],
    ["null.ts", `The default export of 'null.ts' is null. ${expected}`],
    ["others.ts:one", `'others.ts:one' is a number. ${expected}`],
    ["class.ts", `The default export of 'class.ts' is a class. ${expected} Export an instance of the class.`],
    [
      "promise.ts",
      `The default export of 'promise.ts' is a promise. ${expected} Export what it resolves to, with await, or a function with --factory.`,
    ],
    [
      "bad-component.ts",
      "The default export of 'bad-component.ts' has a toApp() that returned a number; it must return a function.",
    ],
    ["syntax.ts", "'syntax.ts' cannot be compiled: Unexpected ; at syntax.ts:3:11"],
    [
      "syntax-twice.ts",
      `'syntax-twice.ts' cannot be compiled: "a" has already been declared at syntax-twice.ts:1:16 (and 1 more)`,
    ],
    ["imports-syntax.ts", "'imports-syntax.ts' cannot be compiled: Unexpected ; at syntax.ts:3:11"],
    [
      "imports-package.ts",
      "'imports-package.ts' cannot be imported: imports-package.ts needs '@no-such-scope/no-such-package/deep', which is not found. Install it with: bun add @no-such-scope/no-such-package",
    ],
    [
      "imports-file.ts",
      "'imports-file.ts' cannot be imported: imports-file.ts needs './no-such-file.ts', which is not found. Check its path.",
    ],
    [
      "throws.ts",
      "'throws.ts' threw while it was imported: TypeError: cannot connect\\nsecond line (at throws.ts:2:13)",
    ],
    ["throws-null.ts", "'throws-null.ts' threw while it was imported: null"],
  ];
  test.each(rows)("%s", async (spec, message) => {
    expect(await refusal(spec)).toBe(message);
  });

  test("a file in a directory that does not exist", async () => {
    expect(await refusal("no/app.ts")).toBe(
      `There is no file 'no/app.ts'. Its directory does not exist either. The current one is ${folder}.`,
    );
  });

  test("a missing export of an imported file", async () => {
    expect(await refusal("imports-export.ts")).toStartWith("'imports-export.ts' cannot be imported: ");
    expect(await refusal("imports-export.ts")).toContain("'three'");
  });

  test("a toApp() that throws", async () => {
    expect(await refusal("throwing-component.ts")).toMatch(
      /^The default export of 'throwing-component\.ts' threw in toApp\(\): RangeError: no routes \(at throwing-component\.ts:1:\d+\)$/,
    );
  });

  test("an error whose cause shows which line is to be changed", async () => {
    expect(await refusal("cause.ts")).toMatch(/Error: twice \(at cause\.ts:2:\d+\)$/);
  });

  test("without listing more than ten exports", async () => {
    expect(await refusal("many.ts")).toContain(", and 2 more.");
  });

  test("with the cause of the failure", async () => {
    const error: unknown = await loadApplication("syntax.ts").catch((thrown: unknown) => thrown);
    expect(error instanceof Error && error.cause).toBeInstanceOf(BuildMessage);
  });
});

describe("loadApplication with a factory refuses", () => {
  test("what is no function", async () => {
    expect(await refusal("fetch.ts", true)).toBe(
      "The default export of 'fetch.ts' is an object with name, fetch; --factory expects a function that returns the application.",
    );
  });

  test("a class", async () => {
    expect(await refusal("class.ts", true)).toContain("is a class; --factory expects a function");
  });

  test("one that returns nothing usable", async () => {
    expect(await refusal("factory-nothing.ts", true)).toStartWith(
      "What the default export of 'factory-nothing.ts' returned is undefined. An application is ",
    );
  });

  test("one that throws", async () => {
    expect(await refusal("factory-throws.ts", true)).toMatch(
      /^The default export of 'factory-throws\.ts' threw as a factory: Error: no database \(at factory-throws\.ts:1:\d+\)$/,
    );
  });

  test("a directory", async () => {
    expect(await refusal("folder", true)).toBe(
      "'folder' is a directory, which has no factory. Name a file, such as app.ts.",
    );
  });
});
