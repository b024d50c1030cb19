import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { LoadError, messageOf, OptionError } from "../src/errors.ts";
import { importProblem } from "../src/loading/import-module.ts";
import { splitSpec } from "../src/loading/application-spec.ts";
import { missingFileProblem } from "../src/loading/missing-file.ts";
import { printable } from "../src/system/escape-controls.ts";
import { writeLine } from "../src/logging/terminal.ts";
import { danglingLinkProblem } from "../src/system/dangling-link.ts";
import { similarName } from "../src/spec/nearest-name.ts";

/** What `pagi-server build` is told. */
interface BuildRequest {
  /** `app.ts` or `app.ts:export`. */
  readonly application: string;
  /** Where the binary goes. */
  readonly output: string;
  /** Files and folders that go into it. */
  readonly assets: readonly string[];
  /** `bun-linux-arm64`, ...; absent for this machine. */
  readonly target: Bun.Build.CompileTarget | undefined;
  /** The export is a function that returns the application. */
  readonly factory: boolean;
}

const FLAGS = {
  output: { type: "string", short: "o" },
  asset: { type: "string", multiple: true },
  target: { type: "string" },
  factory: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = `Usage: pagi-server build FILE[:EXPORT] [-o OUTPUT] [--asset PATH]...

Makes one binary of the server, the application and everything that it imports. The binary takes every
flag of pagi-server and needs nothing else: no Bun, no node_modules.

  -o, --output PATH   Where the binary goes (default: FILE without its extension, here)
  --asset PATH        A file or folder that goes into the binary; the application finds it as
                      join(import.meta.dir, NAME). Repeatable
  --target NAME       The system it is for, such as bun-linux-arm64 (default: this one). Bun downloads
                      its runtime for another one
  --factory           The export is a function that returns the application
  -h, --help          Print this help, then end

A file whose name is build is served as ./build.`;

/** The modules that put everything together; they are in memory only, beside the application. */
const ENTRY = "pagi-server-entry.ts";
const EMBEDDING = "pagi-server-embedding.ts";
/**
 * The sources of this package, from `cli/main.ts` and from the bundle in `dist` alike. Not by `import.meta.dir`, in whose
 * place a bundle has the folder in which it was made.
 */
const SOURCES = path.join(path.dirname(Bun.main), "..");

/**
 * Makes a binary as the words ask. Resolves with the exit code.
 *
 * @throws OptionError for wrong words; LoadError for an application or a file that is not there, or cannot be compiled.
 */
export async function build(words: readonly string[]): Promise<number> {
  const request = readRequest(words);
  if (request === "help") {
    writeLine(1, HELP);
    return 0;
  }
  const size = await makeBinary(request);
  writeLine(2, `Built ${printable(request.output)} (${Math.round(size / 1e6)} MB)`);
  return 0;
}

function readRequest(words: readonly string[]): BuildRequest | "help" {
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options: FLAGS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const flag = Object.entries(FLAGS).find(([name]) => name === token.name)?.[1];
    if (flag === undefined) throw new OptionError(token.rawName, unknown(token.name));
    // A flag behind one that needs a value is its value to parseArgs.
    const isMissing = token.value === undefined || (!token.inlineValue && token.value.startsWith("-"));
    if (flag.type === "string" && (isMissing || token.value === ""))
      throw new OptionError(token.rawName, "needs a value.");
    if (flag.type === "boolean" && token.value !== undefined)
      throw new OptionError(token.rawName, "takes no value.");
  }
  if (values.help === true) return "help";
  const [application, second] = positionals;
  if (application === undefined || application === "")
    throw new OptionError("build", "name the application's file: pagi-server build app.ts");
  if (second !== undefined) throw new OptionError(second, "only one application goes into a binary.");
  const assets = (values.asset ?? []).flatMap((each) => (typeof each === "string" ? [each] : []));
  return {
    application,
    output: typeof values.output === "string" ? values.output : defaultOutput(application),
    assets,
    target: targetOf(values.target),
    factory: values.factory === true,
  };
}

function unknown(name: string): string {
  const similar = similarName(name, Object.keys(FLAGS));
  const question = similar === undefined ? "" : ` Did you mean --${similar}?`;
  return `build has no such flag.${question} Flags of the server are given to the binary; see build --help.`;
}

