// Starts a server and asks until it answers. Arguments: port, file with the command, the server's core, own core.
import { dlopen, ptr } from "bun:ffi";
import type { Socket } from "bun";

const [port = "", order = "", serverCore = "", ownCore = ""] = process.argv.slice(2);
const command: string[] = await Bun.file(order).json();

// A child inherits the core of its parent. So this process moves to the server's core for the moment of the spawn,
// and nothing but the server's own start is measured, as it would be with taskset.
const moveTo = Number(serverCore) < 0 ? () => {} : affinity();

moveTo(Number(serverCore));
const begin = performance.now();
const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
moveTo(Number(ownCore));

try {
  const limit = begin + 15_000;
  while (!(await answered())) {
    if (child.exitCode !== null) throw new Error(`the server ended with exit code ${child.exitCode}`);
    if (performance.now() > limit) throw new Error("the server did not answer within 15 seconds");
  }
  console.log(JSON.stringify({ milliseconds: performance.now() - begin }));
} finally {
  child.kill("SIGKILL");
  await child.exited;
}

/** One attempt; false when nobody listens yet. */
async function answered(): Promise<boolean> {
  const whole = Promise.withResolvers<boolean>();
  let received = "";
  let socket: Socket;
  try {
    socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(port),
      socket: {
        data(_, bytes) {
          received += bytes.toString("latin1");
          if (received.endsWith("\r\n\r\nHello, World!")) whole.resolve(true);
        },
        close: () => whole.resolve(false),
      },
    });
  } catch {
    return false;
  }
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const complete = await whole.promise;
  socket.end();
  if (complete && !received.startsWith("HTTP/1.1 200 ")) throw new Error(`a wrong answer: ${received}`);
  return complete;
}

function affinity(): (core: number) => void {
  const { symbols } = dlopen("libc.so.6", {
    sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
  });
  return (core) => {
    const mask = new BigUint64Array([1n << BigInt(core)]);
    if (symbols.sched_setaffinity(0, BigInt(mask.byteLength), ptr(mask)) !== 0) {
      throw new Error(`the process cannot be moved to core ${core}`);
    }
  };
}
