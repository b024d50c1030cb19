import os from "node:os";

import { messageOf } from "../errors.ts";
import { listenError } from "../listening/listen-error.ts";
import type { AddressFlags } from "../listening/listen-error.ts";
import { formatListenAddress, parseListenAddress } from "../options/listen-address.ts";
import type { ListenAddress, TcpAddress } from "../options/listen-address.ts";
import { planListening, remadeSocket } from "../listening/listen-plan.ts";
import { inheritedSocket, ListeningSocket, openListeningSocket } from "../listening/listening-socket.ts";
import type { AskedSocket, SocketSettings } from "../listening/listening-socket.ts";
import { SocketFile } from "../listening/unix-socket.ts";
import { steerToAll, steerToFirst } from "../system/reuseport.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import type { Role } from "./role.ts";

export interface SocketsOptions {
  readonly addresses: readonly ListenAddress[];
  readonly settings: Omit<SocketSettings, "reusePort">;
  /** One socket for each worker slot and TCP address, over which the kernel spreads connections; else one for all. */
  readonly reusePort: boolean;
  /** How the addresses were given, for messages. */
  readonly flags?: AddressFlags | undefined;
}

/** Milliseconds that a slot's sockets are kept which no new connection comes to; longer than a worker accepts from them. */
const CLOSING_TIME = 1000;
/** The slot of a socket that all workers share. */
const SHARED = 0;

interface Held {
  readonly asked: string;
  readonly slot: number;
  readonly socket: ListeningSocket;
}

/**
 * The listening sockets of a supervisor, which it opens and keeps for its whole life but never accepts from. A worker
 * that takes over from another one adopts the same socket, so that connections which wait in it are not lost.
 */
export class Sockets {
  readonly #options: SocketsOptions;
  /** Whether the files of Unix sockets are ours to remove, and not another program's that serves at the same sockets. */
  ownsFiles: boolean;
  #held: Held[] = [];
  /** Slots whose sockets are about to be closed. */
  readonly #closing = new Map<number, ReturnType<typeof setTimeout>>();

