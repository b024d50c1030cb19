import type { SocketHandler, SocketListener } from "bun";

import { Connection } from "./connection/connection.ts";
import type { ListenerInfo } from "./connection/connection.ts";
import type { ServerContext } from "./connection/shared.ts";
import { bracketedHost, formatListenAddress } from "../options/listen-address.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { listenError } from "../listening/listen-error.ts";
import type { ListeningSocket } from "../listening/listening-socket.ts";
import type { TlsGate } from "./tls/tls-context.ts";
import type { SocketFile } from "../listening/unix-socket.ts";

// The types leave it out. -1 once the listener has stopped.
declare module "bun" {
  interface SocketListener<Data> {
    readonly fd: number;
  }
  interface Socket<Data> {
    readonly fd: number;
  }
}

/** What a listener tells of its connections. */
export interface ListenerEvents {
  /** A connection was accepted. */
  onOpen(connection: Connection): void;
  /** Bytes can go both ways now: at once, or when the TLS handshake is over. */
  onReady(connection: Connection): void;
  onClose(connection: Connection): void;
  /** A connection has got one of the last descriptors. */
  onLastDescriptors(fd: number): void;
}

/** One listening socket. It opens connections and carries their socket's news to them; it knows no HTTP. */
export class Listener {
  /** The address in use: a port that was 0 is the one that was found. */
  readonly address: TcpAddress | UnixAddress;
  readonly #context: ServerContext;
  readonly #events: ListenerEvents;
  /** The file of a Unix socket that goes with the listener. */
  #file: SocketFile | undefined;
  #tls: TlsGate | undefined;
  /** Absent while it pauses. */
  #listener: SocketListener<Connection> | undefined;
  /** A second descriptor, which keeps the socket while nobody accepts from it: then none may be left to make one. */
  #standby: number | undefined;

  /**
   * Accepts at once, at an address or from a socket that is made already and belongs to the listener from now on.
   *
   * @param tls what connections are encrypted with; they are plain without.
   * @throws ListenError when the address is taken, forbidden or none of this machine's.
   */
  constructor(
    where: TcpAddress | ListeningSocket,
    context: ServerContext,
    events: ListenerEvents,
    tls?: TlsGate,
  ) {
    this.#context = context;
    this.#events = events;
    this.#tls = tls;
    if ("fd" in where) {
      this.address = where.address;
      this.#file = where.file;
      this.#listener = this.#adopt(where.fd, tls);
      return;
    }
    const { type, host, port } = where;
    try {
      const place = { hostname: host, port };
      const listener = Bun.listen({ ...place, allowHalfOpen, ...tls?.listen, socket: this.#handlers(tls) });
      this.address = { type, host: listener.hostname, port: listener.port };
      this.#listener = listener;
    } catch (error) {
      throw listenError({ type, host, port }, error);
    }
  }

  /** Where it is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    const { address } = this;
    return address.type === "tcp"
      ? `${this.#tls !== undefined ? "https" : "http"}://${bracketedHost(address.host)}:${address.port}/`
      : formatListenAddress(address);
  }

  /** The descriptor that is listened at, or -1 after the end. */
  get fd(): number {
    return this.#listener?.fd ?? this.#standby ?? -1;
  }

  /** Takes a second descriptor, which `pause` needs. @throws SystemError */
  prepareToPause(): void {
    if (this.#listener === undefined || this.#listener.fd < 0) return;
    const {
      duplicate,
    }: typeof import("../listening/listening-socket.ts") = require("../listening/listening-socket.ts");
    this.#standby ??= duplicate(this.#listener.fd);
  }

  /** Accepts no more for now; connections wait in the socket. Where no descriptor is left for that, nothing happens. */
  pause(): void {
    try {
      this.prepareToPause();
    } catch {
      return;
    }
    if (this.#standby === undefined) return;
    this.#listener?.stop(false);
    this.#listener = undefined;
  }

  /** Accepts again. */
  resume(): void {
    const fd = this.#standby;
    if (this.#listener !== undefined || fd === undefined) return;
    this.#standby = undefined;
    this.#listener = this.#adopt(fd, this.#tls);
  }

  /**
   * Lets another one accept from the same socket, so that new connections get what is new; what is open stays as it is.
   *
   * @param fd a duplicate of `fd`, which the listener takes.
   */
  renew(fd: number, tls: TlsGate): void {
    this.#tls = tls;
    this.#replace(fd);
  }

  /** Switches to another socket at the same path, and takes ownership of it; the file of the old one was removed. */
  moveTo({ fd, file }: ListeningSocket): void {
    this.#file = file;
    this.#replace(fd);
    this.#closeStandby();
  }

  #replace(fd: number): void {
    const old = this.#listener;
    this.#listener = this.#adopt(fd, this.#tls);
    old?.stop(false);
  }

  /** The file of a Unix socket that was made here, and goes with it. */
  get file(): SocketFile | undefined {
    return this.#file;
  }

  /** Accepts no more; what is open stays open. The file of a Unix socket goes, unless another server listens there. */
  stop({ keepFile = false }: { keepFile?: boolean } = {}): void {
    if (!keepFile) this.#file?.remove();
    this.#listener?.stop(false);
    this.#closeStandby();
  }

  #closeStandby(): void {
    if (this.#standby === undefined) return;
    const { libc }: typeof import("../system/libc.ts") = require("../system/libc.ts");
    libc().close(this.#standby);
    this.#standby = undefined;
  }

  #adopt(fd: number, tls: TlsGate | undefined): SocketListener<Connection> {
    // The types do not know the descriptor, and ask for what it takes the place of.
    const place = { fd, hostname: "", port: 0 };
    return Bun.listen({ ...place, allowHalfOpen, ...tls?.listen, socket: this.#handlers(tls) });
  }

  #handlers(tls: TlsGate | undefined): SocketHandler<Connection> {
    const context = this.#context;
    const events = this.#events;
    const { metrics } = context;
    let info: ListenerInfo | undefined;
    return {
      open: (socket) => {
        info ??= { server: this.#serverKey(), describeTls: tls?.describe };
        const connection = new Connection(socket, info, context);
        socket.data = connection;
        events.onOpen(connection);
        if (socket.fd >= context.descriptorCeiling) events.onLastDescriptors(socket.fd);
        if (tls === undefined) events.onReady(connection);
        else connection.awaitHandshake(context.times.header);
      },
      data:
        metrics === undefined
          ? (socket, bytes) => socket.data.onData(bytes)
          : (socket, bytes) => {
              metrics.receivedBytes += bytes.byteLength;
              socket.data.onData(bytes);
            },
      end: (socket) => socket.data.onEnd(),
      drain: (socket) => socket.data.onSocketWritable(),
      close: (socket, error) => {
        socket.data.onSocketClose(error);
        events.onClose(socket.data);
      },
      error: (socket, error) => {
        // Nothing of an application's gets here; this is a fault of the server, which costs one connection.
        context.logger.error("internal error on a connection", error);
        socket.data.reset();
      },
      ...tls?.handlers((socket, problem) => {
        if (problem === undefined) events.onReady(socket.data);
        else {
          context.logger.debug(`${socket.data.client?.join(":") ?? "unix"}: TLS: ${problem}`);
          socket.data.reset();
        }
      }),
    };
  }

  #serverKey(): ListenerInfo["server"] {
    const { address } = this;
    return address.type === "tcp" ? [address.host, address.port] : [address.path, null];
  }
}

// With an `end` handler as well, a client's FIN leaves our direction open until we end it.
const allowHalfOpen = true;
