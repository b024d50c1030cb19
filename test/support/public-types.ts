import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** One field of a public type, with its type as it is written. */
export interface PublicField {
  readonly name: string;
  readonly type: string;
}

/** The declaration of an interface or an alias, wherever it stands. */
interface Declaration {
  readonly parents: readonly string[];
  readonly body: string;
}

const sources = [...new Bun.Glob("{src,adapters,testing,cli}/**/*.ts").scanSync(ROOT)].sort();
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** Names that the entry points of the package export, read from their text. */
export function publicNames(): Set<string> {
  const { exports }: { exports: Record<string, { default?: string } | string> } = JSON.parse(
    textOf("package.json"),
  );
  const names = new Set<string>();
  for (const entry of Object.values(exports)) {
    const file = typeof entry === "string" ? entry : entry.default;
    if (file?.endsWith(".ts") === true) for (const name of namesOf(relative(".", file))) names.add(name);
  }
  return names;
}

function namesOf(file: string): string[] {
  const text = textOf(file);
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gms)].flatMap(([, list = ""]) =>
    list.split(",").map(
      (each) =>
        each
          .replace(/^\s*type\s/, "")
          .split(" as ")
          .at(-1)
          ?.trim() ?? "",
    ),
  );
  const own = [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name = ""]) => name);
  const passedOn = [...text.matchAll(/^export \* from "([^"]+)"/gm)].flatMap(([, target = ""]) =>
    namesOf(join(dirname(file), target)),
  );
  return [...listed, ...own, ...passedOn].filter((name) => name !== "");
}

const INTERFACE = /^export interface (\w+)(?:<[^{]*>)?(?: extends ([^{]+))? \{(.*?)(?:^\}|(?<=\{)\})/gms;

const declarations = new Map<string, Declaration>();
for (const file of sources) {
  const text = textOf(file);
  for (const match of text.matchAll(INTERFACE)) {
    const [, name = "", parents = "", body = ""] = match;
    // The same name in another folder is another type; the one that is exported by name comes first.
    if (!declarations.has(name)) declarations.set(name, { parents: splitTypes(parents), body });
  }
}

/** At the commas that are in no angle brackets. */
function splitTypes(list: string): string[] {
  return (list.match(/\w+(?:<[^>]*>)?/g) ?? []).map((each) => each.trim());
}

/** The fields of an interface and of those that it extends; undefined for another kind of type. */
export function publicFields(name: string): PublicField[] | undefined {
  const declaration = declarations.get(name);
  if (declaration === undefined) return undefined;
  const body = declaration.body.replace(/\/\*\*.*?\*\//gs, "");
  const own = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:\s*(.*?);$/gms)].map(
    ([, field = "", type = ""]): PublicField => ({ name: field, type }),
  );
  return [...declaration.parents.flatMap(inherited), ...own];
}

function inherited(parent: string): PublicField[] {
  const [, kind, base = parent, keys = ""] = /^(Omit|Pick)<(\w+),(.*)>$/s.exec(parent) ?? [];
  const listed = new Set([...keys.matchAll(/"(\w+)"/g)].map(([, key]) => key));
  const fields = publicFields(base) ?? [];
  return kind === undefined ? fields : fields.filter(({ name }) => (kind === "Pick") === listed.has(name));
}
