import path from "node:path";

import { OptionError } from "../errors.ts";
import { groupId, userId } from "../system/users.ts";
import { parseListenAddress, LISTEN_ADDRESS_TEXT } from "../options/listen-address.ts";
import type { ListenAddress, TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { listenError } from "./listen-error.ts";
import { boundAddress, inheritedSocket, openListeningSocket } from "./listening-socket.ts";
import type { ListeningSocket, SocketSettings } from "./listening-socket.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { takeActivatedSockets } from "../system/socket-activation.ts";
import type { ActivatedSocket } from "../system/socket-activation.ts";
import type { SocketFile } from "./unix-socket.ts";

/** The options that say where and how to listen. */
export type ListenOptions = Pick<
  ServerOptions,
  "host" | "port" | "listen" | "socket" | "socketMode" | "socketUser" | "socketGroup" | "backlog"
>;

/** Where a server will listen; nothing is opened yet. */
export interface ListenPlan {
  readonly addresses: readonly ListenAddress[];
  readonly settings: SocketSettings;
  /** Sockets that were passed and that no address names; they stay open, and nobody is served there. */
  readonly unused: readonly ActivatedSocket[];
}

/**
 * Decides where to listen: at the addresses of `listen`, of which those that a service manager has passed are taken
 * from it; without `listen` at what was passed, else at `socket`, else at `host` and `port`.
 *
 * @throws OptionError for an unknown user, group or name of a passed socket, and for a descriptor that is named twice.
 */
export function planListening(
  options: ListenOptions,
  activated: readonly ActivatedSocket[] = takeActivatedSockets(),
): ListenPlan {
  const { socketMode, socketUser, socketGroup, backlog } = options;
  const settings: SocketSettings = {
    backlog,
    mode: parseInt(socketMode, 8),
    user: socketUser === "" ? undefined : userId(socketUser, "socketUser"),
    group: socketGroup === "" ? undefined : groupId(socketGroup, "socketGroup"),
  };
  const addresses = options.listen.flatMap((text) => resolve(text, activated));
  if (options.listen.length === 0) {
    if (activated.length > 0) addresses.push(...activated.map(({ fd }) => ({ type: "fd", fd }) as const));
    else if (options.socket !== "") addresses.push({ type: "unix", path: options.socket });
    else addresses.push({ type: "tcp", host: options.host, port: options.port });
  }
  const fds = addresses.flatMap((each) => (each.type === "fd" ? [each.fd] : []));
  const twice = fds.find((fd, i) => fds.indexOf(fd) !== i);
  if (twice !== undefined) throw new OptionError("listen", `names descriptor ${twice} twice. Name it once.`);
  return { addresses, settings, unused: activated.filter(({ fd }) => !fds.includes(fd)) };
}

/** Opens or adopts all of them, or none. @throws ListenError for the first that cannot be had. */
export function openAll(plan: ListenPlan, isListed: boolean): ListeningSocket[] {
  const flags = isListed ? { host: "--listen", port: "--listen" } : undefined;
  const opened: ListeningSocket[] = [];
  for (const address of plan.addresses) {
    try {
      opened.push(
        address.type === "fd" ? inheritedSocket(address.fd) : openListeningSocket(address, plan.settings),
      );
    } catch (error) {
      for (const socket of opened) {
        socket.file?.remove();
        socket.close();
      }
      throw listenError(address, error, flags);
    }
  }
  return opened;
}

/**
 * Creates a replacement for a Unix socket whose file was removed, for example by a cleaner of `/tmp`: clients cannot
 * reach the old one any more.
 *
 * @returns undefined if the file is still there.
 * @throws ListenError if it cannot be created, for example because privileges have been dropped since.
 */
export function remadeSocket(
  file: SocketFile | undefined,
  settings: SocketSettings,
): ListeningSocket | undefined {
  if (file?.isMissing !== true) return undefined;
  const address = { type: "unix", path: file.path } as const;
  try {
    return openListeningSocket(address, settings);
  } catch (error) {
    throw listenError(address, error);
  }
}

function resolve(text: string, activated: readonly ActivatedSocket[]): ListenAddress[] {
  const address = parseListenAddress(text);
  if (address === undefined)
    throw new OptionError("listen", `must ${LISTEN_ADDRESS_TEXT}, but is '${text}'.`);
  if (address.type === "fd") return [address];
  if (address.type === "named") {
    const named = activated.filter(({ name }) => name === address.name);
    if (named.length > 0) return named.map(({ fd }) => ({ type: "fd", fd }) as const);
    const names =
      activated.length === 0 ? "none were" : `they are ${activated.map(({ name }) => name).join(", ")}`;
    throw new OptionError("listen", `asks for a passed socket with the name ${address.name}, but ${names}.`);
  }
  const passed = activated.find(({ fd }) => isBoundTo(fd, address));
  return [passed === undefined ? address : { type: "fd", fd: passed.fd }];
}

function isBoundTo(fd: number, address: TcpAddress | UnixAddress): boolean {
  try {
    const bound = boundAddress(fd);
    if (bound.type === "unix") return address.type === "unix" && bound.path === path.resolve(address.path);
    return address.type === "tcp" && bound.host === address.host && bound.port === address.port;
  } catch {
    return false; // not a socket; naming it by its number is an error elsewhere
  }
}
