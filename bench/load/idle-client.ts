// Opens connections, asks once on each, and holds them until a line comes. Arguments: port, connections, and `ws` for
// connections that become WebSockets.
import { readFileSync } from "node:fs";
import { openAll } from "./open-all.ts";
import { isAccepted, upgradeRequest } from "./websocket-handshake.ts";

const [port = 0, connections = 0] = process.argv.slice(2, 4).map(Number);
const isWebSocket = process.argv[4] === "ws";
const request = isWebSocket ? upgradeRequest("/echo") : "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

const files = Number(/Max open files\s+(\d+)/.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]);
const [low = 0, high = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1")
  .trim()
  .split(/\s+/)
  .map(Number);
if (files < connections + 100) {
  throw new Error(
    `${connections} connections need as many open files, and ${files} are allowed; raise ulimit -n`,
  );
}
if (high - low < connections) {
  throw new Error(
    `${connections} connections need as many ports, and ${high - low} are in net.ipv4.ip_local_port_range`,
  );
}

let lost = 0;
const sockets = await openAll(port, connections, request, {
  isReady: (received) =>
    isWebSocket
      ? isAccepted(received)
      : received.startsWith("HTTP/1.1 200 ") && received.endsWith("\r\n\r\nHello, World!"),
  onData() {},
  onClose: () => (lost += 1),
});
console.log("ready");
for await (const _line of console) break;
if (lost > 0) throw new Error(`the server closed ${lost} of ${connections} idle connections`);
console.log(JSON.stringify({ connections: sockets.length }));
process.exit(0);
