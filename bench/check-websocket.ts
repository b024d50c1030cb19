import { BenchFailure } from "./failure.ts";
import type { RunningServer } from "./servers.ts";

const TIMEOUT = 5000;

/**
 * Sends a message of text and one of other text, and compares what comes back.
 *
 * @throws BenchFailure when it is not the same, or does not come in five seconds.
 */
export async function checkEcho(server: RunningServer, bytes: number): Promise<void> {
  const messages = ["a".repeat(bytes), "b".repeat(bytes)];
  const client = await open(server, "/echo");
  for (const message of messages) client.socket.send(message);
  await compare(server, client, messages);
  await close(server, client);
}

/**
 * Lets one of three send, and compares what all of them get.
 *
 * @throws BenchFailure when it is not the same, or does not come in five seconds.
 */
export async function checkRoom(server: RunningServer): Promise<void> {
  const clients = [await open(server, "/room"), await open(server, "/room"), await open(server, "/room")];
  for (const client of clients) await compare(server, client, ["ready"]);
  clients[0]?.socket.send("to all");
  for (const client of clients) await compare(server, client, ["ready", "to all"]);
  for (const client of clients) await close(server, client);
}

interface Client {
  readonly socket: WebSocket;
  readonly received: unknown[];
  readonly closed: Promise<void>;
  next(): Promise<void>;
}

async function open(server: RunningServer, path: string): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  const received: unknown[] = [];
  let news = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    received.push(data);
    news.resolve();
    news = Promise.withResolvers();
  };
  const closed = new Promise<void>((resolve) => (socket.onclose = () => resolve()));
  const opened = new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new BenchFailure(`${server.kind.title} refuses a WebSocket at ${path}.`));
  });
  await within(server, opened, "does not answer a WebSocket handshake");
  return { socket, received, closed, next: () => news.promise };
}

/** Nothing of the check may be left when the load comes. */
async function close(server: RunningServer, { socket, closed }: Client): Promise<void> {
  socket.close();
  await within(server, closed, "does not close a WebSocket");
}

async function compare(server: RunningServer, client: Client, expected: string[]): Promise<void> {
  while (client.received.length < expected.length) {
    await within(server, client.next(), `sends ${client.received.length} of ${expected.length} messages`);
  }
  if (!Bun.deepEquals(client.received, expected)) {
    throw new BenchFailure(`${server.kind.title} sends other messages than expected; nothing was measured.`);
  }
}

async function within(server: RunningServer, event: Promise<void>, problem: string): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new BenchFailure(`${server.kind.title} ${problem} (${server.url}); nothing was measured.`));
  }, TIMEOUT);
  try {
    await Promise.race([event, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
