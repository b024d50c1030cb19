import { connect } from "node:net";
import type { Socket } from "node:net";

import { Load } from "./load.ts";
import { get, post } from "./wire.ts";
import { streamRequest } from "./sse.ts";

/**
 * An application for {@link MixedLoad}: `/` reads its request whole, `/early` answers without reading it, `/slow`
 * answers after a moment, and an event stream says something every few milliseconds until its client or server ends it.
 */
export const MIXED_APP = `
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export default async (scope, receive, send) => {
  if (scope.type === "sse") {
    await receive();
    await send({ type: "sse.start" });
    let isOver = false;
    void receive().then(() => (isOver = true));
    while (!isOver) {
      await send({ type: "sse.send", data: "tick" });
      await later(5);
    }
    return;
  }
  if (scope.type !== "http") throw new Error(scope.type);
  if (scope.path === "/slow") await later(20);
  let length = 0;
  for (let more = scope.path === "/"; more; ) {
    const event = await receive();
    if (event.type !== "http.request") return;
    length += event.body.byteLength;
    more = event.more;
  }
  const body = String(length);
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
`;

/** Bytes of an upload: more than a server reads away for a connection that it keeps. */
const UPLOAD = "x".repeat(200_000);

/**
 * What a proxy has to carry at the same time: short requests, uploads that are read, uploads that are answered unread,
 * event streams, and clients that leave in the middle. None of what it asks is sent again by a client or a proxy.
 */
export class MixedLoad implements AsyncDisposable {
  /** Event streams that were opened. */
  streams = 0;
  /** Requests whose client has left. */
  aborts = 0;
  readonly #lostStreams: string[] = [];
  readonly #where: { host: string; port: number };
  readonly #loads: readonly Load[];
  readonly #clients: readonly Promise<void>[];
  #isOver = false;

  constructor(where: { host: string; port: number }) {
    this.#where = where;
    this.#loads = [
      new Load(where, 8, post("/", "once")),
      new Load(where, 1, post("/", UPLOAD)),
      new Load(where, 2, post("/early", UPLOAD)),
    ];
    const many = (count: number, run: () => Promise<void>) => Array.from({ length: count }, run);
    this.#clients = [...many(6, () => this.#stream()), ...many(2, () => this.#abort())];
  }

  /** Whole answers with status 200. */
  get answered(): number {
    return this.#loads.reduce((sum, { answered }) => sum + answered, 0);
  }

  /** What became of the requests that were not answered. */
  get lost(): string[] {
    return [...this.#loads.flatMap(({ lost }) => lost), ...this.#lostStreams];
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#loads.map((each) => each.stop()), ...this.#clients]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Opens one stream after the other; each is left after some events, unless the server ends it before. */
  async #stream(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const socket = await this.#connected();
      socket.write(streamRequest({ target: "/events", fields: ["Connection: close"] }));
      const received = await until(socket, (text) => text.split("data: tick").length > 20 + (turn % 40));
      socket.destroy();
      if (received.startsWith("HTTP/1.1 200 ")) this.streams++;
      else this.#lostStreams.push(`a stream: ${JSON.stringify(received)}`);
    }
  }

  /** Asks, and leaves before the answer. */
  async #abort(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const socket = await this.#connected();
      socket.write(turn % 2 === 0 ? get("/slow") : post("/", UPLOAD).slice(0, 150_000));
      await Bun.sleep(turn % 15);
      socket.destroy();
      this.aborts++;
    }
  }

  async #connected(): Promise<Socket> {
    const socket = connect({ ...this.#where, noDelay: true });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
    return socket;
  }
}

/** What a socket receives until it is enough, or its end. */
async function until(socket: Socket, isEnough: (received: string) => boolean): Promise<string> {
  let received = "";
  socket.setEncoding("latin1");
  await new Promise<void>((resolve) => {
    socket.on("data", (text: string) => {
      received += text;
      if (isEnough(received)) resolve();
    });
    socket.once("close", () => resolve());
  });
  return received;
}
