/** How a connection ended, as its client saw it. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Bun's own `WebSocket`, with promises for what comes. */
export class WebSocketClient {
  readonly #socket: WebSocket;
  readonly #waiting: (string | Uint8Array)[] = [];
  #news: PromiseWithResolvers<void> = Promise.withResolvers();
  #hasClosed = false;
  /** Resolves at the end of the connection. */
  readonly closed: Promise<Closing>;

  private constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    const tell = (): void => {
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    this.#socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#waiting.push(typeof data === "string" ? data : new Uint8Array(data));
      tell();
    };
    this.closed = new Promise((resolve) => {
      this.#socket.onclose = ({ code, reason }) => {
        this.#hasClosed = true;
        resolve({ code, reason });
        tell();
      };
    });
  }

  /** Connects. Fails when the handshake is refused. */
  static async open(url: string): Promise<WebSocketClient> {
    const client = new WebSocketClient(url);
    await new Promise<void>((resolve, reject) => {
      client.#socket.onopen = () => resolve();
      client.#socket.onerror = () => reject(new Error(`the handshake with ${url} failed`));
    });
    return client;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(message);
  }

  /** Waits for the next message and takes it. Fails when the connection ends first. */
  async next(): Promise<string | Uint8Array> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) return message;
      if (this.#hasClosed) {
        const { code, reason } = await this.closed;
        throw new Error(`the connection ended with ${code} '${reason}'`);
      }
      await this.#news.promise;
    }
  }

  /** Closes it, and waits for the end. */
  async close(code = 1000, reason = ""): Promise<Closing> {
    this.#socket.close(code, reason);
    return this.closed;
  }

  /** Drops the connection without a closing handshake. */
  drop(): void {
    this.#socket.terminate();
  }
}