function defaultOutput(application: string): string {
  const { name } = path.parse(application.replace(/(\.\w+):\w+$/, "$1"));
  return name;
}

function targetOf(given: string | boolean | undefined): Bun.Build.CompileTarget | undefined {
  if (typeof given !== "string") return undefined;
  if (!isTarget(given)) throw new OptionError("--target", `'${given}' is none; bun-linux-arm64 is one.`);
  return given;
}

/** Which ones there are, Bun knows. */
function isTarget(name: string): name is Bun.Build.CompileTarget {
  return /^bun-[a-z]+-/.test(name);
}

/** @returns its size in bytes. */
async function makeBinary(request: BuildRequest): Promise<number> {
  const { file, exported } = await splitSpec(request.application);
  if (!(await Bun.file(file).exists())) throw new LoadError(missingFileProblem(file));
  const output = path.resolve(request.output);
  checkOutput(output, file);
  checkAssets(request.assets);
  const folder = path.dirname(path.resolve(file));
  const [entry, embedding] = [path.join(folder, ENTRY), path.join(folder, EMBEDDING)];
  // A server that runs from the old binary keeps that until it is started anew, and never sees half of the new one.
  const draft = `${output}.${randomUUID()}`;
  try {
    await Bun.build({
      entrypoints: [entry],
      files: { [entry]: entryText(), [embedding]: embeddingText(request, path.resolve(file), exported) },
      target: "bun",
      format: "esm",
      // Both halve the time of a start: docs/decisions/0010.
      bytecode: true,
      splitting: true,
      minify: { syntax: true, whitespace: true },
      compile: {
        outfile: draft,
        assets: request.assets.map((each) => path.resolve(each)),
        // What stands in the folder where a server happens to be started must not run in it.
        autoloadBunfig: false,
        ...(request.target === undefined ? {} : { target: request.target }),
      },
    });
    fs.renameSync(draft, output);
  } catch (error) {
    if (error instanceof AggregateError)
      throw new LoadError(printable(importProblem(file, error)), { cause: error });
    throw new LoadError(printable(`'${request.output}' cannot be made: ${messageOf(error)}`), {
      cause: error,
    });
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return fs.statSync(output).size;
}

function checkOutput(output: string, file: string): void {
  if (output === path.resolve(file))
    throw new OptionError("--output", `'${file}' is the application itself. Name another file.`);
  if (fs.statSync(output, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new OptionError("--output", `'${output}' is a directory. Name a file.`);
  const folder = path.dirname(output);
  if (!fs.existsSync(folder)) throw new OptionError("--output", missing(folder, "directory"));
}

function missing(location: string, what: string): string {
  return `${danglingLinkProblem(location) ?? `there is no ${what} '${location}'`}.`;
}

/** Each goes into the binary under its own name, so two of one name would be one. */
function checkAssets(assets: readonly string[]): void {
  const names = new Map<string, string>();
  for (const asset of assets) {
    if (!fs.existsSync(asset)) throw new OptionError("--asset", missing(asset, "file or folder"));
    const name = path.basename(path.resolve(asset));
    const other = names.get(name);
    if (other !== undefined && path.resolve(other) !== path.resolve(asset))
      throw new OptionError("--asset", `'${asset}' and '${other}' would both be ${name}. Rename one.`);
    names.set(name, asset);
  }
}

/** The application is embedded before the command line, which starts as it is imported, looks for it. */
function entryText(): string {
  return `import ${JSON.stringify(`./${EMBEDDING}`)};\nimport ${JSON.stringify(path.join(SOURCES, "cli/main.ts"))};\n`;
}

function embeddingText(request: BuildRequest, file: string, exported: string | undefined): string {
  const name = path.basename(file) + (exported === undefined ? "" : `:${exported}`);
  const module = JSON.stringify(path.join(SOURCES, "src/loading/embedded-application.ts"));
  return `import { embedApplication } from ${module};
embedApplication({
  name: ${JSON.stringify(name)},
  file: ${JSON.stringify(path.basename(file))},
  exported: ${JSON.stringify(exported)},
  factory: ${request.factory},
  load: () => import(${JSON.stringify(file)}),
});
`;
}
