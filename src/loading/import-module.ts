import { LoadError } from "../errors.ts";
import { stackFrames } from "../spec/stack-frames.ts";
import { printable } from "../system/escape-controls.ts";

/**
 * Imports a file.
 *
 * @throws LoadError (as a rejection), which says where it is wrong.
 */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  // What is wrong with a path is found out with node:fs, which takes longer to load than most applications.
  if (!(await Bun.file(file).exists())) {
    const { missingFileProblem } = await import("./missing-file.ts");
    throw new LoadError(missingFileProblem(file));
  }
  return await imported(file, async () => {
    try {
      return await import(Bun.pathToFileURL(file).href);
    } catch (error) {
      // Bun reports an unreadable file as one that it cannot find.
      const { unreadableProblem } = await import("./missing-file.ts");
      const problem = unreadableProblem(file);
      if (problem !== undefined) throw new LoadError(problem, { cause: error });
      throw error;
    }
  });
}

/** What `load` imports; an error in it is said to be one of `label`. */
export async function imported(
  label: string,
  load: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof LoadError) throw error;
    throw new LoadError(printable(importProblem(label, error)), { cause: error });
  }
}

/** Why a file cannot be imported or compiled, as a sentence. */
export function importProblem(file: string, error: unknown): string {
  // Several errors of one build come together; the first is where to begin.
  if (error instanceof AggregateError && error.errors.length > 0) {
    const [first]: unknown[] = error.errors;
    const more = error.errors.length - 1;
    return `${importProblem(file, first)}${more === 0 ? "" : ` (and ${more} more)`}`;
  }
  if (error instanceof BuildMessage) {
    const { position } = error;
    const where =
      position === null ? file : `${shortened(position.file)}:${position.line}:${position.column}`;
    return `'${file}' cannot be compiled: ${error.message} at ${where}`;
  }
  if (error instanceof ResolveMessage) return unresolved(file, error);
  if (error instanceof SyntaxError) return `'${file}' cannot be imported: ${error.message}`;
  return `'${file}' threw while it was imported: ${thrownText(error)}`;
}

function unresolved(file: string, error: ResolveMessage): string {
  const { specifier } = error;
  const importer = error.referrer === "" ? file : shortened(error.referrer);
  const isFile = specifier.startsWith(".") || specifier.startsWith("/");
  const advice = isFile ? "Check its path." : `Install it with: bun add ${packageOf(specifier)}`;
  return `'${file}' cannot be imported: ${importer} needs '${specifier}', which is not found. ${advice}`;
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/**
 * Where an error was thrown, as its stack says, or else that of its cause: the first place outside of installed packages,
 * else the first.
 */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const places = [...stackPlaces(error), ...stackPlaces(error.cause)];
  const place = places.find((each) => !each.includes("/node_modules/")) ?? places[0];
  return place === undefined ? undefined : shortened(place);
}

function stackPlaces(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return stackFrames(error).flatMap((frame) => /^at (?:.*\()?(\/.+:\d+:\d+)\)?$/.exec(frame)?.[1] ?? []);
}

/** Relative to the current directory where the file is in it. */
function shortened(location: string): string {
  const here = `${process.cwd()}/`;
  return location.startsWith(here) ? location.slice(here.length) : location;
}

/** What was thrown, and where. */
export function thrownText(error: unknown): string {
  const where = placeOf(error);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return where === undefined ? text : `${text} (at ${where})`;
}
