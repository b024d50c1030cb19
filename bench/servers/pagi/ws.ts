import type { Application, Send } from "../../../src/spec/index.ts";

const members = new Set<Send>();

/** Echo, and at `/room` a room in which everybody gets every message. */
const websocket: Application = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new Error(`no ${scope.type} here`);
  await receive();
  await send({ type: "websocket.accept" });
  const isRoom = scope.path === "/room";
  if (isRoom) {
    members.add(send);
    await send({ type: "websocket.send", text: "ready" });
  }
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") break;
    const { text = "" } = event;
    if (isRoom) await Promise.all(Array.from(members, (each) => each({ type: "websocket.send", text })));
    else await send({ type: "websocket.send", text });
  }
  members.delete(send);
};

export default websocket;
