import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "../../src/server/server.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type {
  ConformanceClient,
  ConformanceRequest,
  ConformanceResponse,
  ConformanceSettings,
  ConformanceStream,
  ConformanceTarget,
  ConformanceWebSocket,
} from "../../testing/conformance.ts";
import type { Application } from "../../src/spec/index.ts";
import { RecordingLogger } from "./server.ts";
import { WebSocketWire, upgradeRequest } from "./websocket.ts";
import { Wire } from "./wire.ts";
import type { WireResponse } from "./wire.ts";

/** The server of this project, on a TCP port. */
export const OVER_TCP: ConformanceTarget = {
  serve: (app, settings) =>
    start(app, { port: 0 }, settings, (server) => {
      const address = server.listeners.find((each) => each.type === "tcp");
      if (address === undefined) throw new Error("the server listens at no port");
      return { host: address.host, port: address.port };
    }),
};

/** The server of this project, on a Unix socket. */
export const OVER_UNIX: ConformanceTarget = {
  async serve(app, settings) {
    const folder = await mkdtemp(join(tmpdir(), "pagi-conformance-"));
    const path = join(folder, "server.sock");
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      return await start(app, { listen: [`unix:${path}`] }, settings, () => ({ path }), remove);
    } catch (error) {
      await remove();
      throw error;
    }
  },
};

type Address = { readonly host: string; readonly port: number } | { readonly path: string };

async function start(
  app: Application,
  where: { readonly port: number } | { readonly listen: string[] },
  { highWaterMark, lowWaterMark }: ConformanceSettings,
  addressOf: (server: Server) => Address,
  cleanUp: () => Promise<void> = async () => {},
): Promise<ConformanceClient> {
  const options = await resolveOptions({
    ...where,
    env: "production",
    validateEvents: true,
    halfCloseGrace: 0,
    ...(highWaterMark === undefined ? {} : { writeHighWatermark: highWaterMark }),
    ...(lowWaterMark === undefined ? {} : { writeLowWatermark: lowWaterMark }),
  });
  const server = new Server(app, options, new RecordingLogger());
  await server.start();
  return new WireClient(server, addressOf(server), cleanUp);
}

class WireClient implements ConformanceClient {
  readonly #server: Server;
  readonly #address: Address;
  readonly #cleanUp: () => Promise<void>;
  readonly #wires: Wire[] = [];

  constructor(server: Server, address: Address, cleanUp: () => Promise<void>) {
    this.#server = server;
    this.#address = address;
    this.#cleanUp = cleanUp;
  }

  async request(request: ConformanceRequest): Promise<ConformanceResponse> {
    const wire = await this.#open();
    await wire.send(bytesOf(request));
    return seen(await wire.response(request.method));
  }

  stream(request: ConformanceRequest): ConformanceStream {
    return new WireStream(
      this.#open().then(async (wire) => {
        await wire.send(bytesOf(request));
        return wire;
      }),
    );
  }

  async websocket(
    request: ConformanceRequest & { readonly subprotocols?: readonly string[] },
  ): Promise<ConformanceWebSocket | ConformanceResponse> {
    const { target, subprotocols = [] } = request;
    const wire = await this.#open();
    const fields = subprotocols.length === 0 ? {} : { "Sec-WebSocket-Protocol": subprotocols.join(", ") };
    await wire.send(upgradeRequest(target, fields));
    const response = await wire.response();
    return response.status === 101 ? new WireWebSocket(WebSocketWire.of(wire, response)) : seen(response);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async dispose(): Promise<void> {
    for (const wire of this.#wires) await wire[Symbol.asyncDispose]();
    await this.#server.stop({ force: true });
    await this.#cleanUp();
  }

  async #open(): Promise<Wire> {
    const wire =
      "path" in this.#address ? await openUnix(this.#address.path) : await Wire.open(this.#address);
    this.#wires.push(wire);
    return wire;
  }
}

