import type { TCPSocketListener } from "bun";

import { ListenError, messageOf } from "../errors.ts";
import { Connection } from "./connection.ts";
import type { ListenerInfo } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import type { ListeningSocket } from "./listening-socket.ts";

/** Where to listen. Port 0 takes a free one. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** What a listener tells of its connections. */
export interface ListenerEvents {
  /** A connection was accepted. */
  onOpen(connection: Connection): void;
  onClose(connection: Connection): void;
}

/** One listening socket. It opens connections and carries their socket's news to them; it knows no HTTP. */
export class Listener {
  readonly #listener: TCPSocketListener<Connection>;
  readonly #server: readonly [host: string, port: number];
  readonly #info: ListenerInfo;

  /**
   * Listens at once.
   *
   * @throws ListenError when the address is taken, forbidden or none of this machine's.
   */
  constructor(address: TcpAddress | ListeningSocket, context: ServerContext, events: ListenerEvents) {
    const where =
      "fd" in address ? { fd: address.fd, hostname: "" } : { hostname: address.host, port: address.port };
    try {
      this.#listener = Bun.listen<Connection>({
        ...where,
        // With an `end` handler as well, a client's FIN leaves our direction open until we end it.
        allowHalfOpen: true,
        socket: {
          open: (socket) => {
            socket.data = new Connection(socket, this.#info, context);
            events.onOpen(socket.data);
          },
          data: (socket, bytes) => socket.data.onData(bytes),
          end: (socket) => socket.data.onEnd(),
          drain: (socket) => socket.data.onSocketDrain(),
          close: (socket, error) => {
            socket.data.onSocketClose(error);
            events.onClose(socket.data);
          },
          error: (socket, error) => {
            // Nothing of an application's gets here; this is a fault of the server, which costs one connection.
            context.logger.error("internal error on a connection", error);
            socket.data.cut();
          },
        },
      });
    } catch (error) {
      throw new ListenError("fd" in address ? messageOf(error) : explain(address, error), { cause: error });
    }
    const tcp = "fd" in address && address.address.type === "tcp" ? address.address : this.#listener;
    this.#server = ["host" in tcp ? tcp.host : tcp.hostname, tcp.port];
    this.#info = { secure: false, server: this.#server };
  }

  /** The address as it is in use: a port that was 0 is the one that was found. */
  get address(): TcpAddress {
    return { host: this.#server[0], port: this.#server[1] };
  }

  get url(): string {
    const [host, port] = this.#server;
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  }

  /** Accepts no more; what is open stays open. */
  stop(): void {
    this.#listener.stop(false);
  }
}

function explain(address: TcpAddress, error: unknown): string {
  const where = `${address.host}:${address.port}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `Port ${address.port} on ${address.host} is in use. Choose another with --port, or stop what listens there.`;
    case "EACCES":
      return `Not allowed to listen at ${where}. Ports below 1024 need privileges; choose another with --port.`;
    case "EADDRNOTAVAIL":
      return `${address.host} is no address of this machine. Choose another with --host.`;
    case undefined: // Bun gives a code for everything else
      return `The host ${address.host} has no address: no IP address, and no name that can be resolved. Choose another with --host.`;
    default:
      return `Cannot listen at ${where}: ${messageOf(error)}. Check --host and --port.`;
  }
}
