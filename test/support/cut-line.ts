import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A way to a server over TCP that a test can cut, and mend: what a lost network is to a browser. */
export class CutLine implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((near) => {
      if (this.#isCut) return near.resetAndDestroy();
      const far = connect({ host: "127.0.0.1", port: this.#port });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  /** Leads to a port of this machine. */
  static async to(port: number): Promise<CutLine> {
    const line = new CutLine(port);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the line has no port");
    return `http://127.0.0.1:${(address satisfies AddressInfo).port}`;
  }

  /** Ends all connections without a word, and lets none through. */
  cut(): void {
    this.#isCut = true;
    for (const each of this.#sockets) each.resetAndDestroy();
  }

  /** Lets connections through again, to another port perhaps: that of a server which was started anew. */
  mend(port = this.#port): void {
    this.#isCut = false;
    this.#port = port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
