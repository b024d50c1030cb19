// The same by `Bun.serve`, as its documentation would write it. Arguments: scenario, port.
const [, port = ""] = process.argv.slice(2);

const ROOM = "room";

const server = Bun.serve<{ isRoom: boolean }>({
  hostname: "127.0.0.1",
  port: Number(port),
  development: false,
  fetch(request, own) {
    if (own.upgrade(request, { data: { isRoom: request.url.endsWith("/room") } })) return undefined;
    return new Response("a WebSocket is expected", { status: 426 });
  },
  websocket: {
    open(socket) {
      if (!socket.data.isRoom) return;
      socket.subscribe(ROOM);
      socket.send("ready");
    },
    message(socket, message) {
      if (socket.data.isRoom) server.publish(ROOM, message);
      else socket.send(message);
    },
  },
});

export {};
