// Uploads a file over and over, on several connections at once, and prints how many were answered and how long it took.
// Arguments: port, path, `form` or `raw`, connections, bytes of the file, seconds. Each connection makes one upload at
// least, and none that would begin after the time.
import type { Socket } from "bun";
import { UploadBody } from "./upload-body.ts";

const [port = "", path = "", kind = "", ...numbers] = process.argv.slice(2);
const [connections = 0, fileBytes = 0, seconds = 0] = numbers.map(Number);

interface Upload {
  /** Bytes of the request that the kernel has taken. */
  sent: number;
  received: string;
}

const body = new UploadBody(kind === "raw" ? "raw" : "form", path, fileBytes);
const begin = performance.now();
const limit = begin + seconds * 1000;
let requests = 0;
let running = connections;
const finished = Promise.withResolvers<void>();

function send(socket: Socket<Upload>): void {
  const state = socket.data;
  while (state.sent < body.length) {
    const bytes = body.bytesAt(state.sent);
    const taken = socket.write(bytes);
    state.sent += Math.max(0, taken);
    if (taken < bytes.length) return;
  }
}

/** Whether the answer is there. Throws for one that is wrong. */
function isAnswered(received: string): boolean {
  const [head = "", answer] = received.split("\r\n\r\n");
  if (answer === undefined) return false;
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
  if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`an upload was answered: ${head} ${answer}`);
  if (answer.length < length) return false;
  if (answer !== String(fileBytes))
    throw new Error(`an upload of ${fileBytes} bytes was answered: ${answer}`);
  return true;
}

for (let opened = 0; opened < connections; opened++) {
  await Bun.connect<Upload>({
    hostname: "127.0.0.1",
    port: Number(port),
    data: { sent: 0, received: "" },
    socket: {
      open: send,
      drain: send,
      data(socket, bytes) {
        const state = socket.data;
        state.received += bytes.toString("latin1");
        try {
          if (!isAnswered(state.received)) return;
        } catch (error) {
          finished.reject(error);
          return;
        }
        requests += 1;
        if (performance.now() < limit) {
          state.sent = 0;
          state.received = "";
          send(socket);
          return;
        }
        running -= 1;
        if (running === 0) finished.resolve();
      },
      // The connections stay until all is done, and end with this program.
      close: () => finished.reject(new Error("the server closed a connection")),
    },
  });
}

await finished.promise;
console.log(JSON.stringify({ requests, microseconds: (performance.now() - begin) * 1000 }));
process.exit(0);
