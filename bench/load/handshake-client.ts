// Opens TLS connections one after the other, several at a time, asks once on each, and counts the answers. Arguments:
// port, connections at a time, seconds.
const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const LIMIT = 5000;

let answered = 0;
let handshakes = 0;
let resumed = 0;

/** One connection, from its handshake to the end of its answer. */
async function ask(): Promise<void> {
  const whole = Promise.withResolvers<void>();
  let received = "";
  const limit = setTimeout(() => whole.reject(new Error("an answer did not come in five seconds")), LIMIT);
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    tls: { rejectUnauthorized: false },
    socket: {
      handshake(own) {
        handshakes += 1;
        if (own.isSessionReused()) resumed += 1;
        own.write(REQUEST);
      },
      data(_, bytes) {
        received += bytes.toString("latin1");
        if (received.endsWith("\r\n\r\nHello, World!")) whole.resolve();
      },
      close: () => whole.reject(new Error("the server closed a connection before its answer was whole")),
      error: (_, error) => whole.reject(error),
    },
  });
  try {
    await whole.promise;
  } finally {
    clearTimeout(limit);
    socket.terminate();
  }
  if (!received.startsWith("HTTP/1.1 200 ")) throw new Error(`a wrong answer: ${received.slice(0, 50)}`);
  answered += 1;
}

async function askUntil(end: number): Promise<void> {
  while (performance.now() < end) await ask();
}

const begin = performance.now();
await Promise.all(Array.from({ length: connections }, () => askUntil(begin + seconds * 1000)));
const microseconds = (performance.now() - begin) * 1000;
if (resumed > 0) throw new Error(`${resumed} of ${handshakes} handshakes resumed a session`);
console.log(JSON.stringify({ answered, microseconds }));
process.exit(0);

export {};
