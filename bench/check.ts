import { BenchFailure } from "./failure.ts";
import { fetchOptions, isVarying, type LoadRequest } from "./load/request-text.ts";
import type { RunningServer } from "./servers.ts";

/**
 * Sends the request of the load, or a plain GET, and compares the response. A request that varies is sent twice.
 *
 * @throws BenchFailure when the status is not 200, or the body not the expected one.
 */
export async function checkAnswer(
  server: RunningServer,
  expected: string | Uint8Array,
  request: LoadRequest = {},
): Promise<void> {
  const due = Buffer.from(expected);
  for (const count of isVarying(request) ? [1, 2] : [1]) {
    const [target, init] = fetchOptions(request, count);
    // The benchmark's own certificate: nobody has signed it.
    const response = await fetch(new URL(target, server.url), {
      ...init,
      tls: { rejectUnauthorized: false },
    });
    const body = await response.bytes();
    if (response.status !== 200) fail(server, `answers ${response.status}, not 200`);
    if (!due.equals(body)) {
      fail(server, `answers ${body.byteLength} bytes that are not the ${due.byteLength} expected`);
    }
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
