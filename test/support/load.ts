import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { get } from "./wire.ts";

/** Where the clients connect to; over TLS they believe every certificate. */
type Where = ({ host: string; port: number } | { path: string }) & { readonly isTls?: boolean };

/**
 * Clients that ask for `/` over and over, on connections that they keep. A connection that ends between two requests
 * is opened anew, as every client does; a request that gets no whole answer is lost.
 */
export class Load implements AsyncDisposable {
  /** Whole answers with status 200. */
  answered = 0;
  /** What became of the others. */
  readonly lost: string[] = [];
  readonly #where: Where;
  readonly #request: string;
  readonly #clients: Promise<void>[];
  #isOver = false;

  /** @param request the bytes of what they ask. */
  constructor(where: Where, clients: number, request = get("/")) {
    this.#where = where;
    this.#request = request;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  /** Ends it, once every client has its answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const { isTls = false, ...where } = this.#where;
      const socket = isTls
        ? connectTls({ ...where, rejectUnauthorized: false })
        : connect({ ...where, noDelay: true });
      const isOpen = isTls ? "secureConnect" : "connect";
      try {
        await new Promise<void>((resolve, reject) => socket.once(isOpen, resolve).once("error", reject));
      } catch (error) {
        this.lost.push(`no connection: ${String(error)}`);
        await Bun.sleep(20); // or a server that is gone would be asked in a tight loop
        continue;
      }
      await this.#ask(socket);
      socket.destroy();
    }
  }

  /** Asks on one connection until it ends. */
  async #ask(socket: Socket): Promise<void> {
    let received = "";
    let wake = Promise.withResolvers<void>();
    let end: string | undefined;
    const tell = (): void => {
      wake.resolve();
      wake = Promise.withResolvers();
    };
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
      tell();
    });
    for (const event of ["end", "close", "error"])
      socket.on(event, (error: unknown) => {
        end ??= error instanceof Error ? String(error) : event;
        tell();
      });
    while (!this.#isOver && end === undefined) {
      received = "";
      socket.write(this.#request);
      while (!isWhole(received) && end === undefined) await wake.promise;
      if (!isWhole(received)) {
        this.lost.push(`${end ?? ""} after ${JSON.stringify(received)}`);
        return;
      }
      if (received.startsWith("HTTP/1.1 200 ")) this.answered++;
      else this.lost.push(received);
      if (/^connection: close\r$/im.test(received)) return;
    }
  }
}

function isWhole(received: string): boolean {
  const head = received.indexOf("\r\n\r\n");
  if (head === -1) return false;
  const length = Number(/^content-length: (\d+)\r$/im.exec(received)?.[1] ?? "0");
  return received.length >= head + 4 + length;
}