  /**
   * Takes what was inherited, and opens what is missing for the first slot.
   *
   * @param inherited sockets of the program before, at addresses that are asked for again.
   * @throws ListenError when an address cannot be had.
   */
  constructor(options: SocketsOptions, inherited: readonly InheritedSocket[] = []) {
    this.#options = options;
    this.ownsFiles = inherited.length === 0;
    try {
      for (const each of inherited) {
        const slot = options.reusePort ? each.slot : SHARED;
        this.#held.push({ asked: each.asked, slot, socket: takeOver(each) });
      }
      // The program before may have been about to close some of them.
      this.#steer();
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
  get all(): readonly InheritedSocket[] {
    return this.#held.map(({ asked, slot, socket }) => ({
      fd: socket.fd,
      asked,
      slot,
      fileId: socket.file?.id ?? "",
    }));
  }

  /**
   * The sockets of a worker slot, which are opened at the first call.
   *
   * @param target how many slots there are to be; inherited sockets beyond are spread over those that there are.
   * @throws ListenError when one cannot be opened; use the first slot's, which can be shared.
   */
  forSlot(slot: number, target: number): readonly AskedSocket[] {
    clearTimeout(this.#closing.get(slot));
    if (this.#closing.delete(slot)) this.#steer();
    const before = this.#held.length;
    for (const address of this.#options.addresses) if (!this.#isShared(address)) this.#open(address, slot);
    if (this.#held.length > before) this.#steer();
    return this.#held.filter((each) => each.slot === SHARED || this.#slotOf(each, target) === slot);
  }

  /** The descriptors of those sockets that only the workers of one slot accept from; none are opened. */
  exclusiveTo(slot: number, target: number): readonly number[] {
    return this.#held.filter((each) => this.#slotOf(each, target) === slot).map(({ socket }) => socket.fd);
  }

  /** The slot whose workers accept from a socket: inherited ones beyond the last slot are spread over those that there are. */
  #slotOf({ slot }: Held, target: number): number {
    return slot > target && !this.#closing.has(slot) ? ((slot - 1) % target) + 1 : slot;
  }

  /**
   * Lets go of the sockets of the last slot, a moment later: where the kernel can do that, no new connection comes to
   * them any more, and the worker that has them takes those that have been begun. A worker that gets the slot meanwhile
   * gets the same sockets.
   */
  closeSlot(slot: number): void {
    const [own] = this.#held.filter((each) => each.slot === slot);
    if (own === undefined) return;
    this.#closing.set(slot, setTimeout(() => this.#drop(slot), CLOSING_TIME).unref());
    if (!this.#steer()) this.#drop(slot);
  }

  /**
   * Replaces Unix sockets whose files were removed. Workers that start from now on get the new sockets; running ones
   * still serve the connections that wait in the old ones. `report` is called for each.
   */
  remakeFiles(report: (level: "warn" | "error", text: string) => void): void {
    this.#held = this.#held.map((each) => {
      const { file, address } = each.socket;
      const name = formatListenAddress(address);
      try {
        const socket = remadeSocket(file, this.#options.settings);
        if (socket === undefined) return each;
        each.socket.close();
        report("warn", `${name} had been removed; it was created again`);
        return { ...each, socket };
      } catch (error) {
        report("error", `${name} has been removed and cannot be created again: ${messageOf(error)}`);
        return each;
      }
    });
  }

  /** Gives all of them to somebody else, who closes them. */
  release(): readonly AskedSocket[] {
    return this.#held.splice(0);
  }

  /** Lets go of all of them, and removes the files of Unix sockets that are ours. */
  close(): void {
    for (const timer of this.#closing.values()) clearTimeout(timer);
    this.#closing.clear();
    for (const { socket } of this.#held) {
      if (this.ownsFiles) socket.file?.remove();
      socket.close();
    }
    this.#held = [];
  }

  #drop(slot: number): void {
    clearTimeout(this.#closing.get(slot));
    for (const each of this.#held) if (each.slot === slot) each.socket.close();
    this.#held = this.#held.filter((each) => each.slot !== slot);
    this.#closing.delete(slot);
  }

  /** Sends new connections to the slots that stay. @returns false where the kernel cannot do that. */
  #steer(): boolean {
    const staying = this.#held.filter(({ slot }) => slot !== SHARED && !this.#closing.has(slot));
    const count = Math.max(0, ...staying.map(({ slot }) => slot));
    let isSteered = true;
    for (const { slot, socket } of staying) {
      if (slot !== 1) continue; // one for each address
      if (this.#closing.size === 0) steerToAll(socket.fd);
      else if (!steerToFirst(socket.fd, count)) isSteered = false;
    }
    return isSteered;
  }

  #isShared(address: ListenAddress): boolean {
    if (address.type !== "tcp" || !this.#options.reusePort) return true;
    // A process that has served alone passes on a socket beside which no other one can listen.
    const asked = formatListenAddress(address);
    return this.#held.some((each) => each.asked === asked && each.slot === SHARED);
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
      this.#held.push({ asked, slot, socket });
    } catch (error) {
      throw listenError(address, error, this.#options.flags);
    }
  }
}

/** How many workers the options ask for. */
export function workerCount({ workers }: Pick<ServerOptions, "workers">): number {
  return workers === 0 ? os.availableParallelism() : workers;
}

/**
 * Takes over inherited sockets, which determine where to listen, or opens those that the options ask for: of every worker
 * slot, since it may not be possible later without privileges.
 *
 * @throws ListenError, OptionError
 */
export function openSockets(options: ServerOptions, role: Role): Sockets {
  const inherited = "sockets" in role ? role.sockets.filter((each) => each.isForMetrics !== true) : [];
  const count = workerCount(options);
  const reusePort = options.reuseport && count > 1;
  const flags = options.listen.length > 0 ? { host: "--listen", port: "--listen" } : undefined;
  const asked = [...new Set(inherited.map((each) => each.asked))];
  const known = asked.flatMap((text) => {
    const address = parseListenAddress(text);
    return address === undefined || address.type === "named" ? [] : [address];
  });
  const { addresses, settings } =
    asked.length === 0
      ? planListening(options)
      : { ...planListening({ ...options, listen: [] }, []), addresses: known };
  const sockets = new Sockets({ addresses, settings, reusePort, flags }, inherited);
  try {
    for (let slot = 1; slot <= count; slot++) sockets.forSlot(slot, count);
  } catch (error) {
    sockets.close();
    throw error;
  }
  return sockets;
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

/** An inherited socket, with its file if that was passed on too. */
export function takeOver({ fd, fileId }: InheritedSocket): ListeningSocket {
  const socket = inheritedSocket(fd);
  const { address } = socket;
  if (fileId === "" || address.type !== "unix") return socket;
  return new ListeningSocket(fd, address, new SocketFile(address.path, fileId));
}
