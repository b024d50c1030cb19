import { createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

/** What an upstream writes after the head of an answer, piece by piece. */
export interface Piece {
  readonly bytes: string | Uint8Array;
  /** Waited for before the piece is written. */
  readonly after?: () => Promise<unknown>;
}

/** An answer as it stands on the wire. */
export interface UpstreamAnswer {
  /** The status line and the fields, without the empty line. */
  readonly head: readonly string[];
  /** Left out of an answer to HEAD. */
  readonly pieces: readonly Piece[];
  /** What becomes of the connection: `keep` it, end it with FIN, or `reset` it. Default `keep`. */
  readonly end?: "keep" | "fin" | "reset";
}

export interface Upstream extends Disposable {
  readonly url: string;
}

/** An HTTP/1.1 server that writes bytes: what an application fetches from. */
export async function startUpstream(
  answers: (path: string) => UpstreamAnswer | undefined,
): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      const [method = "", target = ""] = received.split(" ");
      received = "";
      const answer = answers(target) ?? { head: ["HTTP/1.1 404 Not Found", "Content-Length: 0"], pieces: [] };
      write(socket, answer, method === "HEAD").catch(() => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function write(socket: Socket, { head, pieces, end }: UpstreamAnswer, isHead: boolean): Promise<void> {
  socket.write(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  for (const { bytes, after } of isHead ? [] : pieces) {
    await after?.();
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }
  if (end === "fin") socket.end();
  else if (end === "reset") socket.resetAndDestroy();
}

/** A chunk of a chunked body; of no bytes, the last one. */
export function chunk(bytes: string | Uint8Array): Uint8Array {
  const data = Buffer.from(bytes);
  const size = Buffer.from(`${data.byteLength.toString(16)}\r\n`);
  return Buffer.concat([size, data, Buffer.from("\r\n")]);
}

/** The content codings that `fetch` undoes. */
export const ENCODERS = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;
