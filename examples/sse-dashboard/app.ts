import { join } from "node:path";
import { directory } from "pagi-server/apps/directory";
import { wrap } from "pagi-server/lifespan";
import { PagiResponse } from "pagi-server/response";
import { around, Router } from "pagi-server/router";
import { dispatch } from "pagi-server/spec";
import { PagiSse } from "pagi-server/sse";
import { pagePolicy } from "./page-policy.ts";
import { Sampler } from "./sampler.ts";

/** Milliseconds between two samples. */
const INTERVAL = Number(process.env["SAMPLE_INTERVAL"] ?? 1000);
/** Samples that a new page begins with, so that its charts are not empty. */
const BEGINNING = 60;

/** Milliseconds after which a browser that lost the stream comes back. */
const RETRY = 1000;

const sampler = new Sampler();

/** Counts everything that is asked for, by whatever protocol. */
const counted = around(async (scope, _receive, _send, next) => {
  if (scope.type !== "lifespan") sampler.requests++;
  await next();
});

const events = dispatch({
  async sse(scope, receive, send) {
    const sse = new PagiSse(scope, receive, send);
    const lastId = sse.lastEventId ?? sse.queryParam("last-event-id");
    let place = startingPlace(lastId);
    await sse.sendEvent({
      event: place.isResumed ? "resumed" : "connected",
      data: { after: place.id },
      retry: RETRY,
    });

    let isSending = false;
    async function catchUp(): Promise<void> {
      if (isSending) return; // it will come to the newest sample by itself
      isSending = true;
      for (let sample = sampler.after(place.id); sample !== undefined; sample = sampler.after(place.id)) {
        // Waits while this client is behind; meanwhile the samples stay where they are.
        await sse.trySendEvent({ event: "sample", id: String(sample.at), data: sample });
        place = { id: sample.at, isResumed: true };
      }
      isSending = false;
    }

    const unwatch = sampler.watch(() => void catchUp());
    sse.onClose(async (reason) => {
      unwatch();
      // At a shutdown the stream is still open to last words.
      if (reason === "server_shutdown")
        await sse.sendEvent({ event: "goodbye", data: "The server stops.", retry: RETRY });
    });
    await catchUp();
    await sse.run();
  },
});

/** A browser that lost its stream says what it has had; a new one gets the latest samples. */
function startingPlace(lastId: string | undefined): { id: number; isResumed: boolean } {
  if (lastId !== undefined && /^\d{1,15}$/.test(lastId))
    return { id: Math.min(Number(lastId), sampler.latestId), isResumed: true };
  return { id: sampler.before(BEGINNING), isResumed: false };
}

const router = new Router()
  .sse("/events", events)
  .post("/work", PagiResponse.empty())
  .mount("/", [pagePolicy], directory({ root: join(import.meta.dir, "public"), listing: false }));

export default wrap(counted(router.toApp()), {
  startup: () => sampler.start(INTERVAL),
  shutdown: () => sampler.stop(),
});
