import type { SocketHandler, SocketListener } from "bun";

import { Connection } from "./connection.ts";
import type { ListenerInfo } from "./connection.ts";
import type { ServerContext } from "./context.ts";
import { bracketedHost, formatListenAddress } from "./listen-address.ts";
import type { TcpAddress, UnixAddress } from "./listen-address.ts";
import { listenError } from "./listen-error.ts";
import type { ListeningSocket } from "./listening-socket.ts";

// The types leave it out. -1 once the listener has stopped.
declare module "bun" {
  interface SocketListener<Data> {
    readonly fd: number;
  }
}

/** What a listener tells of its connections. */
export interface ListenerEvents {
  /** A connection was accepted. */
  onOpen(connection: Connection): void;
  onClose(connection: Connection): void;
}

/** One listening socket. It opens connections and carries their socket's news to them; it knows no HTTP. */
export class Listener {
  /** The address in use: a port that was 0 is the one that was found. */
  readonly address: TcpAddress | UnixAddress;
  readonly #listener: SocketListener<Connection>;
  readonly #socket: ListeningSocket | undefined;
  readonly #info: ListenerInfo;

  /**
   * Accepts at once, at an address or from a socket that is made already and belongs to the listener from now on.
   *
   * @throws ListenError when the address is taken, forbidden or none of this machine's.
   */
  constructor(where: TcpAddress | ListeningSocket, context: ServerContext, events: ListenerEvents) {
    const handlers: SocketHandler<Connection> = {
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
    };
    if ("fd" in where) {
      this.#socket = where;
      this.address = where.address;
      this.#listener = adopt(where.fd, handlers);
    } else {
      const listener = open(where, handlers);
      this.address = { type: "tcp", host: listener.hostname, port: listener.port };
      this.#listener = listener;
    }
    const { address } = this;
    this.#info = {
      secure: false,
      server: address.type === "tcp" ? [address.host, address.port] : [address.path, null],
    };
  }

  /** Where it is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    const { address } = this;
    return address.type === "tcp"
      ? `http://${bracketedHost(address.host)}:${address.port}/`
      : formatListenAddress(address);
  }

  /** The descriptor that is listened at, or -1 after the end. */
  get fd(): number {
    return this.#listener.fd;
  }

  /** Whether it is a Unix socket whose file was made here, and goes with it. */
  get ownsFile(): boolean {
    return this.#socket?.file !== undefined;
  }

  /** Accepts no more; what is open stays open. The file of a Unix socket goes, unless another server listens there. */
  stop({ keepFile = false }: { keepFile?: boolean } = {}): void {
    if (!keepFile) this.#socket?.file?.remove();
    this.#listener.stop(false);
  }
}

// With an `end` handler as well, a client's FIN leaves our direction open until we end it.
const allowHalfOpen = true;

function open({ type, host, port }: TcpAddress, socket: SocketHandler<Connection>) {
  try {
    return Bun.listen<Connection>({ hostname: host, port, allowHalfOpen, socket });
  } catch (error) {
    throw listenError({ type, host, port }, error);
  }
}

function adopt(fd: number, socket: SocketHandler<Connection>): SocketListener<Connection> {
  // The types do not know the descriptor, and ask for what it takes the place of.
  const options = { fd, hostname: "", port: 0, allowHalfOpen, socket };
  return Bun.listen<Connection>(options);
}
