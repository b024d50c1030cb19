// Sends messages over WebSockets as fast as they come back, and counts them. The frames are made once and what comes
// is counted in bytes, so that the server works more than this program does.
// Arguments: port, path, connections, bytes of a message, messages in flight, seconds, seconds of warm-up. At `/echo`
// each connection gets its own message back; at `/room` the first one sends, and every connection gets the message.
import { openAll, type Writer } from "./open-all.ts";
import { clientFrame, FIRST_BYTE, serverFrameBytes } from "./websocket-frames.ts";
import { isAccepted, upgradeRequest } from "./websocket-handshake.ts";

const [port = "", path = "", ...numbers] = process.argv.slice(2);
const [connections = 0, payloadBytes = 0, inFlight = 0, seconds = 0, warmUp = 0] = numbers.map(Number);
const isRoom = path === "/room";

const frame = clientFrame(new TextEncoder().encode("quick brown fox ".repeat(payloadBytes / 16)));
const frames = Buffer.concat(Array.from({ length: inFlight }, () => frame));
const answerBytes = serverFrameBytes(payloadBytes);
/** Messages that come for each one that is sent. */
const fanOut = isRoom ? connections : 1;

let isSending = false;
let sent = 0;
let received = 0;
let allReceived = Promise.withResolvers<void>();
const failed = Promise.withResolvers<never>();
/** What the kernel has not taken. */
const unsent = new Map<Writer, Uint8Array>();

const sockets = await openAll(Number(port), connections, upgradeRequest(path), {
  isReady: (head) => isAccepted(head, isRoom ? "ready" : ""),
  onData(connection, bytes, socket) {
    if (connection.received === 0 && bytes[0] !== FIRST_BYTE) {
      failed.reject(new Error(`a frame begins with ${bytes.subarray(0, 16).toString("hex")}`));
    }
    const total = connection.received + bytes.byteLength;
    const whole = Math.floor(total / answerBytes);
    connection.received = total - whole * answerBytes;
    if (whole === 0) return;
    const answered = Math.floor((received + whole) / fanOut) - Math.floor(received / fanOut);
    received += whole;
    if (isSending) {
      if (answered > 0) send(isRoom ? first() : socket, answered);
    } else if (received === sent * fanOut) allReceived.resolve();
  },
  onDrain(socket) {
    const rest = unsent.get(socket);
    unsent.delete(socket);
    if (rest !== undefined) write(socket, rest);
  },
  onClose: () => failed.reject(new Error("the server closed a connection")),
});

function first(): Writer {
  const [socket] = sockets;
  if (socket === undefined) throw new Error("no connection is open");
  return socket;
}

function send(socket: Writer, count: number): void {
  sent += count;
  for (let left = count; left > 0; left -= inFlight) {
    write(socket, frames.subarray(0, Math.min(left, inFlight) * frame.byteLength));
  }
}

function write(socket: Writer, bytes: Uint8Array): void {
  const waiting = unsent.get(socket);
  if (waiting !== undefined) {
    unsent.set(socket, Buffer.concat([waiting, bytes]));
    return;
  }
  const taken = socket.write(bytes);
  if (taken < bytes.byteLength) unsent.set(socket, bytes.subarray(Math.max(taken, 0)));
}

/** Keeps the messages going round for a time. Resolves once the last has come back. */
async function run(duration: number): Promise<{ messages: number; microseconds: number }> {
  const before = received;
  const begin = performance.now();
  allReceived = Promise.withResolvers();
  isSending = true;
  for (const socket of isRoom ? [first()] : sockets) send(socket, inFlight);
  await Promise.race([Bun.sleep(duration * 1000), failed.promise]);
  isSending = false;
  const figures = { messages: received - before, microseconds: (performance.now() - begin) * 1000 };
  const limit = setTimeout(() => {
    failed.reject(new Error(`${sent * fanOut - received} messages did not come within five seconds`));
  }, 5000);
  await Promise.race([allReceived.promise, failed.promise]);
  clearTimeout(limit);
  return figures;
}

if (warmUp > 0) await run(warmUp);
console.log("ready");
for await (const _line of console) break;
console.log(JSON.stringify(await run(seconds)));
process.exit(0);
