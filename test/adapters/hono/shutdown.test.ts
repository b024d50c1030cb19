import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { expect, test } from "bun:test";

import { hono } from "../../../adapters/hono.ts";
import { startServer } from "../../support/server.ts";
import { openWire } from "../../support/sse.ts";

test("an event stream of Hono's ends when the server is stopped, and does not hold it up", async () => {
  const aborted = Promise.withResolvers<void>();
  const app = new Hono();
  app.get("/", (c) =>
    streamSSE(c, async (stream) => {
      stream.onAbort(() => aborted.resolve());
      await stream.writeSSE({ data: "hello" });
      await aborted.promise; // as a stream does that waits for its next event
    }),
  );
  await using server = await startServer(hono(app), { shutdownTimeout: 20 });
  await using wire = await openWire(server);
  await wire.until((all) => (all.includes("data: hello") ? true : undefined));
  const stopped = server.server.stop();
  await aborted.promise;
  expect(await wire.readToEnd()).toEndWith("data: hello\n\n\r\n0\r\n\r\n");
  expect(await stopped).toBe(true);
  expect(server.logger.messages("error")).toEqual([]);
});
