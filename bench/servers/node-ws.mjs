// The same by npm's `ws`, run by node. Arguments: scenario, port.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [, port] = process.argv.slice(2);

const server = createServer();
const sockets = new WebSocketServer({ server });
const members = new Set();

sockets.on("connection", (socket, request) => {
  if (request.url === "/room") {
    members.add(socket);
    socket.on("close", () => members.delete(socket));
    socket.on("message", (data) => {
      for (const member of members) member.send(data, { binary: false });
    });
    socket.send("ready");
  } else socket.on("message", (data) => socket.send(data, { binary: false }));
});

server.listen(Number(port), "127.0.0.1", 4096);
