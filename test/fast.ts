import fs from "node:fs";
import path from "node:path";

// `bun run test:fast`: the tests that need no program but Bun itself. A test file belongs to them unless it, or a support
// file that it imports, starts a process: a browser, a proxy, a server with its supervisor, a build. So a new test file
// is sorted by what it does, and no list has to be kept.

const TESTS = import.meta.dir;
const ROOT = path.dirname(TESTS);

/** What starts a process. */
const STARTS = /\bBun\.spawn(?:Sync)?\(|"(?:node:)?child_process"|\bchromium\.launch\(|\bBun\.\$/;

/** Whether a file of the tests or one that it imports from them starts a process. */
const known = new Map<string, boolean>();
function startsProcesses(file: string): boolean {
  const found = known.get(file);
  if (found !== undefined) return found;
  known.set(file, false); // for circles
  const text = fs.readFileSync(file, "utf8");
  const imported = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?"(\.[^"]+)"/gms)]
    .map(([, to = ""]) => path.resolve(path.dirname(file), to))
    .filter((each) => each.startsWith(`${TESTS}${path.sep}`) && fs.existsSync(each));
  const result = STARTS.test(text) || imported.some(startsProcesses);
  known.set(file, result);
  return result;
}

/** The files of the fast tests, below the root of the project. */
export function fastTests(): string[] {
  return [...new Bun.Glob("**/*.test.ts").scanSync({ cwd: TESTS, absolute: true })]
    .filter((file) => !startsProcesses(file))
    .map((file) => `./${path.relative(ROOT, file)}`)
    .sort();
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const flags = ["--timeout", "30000", "--parallel=2", "--timings=test/timings.json"];
  const command = [process.execPath, "test", ...flags, ...words, ...fastTests()];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["inherit", "inherit", "inherit"] });
  process.exitCode = await child.exited;
}
