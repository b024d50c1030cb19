import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const ROOT = join(import.meta.dir, "..");

/**
 * What each layer may import. A folder that is not named here fails, so that a new one gets its place in the order:
 * spec, errors ← wire folders ← exchange ← server ← supervisor ← cli; and spec ← toolkit ← apps, middleware, adapters,
 * testing. The server may load the application side, since applications of other kinds are wrapped by an adapter.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "src/spec": ["src/errors"],
  "src/errors": ["src/spec"],
  "src/http1": ["src/spec", "src/errors"],
  "src/http2": ["src/spec", "src/errors"],
  // A WebSocket begins as a request of HTTP/1.1, whose grammar it shares.
  "src/websocket": ["src/spec", "src/errors", "src/http1"],
  "src/sse": ["src/spec", "src/errors"],
  "src/exchange": ["src/spec", "src/errors", "src/http1", "src/http2", "src/websocket", "src/sse"],
  "src/server": [
    ...["src/spec", "src/errors", "src/http1", "src/http2", "src/websocket", "src/sse", "src/exchange"],
    ...["src/apps", "adapters"],
  ],
  "src/supervisor": ["src/spec", "src/errors", "src/exchange", "src/server"],
  // A program that calls serve() may take the flags of the command line.
  "src/serve": ["src/spec", "src/errors", "src/server", "src/supervisor", "cli", "adapters"],
  "src/index": ["src/spec", "src/errors", "src/server", "src/serve"],
  "src/toolkit": ["src/spec", "src/errors"],
  "src/apps": ["src/spec", "src/errors", "src/toolkit"],
  "src/channels": ["src/spec", "src/errors", "src/toolkit"],
  // A server in memory: the rules are the server's own code. See docs/decisions/0013.
  "src/testing": [
    ...["src/spec", "src/errors", "src/http1", "src/websocket", "src/sse", "src/exchange"],
    ...["src/toolkit", "adapters"],
  ],
  // With `toFetch` they are a server themselves, on the same rules as any.
  adapters: ["src/spec", "src/errors", "src/sse", "src/exchange", "src/toolkit", "src/apps"],
  middleware: ["src/spec", "src/errors", "src/toolkit"],
  cli: ["src/spec", "src/errors", "src/server", "src/supervisor", "package.json"],
};

/** Only these may know what they stand on: Bun's sockets, the clock, the file system. */
const SANS_IO = ["src/http1", "src/http2", "src/sse", "src/spec"];

interface Import {
  readonly file: string;
  readonly target: string;
  /** Erased before it runs: `import type` and `export type`. */
  readonly isType: boolean;
}

const sources = [...new Bun.Glob("{src,cli,adapters,middleware}/**/*.ts").scanSync(ROOT)].sort();
const all = [
  ...new Bun.Glob("{src,cli,adapters,middleware,examples,test,bench,docs}/**/*.ts").scanSync(ROOT),
].sort();

function layerOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  return top === "src" ? `src/${second.replace(/\.ts$/, "")}` : top;
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
      const from = layerOf(file);
      const to = layerOf(target);
      return from !== to && !(MAY_IMPORT[from] ?? []).includes(to);
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test("every folder has its place in the order", () => {
    expect([...new Set(sources.map(layerOf))].filter((layer) => MAY_IMPORT[layer] === undefined)).toEqual([]);
  });

  test("there is no cycle of imports", () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, isType } of local) {
      if (!isType) graph.set(file, [...(graph.get(file) ?? []), target]);
    }
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
    expect(shared.sort()).toEqual(["connection", "values"]);
  });

  test("the wire folders and the specification do no input or output", () => {
    const io = imports.filter(
      ({ file, target }) => SANS_IO.includes(layerOf(file)) && !target.startsWith("."),
    );
    const runtime = io.filter(({ isType }) => !isType);
    expect(runtime.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
    const clock = sources.filter(
      (file) =>
        SANS_IO.includes(layerOf(file)) &&
        /\b(setTimeout|setInterval|setImmediate|Bun\.|performance\.|Date\.now|process\.)/.test(
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
