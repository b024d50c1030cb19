import type {
  ConformanceClient,
  ConformanceRequest,
  ConformanceResponse,
  ConformanceStream,
  ConformanceTarget,
  ConformanceWebSocket,
} from "./conformance-case.ts";
import type { HttpOptions } from "../client-options.ts";
import { TestClient } from "../test-client.ts";
import { DeclinedError } from "../declined-error.ts";
import { ClosedError } from "../test-error.ts";
import type { TestResponse } from "../test-response.ts";
import type { TestWebSocket } from "../test-websocket.ts";

/** `TestClient`, as a server that the table of conformance cases is run against. */
export const IN_PROCESS: ConformanceTarget = {
  async serve(app, settings) {
    const client = new TestClient(app, { ...settings, throwErrors: false });
    await client.start();
    return new InProcessClient(client);
  },
};

class InProcessClient implements ConformanceClient {
  readonly #client: TestClient;

  constructor(client: TestClient) {
    this.#client = client;
  }

  async request(request: ConformanceRequest): Promise<ConformanceResponse> {
    const options = { ...optionsOf(request), waitForReturn: false };
    return await seen(await this.#client.request(request.method ?? "GET", request.target, options));
  }

  stream(request: ConformanceRequest): ConformanceStream {
    const options = { ...optionsOf(request), stream: true };
    return new InProcessStream(this.#client.request(request.method ?? "GET", request.target, options));
  }

  async websocket(
    request: ConformanceRequest & { readonly subprotocols?: readonly string[] },
  ): Promise<ConformanceWebSocket | ConformanceResponse> {
    const { subprotocols = [], headers = [] } = request;
    try {
      return new InProcessWebSocket(await this.#client.websocket(request.target, { subprotocols, headers }));
    } catch (error) {
      if (error instanceof DeclinedError) return await seen(error.response);
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  dispose(): Promise<void> {
    return this.#client.stop();
  }
}

/** What is not read waits in the client: its pieces are pulled. */
class InProcessStream implements ConformanceStream {
  readonly #response: Promise<TestResponse>;
  #pieces: AsyncIterator<Uint8Array> | undefined;

  constructor(response: Promise<TestResponse>) {
    this.#response = response;
  }

  async head(): Promise<Pick<ConformanceResponse, "status" | "headers">> {
    const { status, rawHeaders } = await this.#response;
    return { status, headers: rawHeaders };
  }

  async next(): Promise<string | undefined> {
    this.#pieces ??= (await this.#response)[Symbol.asyncIterator]();
    const { done, value } = await this.#pieces.next();
    return done === true ? undefined : Buffer.from(value).toString();
  }

  pause(): void {}

  resume(): void {}

  drop(): void {
    void this.#response.then((response) => response.cancel());
  }
}

class InProcessWebSocket implements ConformanceWebSocket {
  readonly #socket: TestWebSocket;

  constructor(socket: TestWebSocket) {
    this.#socket = socket;
  }

  get subprotocol(): string | undefined {
    return this.#socket.subprotocol;
  }

  async send(message: string | Uint8Array): Promise<void> {
    if (typeof message === "string") this.#socket.sendText(message);
    else this.#socket.sendBytes(message);
  }

  async next(): Promise<string | Uint8Array | undefined> {
    try {
      return await this.#socket.receive();
    } catch (error) {
      if (error instanceof ClosedError) return undefined;
      throw error;
    }
  }

  close(code: number, reason: string): Promise<void> {
    return this.#socket.close(code, reason);
  }

  closing(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.#socket.whenClosed();
  }

  drop(): void {
    this.#socket.abort();
  }
}

function optionsOf({ headers = [], body, httpVersion = "1.1" }: ConformanceRequest): HttpOptions {
  const options = { headers: headers.filter(([name]) => name !== "host"), httpVersion };
  if (body === undefined) return options;
  return { ...options, body: typeof body === "string" ? body : chunks(body) };
}

async function* chunks(body: readonly string[]): AsyncGenerator<string> {
  yield* body;
}

async function seen(response: TestResponse): Promise<ConformanceResponse> {
  const body = await response.text();
  return {
    status: response.status,
    headers: response.rawHeaders,
    body,
    trailers: response.trailers.toPairs(),
  };
}
