// Opens event streams, asks the server to begin, and prints how long all of them took. Arguments: port, clients, events.
import { openAll } from "./open-all.ts";

const [port = 0, clients = 0, events = 0] = process.argv.slice(2).map(Number);

const REQUEST = "GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
// `event: tick`, `id: N` and the data line: what the shortest event takes.
const LEAST_BYTES = events * 70;

/** The last chunk's end and the empty chunk, which may come in pieces. */
const END = "\r\n0\r\n\r\n";

let ended = 0;
const finished = Promise.withResolvers<void>();

await openAll(port, clients, REQUEST, {
  // The server's comment, which comes before the events.
  isReady: (received) => received.includes("ready\n\n"),
  onData(connection, bytes) {
    connection.received += bytes.byteLength;
    connection.tail = (connection.tail + bytes.subarray(-END.length).toString("latin1")).slice(-END.length);
    if (!connection.ended && connection.tail === END) end(connection);
  },
  onClose(connection) {
    if (!connection.ended) end(connection);
  },
});

function end(connection: { ended: boolean; received: number }): void {
  connection.ended = true;
  ended += 1;
  if (connection.received < LEAST_BYTES) {
    finished.reject(
      new Error(`a stream ended after ${connection.received} bytes; at least ${LEAST_BYTES} were due`),
    );
  } else if (ended === clients) finished.resolve();
}

const begin = performance.now();
await fetch(`http://127.0.0.1:${port}/go`);
await finished.promise;
console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000 }));
process.exit(0);
