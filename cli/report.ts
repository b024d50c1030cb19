import { messageOf, OptionError, PagiError } from "../src/errors.ts";
import { declarationOf, OPTION_NAMES, type ServerOptions } from "../src/server/option-table.ts";
import { formatValue } from "../src/server/option-values.ts";
import { printable } from "../src/server/printable.ts";
import type { Given } from "./given.ts";

/** Exit codes: a wrong command line or environment, and everything else that keeps the server from starting. */
const EXIT = { usage: 2, failure: 1 } as const;

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  return error instanceof OptionError ? EXIT.usage : EXIT.failure;
}

/** What was thrown, as one line; with `debug` the error with its stack and causes follows. */
export function failureText(error: unknown, debug: boolean): string {
  const isOurs = error instanceof PagiError;
  const name = error instanceof Error ? error.name : "error";
  const message = isOurs ? error.message : `Unexpected ${name}: ${messageOf(error)}`;
  const line = `pagi-server: ${printable(message)}`;
  if (debug) return `${line}\n${Bun.inspect(error)}`;
  return isOurs ? line : `${line} (--log-level debug shows where)`;
}

/** What this is, in which version, and what it stands on. */
export async function versionText(): Promise<string> {
  const { default: manifest } = await import("../package.json");
  const { PAGI_VERSION } = await import("../src/spec/scope.ts");
  return `pagi-server ${manifest.version} (PAGI ${PAGI_VERSION}, Bun ${Bun.version})`;
}

/** What is served where, for standard error. */
export function bannerText(
  application: string | undefined,
  options: ServerOptions,
  urls: readonly string[],
): string {
  const what = application ?? "the current directory";
  const where = printable(urls.join(" and "));
  const lines = [`Serving ${printable(what)} at ${where} (${environmentText(options)})`];
  if (options.env === "development" && urls.every(isLoopback)) {
    lines.push("Only this machine can connect; --host 0.0.0.0 lets others in. Ctrl-C stops the server.");
  }
  return lines.join("\n");
}

/** All options, one a line: name, value, origin. */
export function configText(application: string | undefined, options: ServerOptions, given: Given): string {
  const rows = OPTION_NAMES.map((name): [string, string, string] => {
    const origin = given.origins[name];
    return [
      name,
      formatValue(declarationOf(name), options[name]),
      origin === undefined ? "default" : `${origin} ${given.names[name] ?? ""}`,
    ];
  });
  rows.unshift([
    "application",
    application ?? "the current directory",
    application === undefined ? "default" : "argument",
  ]);
  const [first, second] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => printable(row[column] ?? "").length)),
  );
  return rows
    .map(
      ([name, value, origin]) =>
        `${name.padEnd(first ?? 0)}  ${printable(value).padEnd(second ?? 0)}  ${origin}`,
    )
    .join("\n");
}

function environmentText(options: ServerOptions): string {
  return options.env === "none" ? "no environment" : options.env;
}

function isLoopback(url: string): boolean {
  return /^https?:\/\/(?:localhost|127\.[\d.]+|\[::1\])[:/]/.test(url);
}
