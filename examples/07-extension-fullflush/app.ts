import { setTimeout as sleep } from "node:timers/promises";
import { dispatch } from "pagi-server";

const LINES = 3;
const WORK = 500; // milliseconds

/** Uses an extension where the server has it, and works without it where it has not. */
export default dispatch({
  async http(scope, _receive, send) {
    // An extension is there when its key is; the value holds its settings, and `fullflush` has none.
    const canFlush = scope.extensions.fullflush !== undefined;
    const flush = async (): Promise<void> => {
      if (canFlush) await send({ type: "http.fullflush" });
    };

    await send({
      type: "http.response.start",
      status: 200,
      headers: [
        ["content-type", "text/plain; charset=utf-8"],
        ["x-fullflush", canFlush ? "yes" : "no"],
      ],
    });
    // A server may keep the head back to send it together with the first bytes of the body. The client of this
    // response learns its status now, although the first line takes a while.
    await flush();

    for (let line = 1; line <= LINES; line++) {
      await sleep(WORK, undefined, { signal: scope["pagi.connection"].signal }).catch(() => {});
      await send({ type: "http.response.body", body: `line ${line}\n`, more: line < LINES });
      if (line < LINES) await flush();
    }
  },
});
