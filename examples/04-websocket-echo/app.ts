import type { WebSocketHandler } from "pagi-server";
import { dispatch } from "pagi-server";
import { page } from "./page.ts";

/** One call for each connection: its life is the life of the connection. */
const websocket: WebSocketHandler = async (_scope, receive, send) => {
  await receive(); // websocket.connect: the client waits for an answer to its handshake
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.disconnect") return;
    if (event.type === "websocket.connect") continue; // comes once, and was taken above
    // A message is text or bytes, and goes back as what it was. While the client does not read, `send` waits here,
    // nothing more is received, and the client has to wait as well.
    await send(
      event.text === undefined
        ? { type: "websocket.send", bytes: event.bytes }
        : { type: "websocket.send", text: event.text },
    );
  }
};

export default dispatch({ websocket, http: page });
