import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** A row of the table of folders in CONTRIBUTING.md. */
interface Row {
  readonly folders: readonly string[];
  readonly mayImport: readonly string[];
}

const ROWS = rowsOf(readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8"));
const rowOf = new Map(ROWS.flatMap((row) => row.folders.map((folder) => [folder, row] as const)));

function rowsOf(page: string): Row[] {
  const codes = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  const lines = page.split("\n").filter((line) => /^\| `/.test(line));
  return lines.map((line) => {
    const cells = line.split("|");
    return { folders: codes(cells[1]), mayImport: codes(cells[3]) };
  });
}

/** These use no sockets, clock or files. */
const SANS_IO = ["src/http1", "src/sse", "src/websocket", "src/spec"];
/** Modules of the runtime that only compute. */
const COMPUTING = ["node:zlib"];

interface Import {
  readonly file: string;
  readonly target: string;
  /** Erased before it runs: `import type` and `export type`. */
  readonly isType: boolean;
}

const sources = [
  "index.ts",
  ...new Bun.Glob("{src,cli,adapters,middleware,testing}/**/*.ts").scanSync(ROOT),
].sort();
const all = [...sources, ...new Bun.Glob("{examples,test,bench,docs}/**/*.ts").scanSync(ROOT)].sort();

function folderOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  return top === "src" ? `src/${second}` : top;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const pattern =
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|require\("([^"]+)"\)/gms;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    target: match[2] ?? match[3] ?? match[4] ?? match[5] ?? "",
    isType: match[1] !== undefined,
  }));
}

const imports = sources.flatMap(importsOf);
const local = imports
  .filter((each) => each.target.startsWith("."))
  .map((each) => ({ ...each, target: normalize(join(dirname(each.file), each.target)) }));

describe("architecture", () => {
  test("the scan finds the project's files and imports", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(local.length).toBeGreaterThan(60);
  });

  test("imports run one way", () => {
    const wrong = local.filter(({ file, target }) => {
      const row = rowOf.get(folderOf(file));
      const to = folderOf(target);
      if (row?.folders.includes(to) === true || to === "package.json") return false;
      return row?.mayImport.includes(to) !== true;
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test("a row of the table lists only rows above it", () => {
    const above = new Set<string>();
    for (const { folders, mayImport } of ROWS) {
      expect(mayImport.filter((each) => !above.has(each))).toEqual([]);
      for (const folder of folders) above.add(folder);
    }
  });

  test("every folder has its row, and every row its folder", () => {
    const folders = [...new Set(sources.map(folderOf))];
    // The folder of middleware is there before its first file.
    expect([...rowOf.keys()].filter((folder) => folder !== "middleware").sort()).toEqual(
      folders.filter((folder) => folder !== "middleware").sort(),
    );
  });

  test("every import that a row allows is used", () => {
    const used = new Set(local.map(({ file, target }) => `${folderOf(file)} ${folderOf(target)}`));
    const unused = ROWS.flatMap(({ folders, mayImport }) =>
      mayImport
        .filter((to) => !folders.some((from) => used.has(`${from} ${to}`)))
        .map((to) => `${folders} ${to}`),
    );
    expect(unused).toEqual([]);
  });

  test("no two folders at the top import each other", () => {
    const topOf = (file: string): string => file.split("/")[0] ?? "";
    const pairs = new Set(local.map(({ file, target }) => `${topOf(file)} ${topOf(target)}`));
    const mutual = [...pairs].filter((pair) => {
      const [from, to] = pair.split(" ");
      return from !== to && pairs.has(`${to} ${from}`);
    });
    expect(mutual).toEqual([]);
  });

  test("there is no cycle of imports, type imports included", () => {
    const graph = new Map<string, string[]>();
    for (const { file, target } of local) graph.set(file, [...(graph.get(file) ?? []), target]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      else if (!done.has(file)) {
        for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
        done.add(file);
      }
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test("no file is longer than 650 lines", () => {
    const lengths = all.map(
      (file) => [file, readFileSync(join(ROOT, file), "utf8").split("\n").length - 1] as const,
    );
    expect(lengths.filter(([, length]) => length > 650)).toEqual([]);
  });

  test("a folder of the toolkit stands behind a public file of its name, or is shared by several", () => {
    const folders = new Set(
      sources.flatMap((file) => /^src\/toolkit\/([^/]+)\/[^/]+\.ts$/.exec(file)?.[1] ?? []),
    );
    const shared = [...folders].filter((folder) => !sources.includes(`src/toolkit/${folder}.ts`));
    expect(shared.sort()).toEqual(["connection", "shared", "values"]);
  });

  test("the wire folders and the specification do no input or output", () => {
    const io = imports.filter(
      ({ file, target }) => SANS_IO.includes(folderOf(file)) && !target.startsWith("."),
    );
    const runtime = io.filter(({ isType, target }) => !isType && !COMPUTING.includes(target));
    expect(runtime.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
    const clock = sources.filter(
      (file) =>
        SANS_IO.includes(folderOf(file)) &&
        /\b(setTimeout|setInterval|setImmediate|Bun\.(?!CryptoHasher|peek\b)|performance\.|Date\.now|process\.)/.test(
          readFileSync(join(ROOT, file), "utf8"),
        ),
    );
    expect(clock).toEqual([]);
  });

  test("there are no drawers", () => {
    expect(sources.filter((file) => /(^|\/)(utils?|helpers?|types|misc|common)\.ts$/.test(file))).toEqual([]);
  });

  test("every exports key is one file that exists", async () => {
    const { exports } = (await Bun.file(join(ROOT, "package.json")).json()) as {
      exports: Record<string, string | { types: string; default: string }>;
    };
    for (const entry of Object.values(exports)) {
      const target = typeof entry === "string" ? entry : entry.default;
      expect(await Bun.file(join(ROOT, target)).exists()).toBe(true);
      if (typeof entry !== "string")
        expect(entry.types).toBe(target.replace(/^\.\/(.+)\.ts$/, "./dist/types/$1.d.ts"));
    }
  });
});