async function openUnix(path: string): Promise<Wire> {
  const socket = connect({ path, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new Wire(socket);
}

/** A response whose body is chunked, as all are that are longer than their server knows. */
class WireStream implements ConformanceStream {
  readonly #wire: Promise<Wire>;
  #head: Promise<Pick<ConformanceResponse, "status" | "headers">> | undefined;

  constructor(wire: Promise<Wire>) {
    this.#wire = wire;
  }

  head(): Promise<Pick<ConformanceResponse, "status" | "headers">> {
    return (this.#head ??= this.#readHead());
  }

  async next(): Promise<string | undefined> {
    await this.head();
    const wire = await this.#wire;
    const size = parseInt(await wire.readTo("\r\n"), 16);
    const piece = await wire.read(size + 2);
    return size === 0 ? undefined : Buffer.from(piece.slice(0, -2), "latin1").toString();
  }

  pause(): void {
    void this.#wire.then((wire) => wire.pause());
  }

  resume(): void {
    void this.#wire.then((wire) => wire.resume());
  }

  drop(): void {
    void this.#wire.then((wire) => wire[Symbol.asyncDispose]());
  }

  async #readHead(): Promise<Pick<ConformanceResponse, "status" | "headers">> {
    const [statusLine = "", ...lines] = (await (await this.#wire).readTo("\r\n\r\n")).trimEnd().split("\r\n");
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return { status: Number(statusLine.split(" ")[1]), headers };
  }
}

class WireWebSocket implements ConformanceWebSocket {
  readonly #wire: WebSocketWire;
  #closing: { readonly code: number; readonly reason: string } | undefined;
  #hasClosed = false;

  constructor(wire: WebSocketWire) {
    this.#wire = wire;
  }

  get subprotocol(): string | undefined {
    return this.#wire.response.headers.find(([name]) => name === "sec-websocket-protocol")?.[1];
  }

  send(message: string | Uint8Array): Promise<void> {
    return typeof message === "string" ? this.#wire.sendText(message) : this.#wire.sendBinary(message);
  }

  async next(): Promise<string | Uint8Array | undefined> {
    for (;;) {
      const message = this.#closing === undefined ? await this.#wire.nextMessage() : null;
      switch (message?.type) {
        case undefined:
          this.#closing ??= { code: 1006, reason: "" };
          return undefined;
        case "text":
          return message.text;
        case "binary":
          return message.bytes;
        case "ping":
          await this.#wire.send({ opcode: "pong", payload: message.bytes });
          break;
        case "close":
          this.#closing = { code: message.code, reason: message.reason };
          if (!this.#hasClosed) await this.#wire.sendClose(message.code, message.reason);
      }
    }
  }

  async close(code: number, reason: string): Promise<void> {
    this.#hasClosed = true;
    await this.#wire.sendClose(code, reason);
    await this.closing();
  }

  async closing(): Promise<{ readonly code: number; readonly reason: string }> {
    while ((await this.next()) !== undefined);
    return this.#closing ?? { code: 1006, reason: "" };
  }

  drop(): void {
    void this.#wire[Symbol.asyncDispose]();
  }
}

function bytesOf(request: ConformanceRequest): string {
  const { method = "GET", target, headers = [], body, httpVersion = "1.1" } = request;
  const lines = [`${method} ${target} HTTP/${httpVersion}`, "Host: localhost"];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (typeof body === "string") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  else if (body !== undefined) lines.push("Transfer-Encoding: chunked");
  const chunks = typeof body === "string" ? [latin1(body)] : (body ?? []).map(chunk);
  if (typeof body === "object") chunks.push("0\r\n\r\n");
  return `${lines.join("\r\n")}\r\n\r\n${chunks.join("")}`;
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${latin1(text)}\r\n`;
}

/** UTF-8, one char for each byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function seen({ status, headers, body, trailers }: WireResponse): ConformanceResponse {
  return { status, headers, body: Buffer.from(body, "latin1").toString(), trailers };
}
