#!/usr/bin/env bun
import { OptionError } from "../src/errors.ts";
import { embeddedApplication } from "../src/loading/embedded-application.ts";
import type { ServerOptions } from "../src/options/table.ts";
import { checkWorkers, resolveOptions } from "../src/options/resolve.ts";
import { takeRole } from "../src/process/role.ts";
import type { Role } from "../src/process/role.ts";
import { writeLine } from "../src/logging/terminal.ts";
import { type CommandLine, readArguments } from "./arguments.ts";
import { type Configuration, configure } from "./configure.ts";

// Everything that one kind of start does not need is imported where it is needed: a start is short, and modules are
// most of it.

const NOTHING_TO_WATCH =
  "this program has no modules in files that could be saved. Build it again, and send SIGHUP to the server.";

/** Does what the command line asks for. Resolves with the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  let isDebug = false;
  let isJson = process.env["PAGI_LOG_FORMAT"] === "json";
  let role: Role = { type: "main" };
  try {
    role = takeRole();
    if (role.type === "worker") return await (await import("./serve.ts")).work();
    if (argv[0] === "build" && embeddedApplication() === undefined)
      return await (await import("./build.ts")).build(argv.slice(1));
    if (argv[0]?.startsWith("-") === false && embeddedApplication() === undefined)
      await (await import("./subcommands.ts")).checkFirstWord(argv[0]);
    const commandLine = await readArguments(argv);
    if (commandLine.commands.has("help")) return await printHelp();
    if (commandLine.commands.has("version")) return await printVersion();
    isDebug = (commandLine.options.get("logLevel")?.value ?? process.env["PAGI_LOG_LEVEL"]) === "debug";
    isJson = (commandLine.options.get("logFormat")?.value ?? process.env["PAGI_LOG_FORMAT"]) === "json";
    const configuration = await configure(commandLine);
    isDebug = configuration.values.logLevel === "debug";
    isJson = configuration.values.logFormat === "json";
    const options = await resolveOptions(configuration.values, configuration.names);
    if (options.reload && embeddedApplication() !== undefined)
      throw new OptionError(configuration.names.reload ?? "--reload", NOTHING_TO_WATCH);
    await showMode(options, configuration);
    if (options.umask !== "") await applyUmask(options);
    if (commandLine.commands.has("printConfig")) return await printConfig(options, configuration);
    checkWorkers(options, configuration.values, configuration.names);
    const application = await applicationOf(configuration, commandLine);
    await warn(options, commandLine, role);
    if (role.type === "probe") return await tryOut(application, options);
    if (commandLine.commands.has("checkConfig")) return await checkConfig(application, options);
    const { serveAlone, serveInBackground, serveWithWorkers } = await import("./serve.ts");
    if (options.daemonize && role.type === "main") return await serveInBackground(options);
    const decided = {
      application: configuration.application === undefined && application !== undefined,
      mode: configuration.origins.env === undefined,
    };
    return options.workers === 1 && !options.reload
      ? await serveAlone(application, options, role, decided)
      : await serveWithWorkers(application, options, role, decided);
  } catch (error) {
    const { exitCodeOf, reportFailure: report } = await import("./report.ts");
    report(error, { isDebug, isJson });
    // The process that has started this one says it to its operator.
    if (role.type !== "main") (await import("../src/process/hot-restart.ts")).reportFailure(error);
    return exitCodeOf(error);
  }
}

/** Says what was given and has no effect, in the process that somebody has started. */
async function warn(options: ServerOptions, { notices }: CommandLine, role: Role): Promise<void> {
  const mayBeMisspelt = Object.keys(process.env).some((name) => /^pagi/i.test(name) && name !== "PAGI_ENV");
  if (role.type !== "main" || options.quiet || (notices.length === 0 && !mayBeMisspelt)) return;
  const { misspeltVariables } = await import("./variables.ts");
  const { serverLogger } = await import("../src/logging/logger.ts");
  const logger = serverLogger(options);
  for (const text of [...notices, ...misspeltVariables(process.env)]) logger.warn(text);
}

/** What to serve: what was named, or the one file here that an application usually has. */
async function applicationOf(
  { application, values }: Configuration,
  { isDirectory }: CommandLine,
): Promise<string | undefined> {
  if (application === undefined && values.eval === undefined)
    return await (await import("./find-application.ts")).findApplication();
  if (isDirectory && application !== undefined)
    (await import("./find-application.ts")).checkDirectory(application);
  return application;
}

/** Shows the mode to the application and to the modules that it loads. */
async function showMode({ env }: ServerOptions, { origins }: Configuration): Promise<void> {
  if (origins.env !== "file") {
    process.env["PAGI_ENV"] = env;
    return;
  }
  const { setOwnVariable } = await import("../src/process/file-variables.ts");
  setOwnVariable("PAGI_ENV", env);
}

/** The folder has been gone to already. */
async function applyUmask({ umask }: ServerOptions): Promise<void> {
  const { applySettings } = await import("../src/process/process-settings.ts");
  applySettings({ umask, chdir: "" });
}

async function printHelp(): Promise<number> {
  const { helpText } = await import("./help.ts");
  writeLine(1, helpText());
  return 0;
}

async function printVersion(): Promise<number> {
  const { versionText } = await import("./report.ts");
  writeLine(1, await versionText());
  return 0;
}

async function printConfig(options: ServerOptions, configuration: Configuration): Promise<number> {
  const { configText } = await import("./report.ts");
  const { usualFiles } = await import("./find-application.ts");
  const isNamed = configuration.application !== undefined || options.eval !== "";
  const [file, ...others] = isNamed ? [] : await usualFiles();
  const found = file === undefined || others.length > 0 ? {} : { application: file };
  writeLine(1, configText(options, { ...configuration, ...found }));
  return 0;
}

async function tryOut(application: string | undefined, options: ServerOptions): Promise<number> {
  const { loaderOf, probe } = await import("./serve.ts");
  return await probe(options, application, loaderOf(application, options));
}

/** Does what a start would do, short of serving, and as the user that would serve. */
async function checkConfig(application: string | undefined, options: ServerOptions): Promise<number> {
  const { loadApplication } = await import("./load-application.ts");
  const { servedText } = await import("./report.ts");
  const { checkStart } = await import("../src/process/requirements.ts");
  const { dropPrivileges } = await import("../src/process/process-settings.ts");
  const warnings = await checkStart(options, application, { opensSockets: true });
  for (const warning of warnings) writeLine(2, `pagi-server: ${warning}`);
  dropPrivileges(options);
  const { inTime } = await import("../src/process/start-deadline.ts");
  const time = { startedAt: performance.now(), limit: options.lifespanStartupTimeout };
  await inTime(() => loadApplication(application, options), time);
  if (options.sslCert.length > 0) (await import("../src/server/tls/tls-context.ts")).createTlsGate(options);
  writeLine(1, `ok: the options are good and ${servedText(application, options)} can be served.`);
  return 0;
}

// An application whose top-level await never ends leaves nothing to do, and Bun would end with code 0 and no word.
process.once("beforeExit", () => {
  writeLine(
    2,
    "pagi-server: the application waits, in a top-level await perhaps, for what cannot come any more.",
  );
  process.exit(1);
});

// No await at the top level: while it waits, Bun does not hand errors to the handlers that keep the process alive.
void run(process.argv.slice(2)).then((code) => process.exit(code));
