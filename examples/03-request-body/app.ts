import type { Application, HttpReceiveEvent, HttpSendEvent } from "pagi-server";
import { dispatch } from "pagi-server";

/** Bytes this application is ready to keep in memory for one request. The server has its own limit besides. */
const LIMIT = 1024 * 1024;

type Receive = () => Promise<HttpReceiveEvent>;
type Send = (event: HttpSendEvent) => Promise<void>;

/** Reads the whole request body, then sends it back. */
const app: Application = dispatch({
  async http(_scope, receive, send) {
    const body = await readBody(receive);
    switch (body) {
      case "gone":
        return; // nobody to answer; the server does not miss a response here
      case "too large":
        await answer(send, 413, [`That is more than ${LIMIT} bytes.\n`]);
        return;
      default: {
        const size = body.reduce((sum, piece) => sum + piece.length, 0);
        if (size === 0) await answer(send, 200, ["You sent no body.\n"]);
        else await answer(send, 200, [`You sent ${size} ${size === 1 ? "byte" : "bytes"}: `, ...body, "\n"]);
      }
    }
  },
});

/**
 * Collects the pieces until one says that no more follow. A request without a body has one empty piece, so this needs
 * no look at the method or the headers. The server reads from the network no faster than `receive` is called.
 */
async function readBody(receive: Receive): Promise<Uint8Array[] | "gone" | "too large"> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const event = await receive();
    if (event.type === "http.disconnect") return "gone";
    size += event.body.length;
    if (size > LIMIT) return "too large";
    pieces.push(event.body);
    if (!event.more) return pieces;
  }
}

/** A body may be sent as text, which becomes UTF-8, or as bytes, which go out as they are; and it may mix them. */
async function answer(send: Send, status: number, body: (Uint8Array | string)[]): Promise<void> {
  await send({
    type: "http.response.start",
    status,
    headers: [
      ["content-type", "text/plain; charset=utf-8"],
      ["x-content-type-options", "nosniff"], // what a stranger sent must not come back as a web page
    ],
  });
  for (const piece of body) await send({ type: "http.response.body", body: piece, more: true });
  await send({ type: "http.response.body" });
}

export default app;
