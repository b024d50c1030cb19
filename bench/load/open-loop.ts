// Asks at a constant rate, however fast the server answers, and prints how long the answers took. The time of a request
// counts from the moment when it was due, so a server that stalls pays for every request that had to wait for it.
// Arguments: port, connections, requests a second, seconds, seconds of warm-up.
//
// One loop of system calls: it costs a few microseconds a request, and less than any server does.
import { dlopen, ptr } from "bun:ffi";
import { requestText } from "./request-text.ts";

const [port = 0, connections = 0, rate = 0, seconds = 0, warmUp = 0] = process.argv.slice(2).map(Number);

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
});
const [AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY] = [2, 1, 6, 1];
const [MSG_DONTWAIT, MSG_NOSIGNAL] = [0x40, 0x4000];
const [EPOLL_CTL_ADD, EPOLLIN] = [1, 1];
const AT_ONCE = 256;
// struct epoll_event is packed on x86-64 only.
const [EVENT_BYTES, DATA_AT] = process.arch === "x64" ? [12, 4] : [16, 8];

const request = Buffer.from(requestText({}, port));
const incoming = Buffer.alloc(64 * 1024);
const events = Buffer.alloc(AT_ONCE * EVENT_BYTES);
const [requestAt, incomingAt, eventsAt] = [ptr(request), ptr(incoming), ptr(events)];

const sockets = Array.from({ length: connections }, open);
const answerBytes = sockets.map(firstAnswer)[0] ?? 0;
const epoll = libc.epoll_create1(0);
for (const [index, socket] of sockets.entries()) {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(EPOLLIN, 0);
  event.writeUInt32LE(index, DATA_AT);
  if (libc.epoll_ctl(epoll, EPOLL_CTL_ADD, socket, ptr(event)) !== 0) throw new Error("epoll_ctl failed");
}

const total = Math.max(1, Math.round(rate * (warmUp + seconds)));
const ignored = Math.min(total - 1, Math.round(rate * warmUp));
const interval = 1e9 / rate;
const limit = (warmUp + seconds + 10) * 1e9;
/** When the request that a connection waits for was due, in nanoseconds from the beginning. */
const dueAt = new Float64Array(connections);
const received = new Int32Array(connections);
/** The connections without a request, in a ring: the one that has waited longest is used next. */
const free = Int32Array.from(sockets, (_, index) => index);
const times: number[] = [];
let [freeFrom, freeCount, sent, answered] = [0, connections, 0, 0];

const begin = Bun.nanoseconds();
while (answered < total) {
  const now = Bun.nanoseconds() - begin;
  if (now > limit) {
    throw new Error(`the server answered ${answered} of ${total} requests at ${Math.round(rate)} a second`);
  }
  const due = Math.min(total, Math.floor(now / interval) + 1);
  while (sent < due && freeCount > 0) {
    const index = free[freeFrom] ?? 0;
    freeFrom = (freeFrom + 1) % connections;
    freeCount -= 1;
    dueAt[index] = sent * interval;
    received[index] = 0;
    sendRequest(sockets[index] ?? -1);
    sent += 1;
  }
  const ready = libc.epoll_wait(epoll, eventsAt, AT_ONCE, 0);
  for (let at = 0; at < ready; at++) take(events.readUInt32LE(at * EVENT_BYTES + DATA_AT));
}
times.splice(0, ignored);
times.sort((a, b) => a - b);
const microseconds = (share: number): number => (times[Math.floor((times.length - 1) * share)] ?? 0) / 1000;
console.log(
  JSON.stringify({ p50: microseconds(0.5), p99: microseconds(0.99), p999: microseconds(0.999), answered }),
);
process.exit(0);

function take(index: number): void {
  const length = libc.recv(sockets[index] ?? -1, incomingAt, incoming.length, MSG_DONTWAIT);
  if (length <= 0) throw new Error("the server closed a connection");
  if (received[index] === 0 && incoming.toString("latin1", 9, 12) !== "200") {
    throw new Error(`the server answered ${incoming.toString("latin1", 0, 20)}`);
  }
  const sum = (received[index] ?? 0) + length;
  received[index] = sum;
  if (sum > answerBytes) throw new Error(`an answer has ${sum} bytes, the first one had ${answerBytes}`);
  if (sum < answerBytes) return;
  times.push(Bun.nanoseconds() - begin - (dueAt[index] ?? 0));
  free[(freeFrom + freeCount) % connections] = index;
  freeCount += 1;
  answered += 1;
}

function open(): number {
  const socket = libc.socket(AF_INET, SOCK_STREAM, 0);
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  if (libc.connect(socket, ptr(address), address.length) !== 0) throw new Error("connect failed");
  libc.setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, ptr(Int32Array.of(1)), 4);
  return socket;
}

function sendRequest(socket: number): void {
  const taken = libc.send(socket, requestAt, request.length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (taken !== request.length) throw new Error("the kernel did not take a request");
}

/** Asks once and waits. Returns the number of bytes, which is the same for every answer. */
function firstAnswer(socket: number): number {
  sendRequest(socket);
  let answer = "";
  for (;;) {
    const length = libc.recv(socket, incomingAt, incoming.length, 0);
    if (length <= 0) throw new Error("the server closed a connection");
    answer += incoming.toString("latin1", 0, length);
    const headBytes = answer.indexOf("\r\n\r\n") + 4;
    const bodyBytes = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1];
    if (headBytes < 4) continue;
    if (bodyBytes === undefined) throw new Error("the answer has no content-length");
    if (answer.length >= headBytes + Number(bodyBytes)) return answer.length;
  }
}
