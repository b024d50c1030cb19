import { messageOf } from "../errors.ts";
import type { AskedSocket, ListeningSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { formatListenAddress } from "../options/listen-address.ts";
import type { TcpAddress } from "../options/listen-address.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { isActivated } from "../system/socket-activation.ts";
import type { Listener } from "./listener.ts";
import type { TlsGate } from "./tls/tls-context.ts";

/** A listening socket as another program needs to know it. */
export interface SocketDescription {
  readonly fd: number;
  /** The address that was asked for, as `--listen` has it. */
  readonly asked: string;
  /** The `id` of the file of a Unix socket that goes with it, and may have been removed; empty for none. */
  readonly fileId: string;
}

/** Opens a listener at an address, or from a socket that belongs to the listener from now on. */
export type Listen = (where: TcpAddress | ListeningSocket) => Listener;

/** The listeners of one server: where they are to be, and all of them at once. */
export class Listeners {
  readonly #options: ServerOptions;
  readonly #logger: Logger;
  /** Absent while it does not accept. */
  #listen: Listen | undefined;
  #all: Listener[] = [];
  /** The address that each listener was asked for. */
  #asked: readonly string[] = [];

  constructor(options: ServerOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
  }

  get all(): readonly Listener[] {
    return this.#all;
  }

  /** Where the first one is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    const [first] = this.#all;
    if (first === undefined) throw new Error("The server is not listening; call start() first.");
    return first.url;
  }

  /** The sockets, for a program that follows this one. */
  get sockets(): readonly SocketDescription[] {
    return this.#all.map(({ fd, file }, i) => ({ fd, asked: this.#asked[i] ?? "", fileId: file?.id ?? "" }));
  }

  /**
   * Decides where to listen, before the application starts. A host and a port need nothing that Bun does not have.
   *
   * @param sockets listens at these, whatever the options say.
   * @returns a function that opens them.
   * @throws OptionError when a socket is asked for that nobody has passed.
   */
  async plan(sockets: readonly AskedSocket[] | undefined): Promise<(listen: Listen) => void> {
    const { host, port, listen: listed, socket } = this.#options;
    if (sockets !== undefined) {
      this.#asked = sockets.map(({ asked }) => asked);
      return (listen) =>
        this.#open(
          listen,
          sockets.map((each) => each.socket),
        );
    }
    const address = { type: "tcp", host, port } as const;
    this.#asked = [formatListenAddress(address)];
    if (listed.length === 0 && socket === "" && !isActivated())
      return (listen) => this.#open(listen, [address]);
    const { openAll, planListening } = await import("../listening/listen-plan.ts");
    const plan = planListening(this.#options);
    this.#asked = plan.addresses.map(formatListenAddress);
    for (const { fd, name } of plan.unused)
      this.#logger.warn(
        `The socket that was passed as fd:${fd} (${name}) is not served; no --listen names it.`,
      );
    return (listen) => this.#open(listen, openAll(plan, listed.length > 0));
  }

  #open(listen: Listen, places: readonly (TcpAddress | ListeningSocket)[]): void {
    this.#listen = listen;
    for (const where of places) this.#all.push(listen(where));
  }

  /**
   * Accepts from further sockets, which are the listeners' from now on.
   *
   * @returns a function that ends that; undefined while nothing is accepted: then the sockets stay the caller's.
   */
  adopt(sockets: readonly ListeningSocket[]): (() => void) | undefined {
    const listen = this.#listen;
    if (listen === undefined) return undefined;
    const adopted = sockets.map((socket) => listen(socket));
    this.#all.push(...adopted);
    void this.setBacklog();
    return () => {
      for (const listener of adopted) {
        const at = this.#all.indexOf(listener);
        if (at === -1) continue;
        this.#all.splice(at, 1);
        listener.stop();
      }
    };
  }

  /** Gives new connections other certificates. */
  async renew(tls: TlsGate): Promise<void> {
    const { duplicate } = await import("../listening/listening-socket.ts");
    if (this.#listen === undefined) return;
    for (const listener of this.#all) listener.renew(duplicate(listener.fd), tls);
    await this.setBacklog();
  }

  /** Creates the files of Unix sockets again if they were removed. Logs each one, and failures. */
  async remakeFiles(): Promise<void> {
    const missing = this.#all.filter(({ file }) => file?.isMissing === true);
    if (missing.length === 0 || this.#listen === undefined) return;
    const { planListening, remadeSocket } = await import("../listening/listen-plan.ts");
    const { settings } = planListening({ ...this.#options, listen: [] }, []);
    for (const listener of missing) {
      try {
        const socket = remadeSocket(listener.file, settings);
        if (socket !== undefined) listener.moveTo(socket);
        this.#logger.warn(`${listener.url} had been removed; it was created again`);
      } catch (error) {
        this.#logger.error(
          `${listener.url} has been removed and cannot be created again: ${messageOf(error)}`,
        );
      }
    }
    await this.setBacklog();
  }

  /** Bun sets every backlog to 512, those of adopted sockets too. */
  async setBacklog(): Promise<void> {
    if (this.#listen === undefined) return;
    try {
      const { setBacklog } = await import("../listening/listening-socket.ts");
      for (const { fd } of this.#all) if (fd >= 0) setBacklog(fd, this.#options.backlog);
    } catch (error) {
      this.#logger.warn("The backlog could not be set; 512 connections may wait.", error);
    }
  }

  /** Accepts no more; open connections stay open. */
  stop(how: { readonly keepFile: boolean }): void {
    this.#listen = undefined;
    for (const listener of this.#all) listener.stop(how);
  }

  /** Closes those of a start that has failed. */
  discard(): void {
    this.stop({ keepFile: false });
    this.#all = [];
  }
}
