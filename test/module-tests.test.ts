import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const scan = (pattern: string): string[] => [...new Bun.Glob(pattern).scanSync(ROOT)].sort();

const modules = scan("{src,cli,adapters,middleware,testing}/**/*.ts");
const tests = scan("test/**/*.test.ts");

/** `src/http1/framing.ts` is tested below `test/http1`, `cli/help.ts` below `test/cli`. */
const mirrored = (module: string): string => `test/${module.replace(/^src\//, "")}`;

/** Whether a test file has the module's name, or its name and a subject: `router.test.ts`, `router-mounts.test.ts`. */
function hasItsOwn(module: string): boolean {
  const [top = "", room = ""] = mirrored(module).split("/");
  const name = basename(module, ".ts");
  return tests.some((file) => {
    if (!file.startsWith(`${top}/${room}/`)) return false;
    const tested = basename(file, ".test.ts");
    return tested === name || (tested.startsWith(`${name}-`) && dirname(file) === dirname(mirrored(module)));
  });
}

/** A line of a README that says where modules are tested: "- `a.ts`, `folder/`: tested by `test/b.test.ts`". */
const LINE = /^- (`.*`): tested by (`.*`)/gm;
const codes = (text = ""): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

interface Promised {
  readonly readme: string;
  readonly modules: readonly string[];
  readonly tests: readonly string[];
}

const promised = scan("{src,cli,adapters,middleware,testing}/**/README.md").flatMap((readme): Promised[] =>
  [...readFileSync(join(ROOT, readme), "utf8").matchAll(LINE)].map(([, left, right]) => ({
    readme,
    modules: codes(left).map((name) => join(dirname(readme), name)),
    tests: codes(right),
  })),
);

test("each module has a test file of its name, or a README says where it is tested", () => {
  const named = promised.flatMap((line) => line.modules);
  const unknown = modules.filter((module) => {
    if (hasItsOwn(module)) return false;
    return !named.some((each) => each === module || (each.endsWith("/") && module.startsWith(each)));
  });
  expect(unknown).toEqual([]);
});

test("what a README says about tests is there", () => {
  const missing = promised.flatMap(({ readme, modules: named, tests: files }) => [
    ...named.filter((each) => !existsSync(join(ROOT, each))).map((each) => `${readme}: ${each}`),
    ...files
      .filter((pattern) => !tests.some((file) => new Bun.Glob(pattern).match(file)))
      .map((each) => `${readme}: ${each}`),
  ]);
  expect(missing).toEqual([]);
});
