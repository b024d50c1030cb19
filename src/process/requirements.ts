import fs from "node:fs";
import path from "node:path";

import { ListenError, OptionError } from "../errors.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";
import { embeddedApplication } from "../loading/embedded-application.ts";
import { formatListenAddress } from "../options/listen-address.ts";
import { listenError } from "../listening/listen-error.ts";
import { planListening } from "../listening/listen-plan.ts";
import { openListeningSocket } from "../listening/listening-socket.ts";
import { parseMetricsAddress } from "../options/metrics-address.ts";
import type { ServerOptions } from "../options/resolve.ts";
import {
  type Access,
  type ActingAs,
  describeObstacle,
  type Obstacle,
  obstacleTo,
  ownFileUser,
} from "../system/path-access.ts";
import type { FileUser } from "../system/path-access.ts";
import { refuseOtherFile } from "../listening/unix-socket.ts";
import { actingAs, fileUserOf, type Identity, wantedIdentity } from "./identity.ts";
import { thisProgram } from "./program.ts";

/** Something that a server does with a path. */
interface Requirement {
  readonly path: string;
  readonly access: Access;
  /** What the user cannot do without it, as in "cannot run Bun". */
  readonly action: string;
  /** Why it is needed, where that is not obvious, as a sentence. */
  readonly reason?: string;
}

/** A user of files, and how the kernel is asked about it. */
interface Asked {
  readonly user: FileUser;
  readonly actingAs: ActingAs | undefined;
  /** The option that an error is about, and how its message begins. */
  readonly option: string;
  readonly who: string;
}

/**
 * Checks that the user of `--user` and `--group` can do what a server does after it has given up its privileges: run and
 * read this program again for workers and reloads, read the application and certificates, and write the access log.
 * Without these options it does nothing, since the start itself meets every obstacle.
 *
 * @param application what the command line serves: `app.ts`, `app.ts:export` or a directory.
 * @returns what only a later reload or restart would fail at, each a sentence.
 * @throws OptionError that names the first path in the way, the missing permission and the remedy.
 */
export async function checkTargetUser(
  options: ServerOptions,
  application: string | undefined,
): Promise<readonly string[]> {
  const identity = wantedIdentity(options);
  if (identity === undefined) return [];
  const asked = askedFor(options, identity);
  for (const each of requirementsOf(options, await fileOf(application))) meet(each, asked);
  return forRestarts(options).flatMap((each) => {
    const problem = problemOf(each, asked);
    return problem === undefined ? [] : [`${asked.option}: ${problem}`];
  });
}

/**
 * The same for a start that is only checked: also what a start would do with its own rights, before it gives them up.
 * Nothing is created, and a port that is in use counts as available.
 *
 * @param opensSockets false for a start that inherits its sockets.
 * @throws OptionError, ListenError
 */
export async function checkStart(
  options: ServerOptions,
  application: string | undefined,
  { opensSockets }: { opensSockets: boolean },
): Promise<readonly string[]> {
  const own: Asked = { user: ownFileUser(), actingAs: undefined, option: "--pid", who: "this user" };
  if (options.pid !== "") meet(pidFile(options.pid), own);
  if (opensSockets) checkSockets(options);
  const warnings = await checkTargetUser(options, application);
  if (wantedIdentity(options) === undefined && typeof options.accessLog === "string")
    meet(accessLog(options.accessLog), { ...own, option: "--access-log" });
  return warnings;
}

/** The file or directory of an application. What does not exist is left to the loader, which knows similar names. */
async function fileOf(application: string | undefined): Promise<string | undefined> {
  if (application === undefined || embeddedApplication() !== undefined) return undefined;
  const { splitSpec } = await import("../loading/application-spec.ts");
  const { file } = await splitSpec(application);
  return fs.existsSync(file) ? file : undefined;
}

function askedFor(options: Pick<ServerOptions, "user" | "group">, identity: Identity): Asked {
  const isUser = options.user !== "";
  const user = fileUserOf(identity);
  return {
    user,
    actingAs: (check) => actingAs(identity, user, check),
    option: isUser ? "--user" : "--group",
    who: isUser ? options.user : `the group ${options.group}`,
  };
}

