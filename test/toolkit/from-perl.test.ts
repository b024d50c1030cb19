import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

// Every name on our side of docs/from-perl.md is there, and is a method or a property as the page says.

const ROOT = join(import.meta.dir, "../..");

/** The part of the page about one module. */
interface Section {
  readonly title: string;
  /** The class whose members names without a dot are. */
  readonly owner: string | undefined;
  readonly modules: readonly string[];
  /** What stands in code, as it stands there. */
  readonly names: readonly string[];
}

function sectionsOf(page: string): Section[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [heading = "", ...lines] = text.split("\n");
      const listed = lines.filter((line) => line.startsWith("In camelCase"));
      const cells = lines
        .filter((line) => /^\| (?!Perl|-)/.test(line))
        .map((line) => line.split("|")[2] ?? "");
      return {
        title: heading.split(": `")[0] ?? "",
        owner: /: `(\w+)` of /.exec(heading)?.[1],
        modules: [...heading.matchAll(/`pagi-server\/(\w+)`/g)].map(([, name = ""]) => name),
        names: [...listed, ...cells].flatMap((part) =>
          [...part.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
        ),
      };
    });
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

const property = (value: unknown, name: string): unknown =>
  isObject(value) ? Reflect.get(value, name) : undefined;

const hasOnPrototype = (value: unknown, name: string): boolean => {
  const prototype = property(value, "prototype");
  return isObject(prototype) && name in prototype;
};

/** Where the toolkit's modules are, and what they export to a program. */
class Exports {
  readonly #values = new Map<string, unknown>();
  readonly #sources = new Map<string, string>();

  async load(module: string): Promise<void> {
    const file = join(ROOT, "src/toolkit", `${module}.ts`);
    this.#values.set(module, await import(file));
    this.#sources.set(module, await Bun.file(file).text());
  }

  /** The module that has a name, as a value or as a type, those that are given first. */
  moduleOf(name: string, preferred: readonly string[]): string | undefined {
    const word = new RegExp(`\\b${name}\\b`);
    const all = [...preferred, ...this.#values.keys()];
    return (
      all.find((module) => property(this.#values.get(module), name) !== undefined) ??
      all.find((module) => word.test(this.#sources.get(module) ?? ""))
    );
  }

  valueOf(name: string, module: string | undefined): unknown {
    return module === undefined ? undefined : property(this.#values.get(module), name);
  }
}

/** The TypeScript type of what a piece of code on the page names. */
function typeOf(code: string, section: Section, exported: Exports): string {
  const made = /^new (\w+)\(/.exec(code)?.[1];
  const [, owner = section.owner, name = ""] =
    made === undefined ? (/^(?:(\w+)\.)?(\w+)(?:\(.*\))?$/.exec(code) ?? []) : [];
  if (made === undefined && name === "") throw new Error(`'${code}' names nothing`);
  if (owner === "crypto") return `(typeof crypto)["${name}"]`;
  const own = code.includes(".") ? undefined : exported.moduleOf(made ?? name, section.modules);
  const ownValue = exported.valueOf(made ?? name, own);
  const module = owner === undefined ? undefined : exported.moduleOf(owner, section.modules);
  const ownerValue = exported.valueOf(owner ?? "", module);
  if (ownValue !== undefined && (made !== undefined || !hasOnPrototype(ownerValue, name)))
    return `(typeof import("pagi-server/${own}"))["${made ?? name}"]`;
  if (ownerValue === undefined) return `import("pagi-server/${module}").${owner}["${name}"]`;
  const type = `(typeof import("pagi-server/${module}"))["${owner}"]`;
  const isStatic = !hasOnPrototype(ownerValue, name) && property(ownerValue, name) !== undefined;
  return isStatic && code.includes(".") ? `${type}["${name}"]` : `InstanceType<${type}>["${name}"]`;
}

test("every name on our side of docs/from-perl.md is there, as a method or as a property", async () => {
  const sections = sectionsOf(await Bun.file(join(ROOT, "docs/from-perl.md")).text());
  expect(sections.length).toBeGreaterThan(20);
  const exported = new Exports();
  for (const module of new Set(sections.flatMap(({ modules }) => modules))) await exported.load(module);
  const lines = sections.flatMap((section) => {
    expect([section.title, section.modules.length > 0, section.names.length > 0]).toEqual([
      section.title,
      true,
      true,
    ]);
    return section.names.map((code) => {
      const isCalled = code.includes("(") && !code.startsWith("new ");
      const wanted = isCalled ? "called" : "not called";
      return `is<Kind<${typeOf(code, section, exported)}>>("${wanted}"); // ${section.title}: ${code}`;
    });
  });
  expect(lines.length).toBeGreaterThan(300);
  const folder = await mkdtemp(join(ROOT, "test/toolkit/.docs-"));
  try {
    const file = join(folder, "names.ts");
    const head = [
      `type Kind<T> = NonNullable<T> extends (...given: never[]) => unknown ? "called" : "not called";`,
      `declare function is<T>(kind: T): void;`,
    ];
    await Bun.write(file, [...head, ...lines, "export {};", ""].join("\n"));
    const check = Bun.spawn([process.execPath, "check", file], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    const [output, code] = await Promise.all([check.stdout.text(), check.exited]);
    const wrong = [...output.matchAll(/names\.ts[(:](\d+)/g)].map(
      ([, line]) => lines[Number(line) - head.length - 1],
    );
    expect([...new Set(wrong)]).toEqual([]);
    expect([code, output]).toEqual([0, expect.any(String)]);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 30_000);
