import fs from "node:fs";
import path from "node:path";

import { messageOf, OptionError, PagiError } from "../src/errors.ts";
import { declarationOf, OPTION_NAMES, type OptionName, type ServerOptions } from "../src/options/table.ts";
import { formatValue } from "../src/options/value-text.ts";
import { createLogger } from "../src/logging/logger.ts";
import type { Logger } from "../src/logging/logger.ts";
import { printable } from "../src/system/escape-controls.ts";
import { writeLine } from "../src/logging/terminal.ts";
import type { Configuration } from "./configure.ts";

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

/** Reports on standard error why the server does not start, in the format of the log. */
export function reportFailure(
  error: unknown,
  { isDebug, isJson }: { readonly isDebug: boolean; readonly isJson: boolean },
): void {
  if (isJson) jsonLogger().error(failureText(error, false), isDebug ? error : undefined);
  else writeLine(2, failureText(error, isDebug));
}

/** Prints the banner on standard error, in the format of the log. */
export function reportServing(
  application: string | undefined,
  options: ServerOptions,
  urls: readonly string[],
  decided: Decided,
  note: string | undefined,
): void {
  const text = bannerText(application, options, urls, decided, note);
  if (options.logFormat === "json") jsonLogger().info(text.replaceAll("\n", " "));
  else writeLine(2, text);
}

/** Writes regardless of the log level. */
function jsonLogger(): Logger {
  return createLogger("info", false, undefined, { format: "json" });
}

/** What this is, in which version, and what it stands on. */
export async function versionText(): Promise<string> {
  const { default: manifest } = await import("../package.json");
  const { PAGI_VERSION } = await import("../src/spec/scope.ts");
  return `pagi-server ${manifest.version} (PAGI ${PAGI_VERSION}, Bun ${Bun.version})`;
}

/** What a start has decided because nobody said it; the banner says it instead. */
export interface Decided {
  /** Nobody named the application; it was found. */
  readonly application: boolean;
  /** The mode depends on whether there is a terminal. */
  readonly mode: boolean;
}

/** What is served where, for standard error. */
function bannerText(
  application: string | undefined,
  options: ServerOptions,
  urls: readonly string[],
  decided: Decided,
  note: string | undefined,
): string {
  const what = `${printable(servedText(application, options))}${decided.application ? ", found here," : ""}`;
  const where = printable(urls.join(" and "));
  const why =
    decided.mode && options.env === "production"
      ? ", because there is no terminal; -E development changes it"
      : "";
  const lines = [`Serving ${what} at ${where} (${environmentText(options)}${why})`];
  if (options.env === "development" && urls.every(isLoopback)) {
    lines.push("Only this machine can connect; --host 0.0.0.0 lets others in. Ctrl-C stops the server.");
  }
  if (note !== undefined) lines.push(`${note}.`);
  return lines.join("\n");
}

/** What is served, as a part of a sentence. */
export function servedText(application: string | undefined, options: ServerOptions): string {
  if (application === undefined) return options.eval === "" ? "no application" : "the code of --eval";
  if (fs.statSync(application, { throwIfNoEntry: false })?.isDirectory() !== true) return application;
  return path.relative(".", application) === "" ? "the current directory" : `the directory ${application}`;
}

/** All options, one a line: name, value, origin. */
export function configText(options: ServerOptions, configuration: Configuration): string {
  const { application, applicationOrigin, file } = configuration;
  const rows = OPTION_NAMES.map((name): [string, string, string] => [
    name,
    formatValue(declarationOf(name), options[name]),
    originText(name, configuration),
  ]);
  const applicationText =
    applicationOrigin === "file" ? `file ${file ?? ""}` : (applicationOrigin ?? "default");
  rows.unshift([
    "application",
    servedText(application, options),
    options.eval === "" ? applicationText : originText("eval", configuration),
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

function originText(name: OptionName, { origins, names, file, variableFiles }: Configuration): string {
  const written = names[name] ?? "";
  const origin = origins[name];
  if (origin === undefined) return "default";
  if (origin === "file") return `file ${file ?? ""}`;
  const variableFile = origin === "environment" ? variableFiles.get(written) : undefined;
  return `${origin} ${written}${variableFile === undefined ? "" : ` in ${variableFile}`}`;
}

function environmentText(options: ServerOptions): string {
  return options.env === "none" ? "no environment" : options.env;
}

function isLoopback(url: string): boolean {
  return /^https?:\/\/(?:localhost|127\.[\d.]+|\[::1\])[:/]/.test(url);
}