/** What a server does once it has become the user. */
function requirementsOf(options: ServerOptions, application: string | undefined): Requirement[] {
  const { file, directory } = thisProgram();
  const runtime = Bun.isStandaloneExecutable ? "this program" : "Bun";
  const reason = `Workers and reloads start ${runtime} again as this user.`;
  const requirements: Requirement[] = [
    { path: file, access: "run", action: `run ${runtime} (${file})`, reason },
    { path: directory, access: "enter", action: `start in ${directory}`, reason },
    { path: process.cwd(), access: "enter", action: `work in ${process.cwd()}` },
  ];
  if (!Bun.isStandaloneExecutable)
    requirements.push({ path: Bun.main, access: "read", action: `read the program ${Bun.main}`, reason });
  if (application !== undefined) {
    const isFolder = fs.statSync(application, { throwIfNoEntry: false })?.isDirectory() === true;
    requirements.push({
      path: application,
      access: isFolder ? "list" : "read",
      action: isFolder ? `serve the directory ${application}` : `read the application ${application}`,
    });
  }
  // The name of a package is not a path.
  for (const name of options.preload.filter((each) => fs.existsSync(each)))
    requirements.push({ path: name, access: "read", action: `read the module ${name} of --preload` });
  const { sslCert, sslKey, sslCa, sslKeyPassphraseFile } = options;
  const secrets = [...sslCert, ...sslKey, sslCa, sslKeyPassphraseFile];
  for (const name of secrets.filter((each) => each !== "" && fs.existsSync(each)))
    requirements.push({
      path: name,
      access: "read",
      action: `read ${name}`,
      reason: "Certificates and keys are read, and read again at a reload, after privileges are dropped.",
    });
  if (typeof options.accessLog === "string") requirements.push(accessLog(options.accessLog));
  if (options.pid !== "")
    requirements.push({
      path: path.dirname(path.resolve(options.pid)),
      access: "enter",
      action: `reach the pid file ${options.pid}`,
      reason: "A reload opens it again as this user.",
    });
  return requirements;
}

/** Files that are read with full rights at the start, and as the user by a program that replaces this one. */
function forRestarts(options: ServerOptions): Requirement[] {
  const signals = options.workers === 1 ? "SIGHUP and SIGUSR2 start" : "SIGUSR2 starts";
  const reason = `${signals} a new program, which reads it as this user and would fail.`;
  return [options.config, ...options.envFile]
    .filter((name) => name !== "" && fs.existsSync(name))
    .map((name) => ({ path: name, access: "read", action: `read ${name}`, reason }));
}

function accessLog(file: string): Requirement {
  return { path: file, access: "append", action: `write the access log ${file}` };
}

function pidFile(file: string): Requirement {
  const isThere = fs.existsSync(file);
  return { path: file, access: isThere ? "write" : "append", action: `write the pid file ${file}` };
}

function meet(requirement: Requirement, asked: Asked): void {
  const problem = problemOf(requirement, asked);
  if (problem !== undefined) throw new OptionError(asked.option, problem);
}

function problemOf({ path: file, access, action, reason }: Requirement, asked: Asked): string | undefined {
  const obstacle = obstacleTo(file, access, asked.actingAs);
  if (obstacle === undefined) return undefined;
  const { problem, advice } = explained(file, obstacle, asked.user);
  return [`${asked.who} cannot ${action}: ${problem}.`, reason, advice].filter(Boolean).join(" ");
}

/** As `describeObstacle` does it, or the symbolic link on the way that leads nowhere. */
function explained(file: string, obstacle: Obstacle, user: FileUser): { problem: string; advice: string } {
  const link = danglingLinkProblem(file);
  return link === undefined
    ? describeObstacle(obstacle, user)
    : { problem: link, advice: "Repair the link, or name another file." };
}

/** Whether the sockets can be had: as far as that can be seen without making files or disturbing a server that runs. */
function checkSockets(options: ServerOptions): void {
  const { addresses, settings } = planListening(options);
  const flags = options.listen.length > 0 ? { host: "--listen", port: "--listen" } : undefined;
  const metrics = parseMetricsAddress(options.metrics);
  for (const address of metrics === undefined ? addresses : [...addresses, metrics]) {
    if (address.type === "fd") continue;
    if (address.type === "unix") {
      checkSocketPath(address.path);
      continue;
    }
    try {
      openListeningSocket(address, settings).close();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EADDRINUSE") throw listenError(address, error, flags);
    }
  }
}

function checkSocketPath(file: string): void {
  const obstacle = obstacleTo(file, "create");
  const what = `Cannot listen at ${formatListenAddress({ type: "unix", path: file })}`;
  if (obstacle !== undefined) {
    const { problem, advice } = explained(path.dirname(file), obstacle, ownFileUser());
    throw new ListenError(`${what}: ${problem.replace(/^it /, "this user ")}. ${advice}`);
  }
  refuseOtherFile(file);
}
