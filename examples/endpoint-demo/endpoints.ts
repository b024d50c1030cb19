import type { HttpContext, SseContext, WebSocketContext } from "pagi-server/context";
import { HttpEndpoint, SseEndpoint, WebSocketEndpoint } from "pagi-server/endpoint";
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

  override async onConnect({ websocket }: WebSocketContext) {
    await websocket.accept();
    await websocket.keepalive(25);
    await websocket.sendJson({ type: "welcome" });
  }

  override async onReceive({ websocket }: WebSocketContext, data: unknown) {
    const said = Said.safeParse(data);
    const answer = said.success
      ? { type: "echo", number: ++this.#count, text: said.data.text }
      : { type: "error", message: z.prettifyError(said.error) };
    await websocket.sendJson(answer);
  }

  override onDisconnect(_c: WebSocketContext, code: number) {
    console.error(`an echo has ended with ${code} after ${this.#count} messages`);
  }
}

/** An instance for each stream. It keeps its place on the board, so a slow client needs no queue. */
export class MessageEvents extends SseEndpoint {
  /** Seconds. */
  override readonly keepaliveInterval = 25;
  #place = 0;
  #isSending = false;

  override onConnect({ sse }: SseContext) {
    // A browser that has lost the connection says which message it had last.
    const last = sse.lastEventId ?? "";
    this.#place = /^\d{1,15}$/.test(last) ? Number(last) : 0;
    sse.onClose(board.watch(() => void this.#catchUp(sse)));
    void this.#catchUp(sse);
  }

  async #catchUp(sse: SseContext["sse"]): Promise<void> {
    if (this.#isSending) return; // it will come to the newest message by itself
    this.#isSending = true;
    for (let next = board.after(this.#place); next !== undefined; next = board.after(this.#place)) {
      this.#place = next.id;
      // Waits while the client is behind.
      await sse.trySendEvent({ id: next.id, data: next });
    }
    this.#isSending = false;
  }
}
