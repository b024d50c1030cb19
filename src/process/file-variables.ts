import fs from "node:fs";

/** Names of variables that this program has given itself. */
const own = new Set<string>();

/**
 * Sets a variable that a new start of this program will find by itself, in a file that may have changed by then. It is
 * not handed to one, where it would count as given from outside.
 */
export function setOwnVariable(name: string, value: string): void {
  own.add(name);
  process.env[name] = value;
}

/** The names of all variables that this process was started with: not those of a `.env`, which Bun adds to them. */
export function inheritedVariables(): ReadonlySet<string> {
  const text = fs.readFileSync("/proc/self/environ", "utf8");
  return new Set(
    text.split("\0").flatMap((each) => (each.includes("=") ? [each.split("=", 1)[0] ?? ""] : [])),
  );
}

/** The environment of another process of this program. */
export function variablesFor({ isNewStart }: { isNewStart: boolean }): Record<string, string> {
  const entries = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || (isNewStart && own.has(name)) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
