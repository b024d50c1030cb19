import type { HttpContext } from "pagi-server/context";
import { HttpEndpoint, SseEndpoint, WebSocketEndpoint } from "pagi-server/endpoint";
import type { SseCall, WebSocketCall } from "pagi-server/endpoint";
import { z } from "zod";
import { Board } from "./board.ts";

const board = new Board(100);
board.add("Hello, World!");

const NewMessage = z.object({ text: z.string().trim().min(1, "Enter a text.").max(500) });

/** A method for each HTTP method. What the schema refuses is answered with 422, other methods with 405. */
export class Messages extends HttpEndpoint {
  override get(c: HttpContext) {
    return c.json(board.all());
  }

  override async post(c: HttpContext) {
    const { text } = await c.validate(NewMessage);
    return c.json(board.add(text), { status: 201 });
  }
}

const Said = z.object({ text: z.string().max(500) });

/** An instance for each connection, so what belongs to the connection may go into a field. */
export class Echo extends WebSocketEndpoint {
  /** Text that is no JSON closes the connection with 1007, binary messages with 1003. */
  override readonly encoding = "json";
  #count = 0;

  override async onConnect({ send }: WebSocketCall) {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.keepalive", interval: 25 });
    await send({ type: "websocket.send", text: JSON.stringify({ type: "welcome" }) });
  }

  override async onReceive({ send }: WebSocketCall, data: unknown) {
    const said = Said.safeParse(data);
    const answer = said.success
      ? { type: "echo", number: ++this.#count, text: said.data.text }
      : { type: "error", message: z.prettifyError(said.error) };
    await send({ type: "websocket.send", text: JSON.stringify(answer) });
  }

  override onDisconnect(_call: WebSocketCall, code: number) {
    console.error(`an echo has ended with ${code} after ${this.#count} messages`);
  }
}

/** An instance for each stream. It keeps its place on the board, so a slow client needs no queue. */
export class MessageEvents extends SseEndpoint {
  /** Seconds. */
  override readonly keepaliveInterval = 25;
  #place = 0;
  #isSending = false;
  #unwatch: (() => void) | undefined;

  override onConnect({ scope, send }: SseCall) {
    // A browser that has lost the connection says which message it had last.
    const last = scope.headers.find(([name]) => name === "last-event-id")?.[1] ?? "";
    this.#place = /^\d{1,15}$/.test(last) ? Number(last) : 0;
    this.#unwatch = board.watch(() => void this.#catchUp(send));
    void this.#catchUp(send);
  }

  override onDisconnect() {
    this.#unwatch?.();
  }

  async #catchUp(send: SseCall["send"]): Promise<void> {
    if (this.#isSending) return; // it will come to the newest message by itself
    this.#isSending = true;
    for (let next = board.after(this.#place); next !== undefined; next = board.after(this.#place)) {
      this.#place = next.id;
      // Waits while the client is behind.
      await send({ type: "sse.send", event: "message", id: String(next.id), data: JSON.stringify(next) });
    }
    this.#isSending = false;
  }
}
