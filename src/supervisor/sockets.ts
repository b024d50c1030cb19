import { ListenError, messageOf } from "../errors.ts";
import { formatListenAddress } from "../server/listen-address.ts";
import type { ListenAddress, TcpAddress } from "../server/listen-address.ts";
import { inheritedSocket, ListeningSocket, openListeningSocket } from "../server/listening-socket.ts";
import type { SocketSettings } from "../server/listening-socket.ts";
import { SocketFile } from "../server/unix-socket.ts";
import type { InheritedSocket } from "./inherited-socket.ts";

/** A listening socket, and what was asked for to get it. */
export interface AskedSocket {
  readonly asked: string;
  readonly socket: ListeningSocket;
}

export interface SocketsOptions {
  readonly addresses: readonly ListenAddress[];
  readonly settings: Omit<SocketSettings, "reusePort">;
  /** One socket for each worker slot and TCP address, over which the kernel spreads connections; else one for all. */
  readonly reusePort: boolean;
}

/** The slot of a socket that all workers share. */
const SHARED = 0;

interface Held {
  readonly asked: string;
  readonly slot: number;
  readonly socket: ListeningSocket;
  readonly ownsFile: boolean;
}

/**
 * The listening sockets of a supervisor, which it opens and keeps for its whole life but never accepts from. A worker
 * that takes over from another one adopts the same socket, so that connections which wait in it are not lost.
 */
export class Sockets {
  readonly #options: SocketsOptions;
  #held: Held[] = [];

  /**
   * Takes what was inherited, and opens what is missing for the first slot.
   *
   * @param inherited sockets of the program before; those at addresses that are not asked for any more are closed.
   * @throws ListenError when an address cannot be had.
   */
  constructor(options: SocketsOptions, inherited: readonly InheritedSocket[] = []) {
    this.#options = options;
    const wanted = new Set(options.addresses.map(formatListenAddress));
    try {
      for (const { fd, asked, slot, ownsFile } of inherited) {
        const socket = inheritedSocket(fd);
        if (!wanted.has(asked)) {
          socket.close();
          if (ownsFile && socket.address.type === "unix") new SocketFile(socket.address.path).remove();
        } else this.#held.push({ asked, slot, socket, ownsFile });
      }
      for (const address of options.addresses) if (!this.#isShared(address)) this.#open(address, 1);
      for (const address of options.addresses) if (this.#isShared(address)) this.#open(address, SHARED);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The first slot's, in the order of the addresses: where the server is reached. */
  get first(): readonly AskedSocket[] {
    return this.#options.addresses.flatMap((address) => {
      const asked = formatListenAddress(address);
      return this.#held.filter((each) => each.asked === asked && each.slot <= 1).slice(0, 1);
    });
  }

  /** Everything that is held, for the next program. */
  get all(): readonly (AskedSocket & Pick<InheritedSocket, "slot" | "ownsFile">)[] {
    return this.#held;
  }

  /**
   * The sockets of a worker slot, which are opened at the first call.
   *
   * @param target how many slots there are to be; inherited sockets beyond are spread over those that there are.
   * @throws ListenError when one cannot be opened; use the first slot's, which can be shared.
   */
  forSlot(slot: number, target: number): readonly AskedSocket[] {
    for (const address of this.#options.addresses) if (!this.#isShared(address)) this.#open(address, slot);
    return this.#held.filter((each) => {
      if (each.slot === SHARED) return true;
      return each.slot > target ? ((each.slot - 1) % target) + 1 === slot : each.slot === slot;
    });
  }

  /** Lets go of a slot's sockets; a worker that has them goes on with its own descriptors. */
  closeSlot(slot: number): void {
    for (const each of this.#held) if (each.slot === slot) each.socket.close();
    this.#held = this.#held.filter((each) => each.slot !== slot);
  }

  /** Lets go of all of them. `keepFiles`: the files of Unix sockets belong to somebody else now. */
  close({ keepFiles = false }: { keepFiles?: boolean } = {}): void {
    for (const { socket, ownsFile } of this.#held) {
      if (ownsFile && !keepFiles) fileOf(socket)?.remove();
      socket.close();
    }
    this.#held = [];
  }

  #isShared(address: ListenAddress): boolean {
    return address.type !== "tcp" || !this.#options.reusePort;
  }

  #open(address: ListenAddress, slot: number): void {
    const asked = formatListenAddress(address);
    if (this.#held.some((each) => each.asked === asked && each.slot === slot)) return;
    const reusePort = slot !== SHARED;
    // The other slots listen where the first one does, which may be a port that the kernel has chosen.
    const known = this.#held.find((each) => each.asked === asked)?.socket.address;
    const { settings } = this.#options;
    try {
      const socket =
        address.type === "fd"
          ? inheritedSocket(address.fd)
          : address.type === "unix"
            ? openListeningSocket(address, settings)
            : openTcp(known?.type === "tcp" ? known : address, settings, reusePort, known !== undefined);
      this.#held.push({ asked, slot, socket, ownsFile: socket.file !== undefined });
    } catch (error) {
      if (error instanceof ListenError) throw error;
      throw new ListenError(explain(asked, error), { cause: error });
    }
  }
}

/** With SO_REUSEPORT another server of this user could listen there too, and would take half of the connections. */
function openTcp(
  address: TcpAddress,
  settings: SocketSettings,
  reusePort: boolean,
  isOurs: boolean,
): ListeningSocket {
  if (!reusePort) return openListeningSocket(address, settings);
  let { port } = address;
  if (!isOurs) {
    const probe = openListeningSocket(address, settings);
    if (probe.address.type === "tcp") port = probe.address.port;
    probe.close();
  }
  return openListeningSocket({ ...address, port }, { ...settings, reusePort });
}

/** What was made here has a file; what was inherited has one by its path. */
function fileOf(socket: ListeningSocket): SocketFile | undefined {
  if (socket.file !== undefined) return socket.file;
  if (socket.address.type !== "unix" || socket.address.path.startsWith("\0")) return undefined;
  try {
    return new SocketFile(socket.address.path);
  } catch {
    return undefined; // somebody has removed it already
  }
}

function explain(asked: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `${asked} is in use. Choose another address, or stop what listens there.`;
    case "EACCES":
      return `Not allowed to listen at ${asked}. Ports below 1024 need privileges; choose another.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${asked} has no address of this machine. Choose another with --host.`;
    default:
      return `Cannot listen at ${asked}: ${messageOf(error)}`;
  }
}
