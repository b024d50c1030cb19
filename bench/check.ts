import { BenchFailure } from "./failure.ts";
import type { RunningServer } from "./servers.ts";

/**
 * Asks once and compares.
 *
 * @throws BenchFailure when status or body bytes are not what every server must answer.
 */
export async function checkAnswer(
  server: RunningServer,
  expected: Uint8Array,
  request: { method?: string; body?: string } = {},
): Promise<void> {
  const response = await fetch(server.url, request);
  const body = await response.bytes();
  if (response.status !== 200) fail(server, `answers ${response.status}, not 200`);
  if (!Buffer.from(body).equals(expected)) {
    fail(server, `answers ${body.byteLength} bytes that are not the ${expected.byteLength} expected`);
  }
}

/**
 * Sends several requests in one write and reads until all answers are there.
 *
 * @throws BenchFailure when they do not come in five seconds, or are not all 200.
 */
export async function checkPipelining(server: RunningServer, depth: number, body: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = "";
  const answers = (): number => received.split(`\r\n\r\n${body}`).length - 1;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      data(_, bytes) {
        received += bytes.toString("latin1");
        if (answers() >= depth) resolve();
      },
      close: () => resolve(),
    },
  });
  const timer = setTimeout(resolve, 5000);
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(depth));
  await promise;
  clearTimeout(timer);
  socket.end();
  if (answers() !== depth || received.split("HTTP/1.1 200 ").length - 1 !== depth) {
    fail(server, `answers ${answers()} of ${depth} pipelined requests`);
  }
}

function fail(server: RunningServer, problem: string): never {
  throw new BenchFailure(`${server.kind.title} ${problem} (${server.url}); nothing was measured.`);
}
