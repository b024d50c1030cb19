import { setTimeout as sleep } from "node:timers/promises";
import { dispatch } from "pagi-server";

const CHUNKS = 5;
const PAUSE = 250; // milliseconds

/** Sends a body piece by piece, then a trailer that could not be known before the last piece. */
export default dispatch({
  async http(scope, _receive, send) {
    const connection = scope["pagi.connection"];
    let sent = 0;
    // Exactly one of the two is called for a request. What must be cleaned up in any case belongs into both.
    connection.onDisconnect((reason) =>
      console.error(`client gone after ${sent} of ${CHUNKS} chunks: ${reason}`),
    );
    connection.onComplete(() => console.error(`all ${CHUNKS} chunks delivered`));

    await send({
      type: "http.response.start",
      status: 200,
      headers: [
        ["content-type", "text/plain; charset=utf-8"],
        ["trailer", "content-digest"],
      ],
      trailers: true, // the response ends with the trailers, not with the last piece of the body
    });

    const hash = new Bun.CryptoHasher("sha256");
    while (sent < CHUNKS) {
      if (sent > 0) await pause(connection.signal);
      // After the client has gone, `send` does nothing, so no harm is done by going on; it is only wasted work.
      if (!connection.isConnected()) return;
      const chunk = `chunk ${sent + 1}\n`;
      hash.update(chunk);
      // Resolves when the client keeps up, and later when it does not: a slow reader slows this loop down.
      await send({ type: "http.response.body", body: chunk, more: ++sent < CHUNKS });
    }

    const digest = `sha-256=:${hash.digest("base64")}:`; // RFC 9530
    await send({ type: "http.response.trailers", headers: [["content-digest", digest]] });
  },
});

/** Waits for the next piece, or until there is nobody left to wait for. */
async function pause(signal: AbortSignal): Promise<void> {
  await sleep(PAUSE, undefined, { signal }).catch(() => {});
}
