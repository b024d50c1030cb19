import type { Socket } from "bun";

/** A connection of the load, as its program sees it. */
export interface Connection {
  /** Bytes after the connection was ready. */
  received: number;
  /** The last of them, where the program looks for an end. */
  tail: string;
  ended: boolean;
}

/** What a program may do with a connection whose bytes it gets. */
export type Writer = Pick<Socket, "write">;

export interface Reactions {
  /** Whether what has come so far (as latin1) means that the connection is ready. */
  isReady(received: string): boolean;
  /** Bytes that come after that. */
  onData(connection: Connection, bytes: Buffer, socket: Writer): void;
  /** The kernel takes bytes again, after a `write` that it took in part. */
  onDrain?(socket: Writer): void;
  onClose(connection: Connection): void;
}

interface State extends Connection {
  head: string;
  ready: PromiseWithResolvers<void> | undefined;
}

// Under the length of the accept queue of every server measured.
const AT_ONCE = 100;

/**
 * Opens connections, sends `request` on each, and resolves once all are ready.
 *
 * @throws Error when a connection closes before it is ready.
 */
export async function openAll(
  port: number,
  count: number,
  request: string,
  reactions: Reactions,
): Promise<Socket<State>[]> {
  const sockets: Socket<State>[] = [];
  const open = async (): Promise<void> => {
    const ready = Promise.withResolvers<void>();
    const socket = await Bun.connect<State>({
      hostname: "127.0.0.1",
      port,
      data: { head: "", received: 0, tail: "", ended: false, ready },
      socket: {
        data(socket, bytes) {
          const state = socket.data;
          if (state.ready === undefined) {
            reactions.onData(state, bytes, socket);
            return;
          }
          state.head += bytes.toString("latin1");
          if (!reactions.isReady(state.head)) return;
          state.ready.resolve();
          state.ready = undefined;
          state.head = "";
        },
        drain: (socket) => reactions.onDrain?.(socket),
        close({ data: state }) {
          state.ready?.reject(new Error("the server closed a connection before it answered"));
          reactions.onClose(state);
        },
      },
    });
    socket.write(request);
    sockets.push(socket);
    await ready.promise;
  };
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - opened) }, open));
  }
  return sockets;
}
