import type { HttpHandler, LifespanHandler, SseHandler, SseScope } from "pagi-server";
import { dispatch } from "pagi-server";
import { page } from "./page.ts";

/** Milliseconds between two ticks. */
const INTERVAL = Number(process.env["TICK_INTERVAL"] ?? 1000);
/** How many ticks a client that comes back can catch up with. */
const HISTORY = 1000;
/** Seconds of silence after which a comment keeps proxies from closing the stream. */
const KEEPALIVE = 15;

/**
 * One source for any number of readers. It keeps the latest ticks; a reader only keeps its place among them, so a slow
 * reader needs no queue of its own and holds nobody up. One that falls behind the history misses ticks and can see it
 * from the ids.
 */
class Ticker {
  readonly #history: number[] = [];
  readonly #readers = new Set<() => void>();
  latest = 0;

  tick(): void {
    this.#history.push(++this.latest);
    if (this.#history.length > HISTORY) this.#history.shift();
    for (const wake of this.#readers) wake();
  }

  /** The oldest kept tick after `place`. */
  after(place: number): number | undefined {
    const oldest = this.#history[0] ?? 1;
    return this.#history[Math.max(place + 1 - oldest, 0)];
  }

  /** Calls `wake` after each tick; returns the function that ends this. */
  watch(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }
}

const ticker = new Ticker();

/** The source belongs to the application and not to a request: it runs from startup to shutdown. */
const lifespan: LifespanHandler = async (scope, receive, send) => {
  await receive(); // lifespan.startup
  // With workers, the supervisor has a lifespan too, but no clients.
  const serves = scope.pagi.role !== "supervisor";
  const timer = serves ? setInterval(() => ticker.tick(), INTERVAL) : undefined;
  await send({ type: "lifespan.startup.complete" });
  await receive(); // lifespan.shutdown
  clearInterval(timer);
  await send({ type: "lifespan.shutdown.complete" });
};

/** One call for each open stream. */
const sse: SseHandler = async (scope, receive, send) => {
  if (scope.path !== "/events") {
    await send({ type: "sse.http.response.start", status: 404, headers: [["content-type", "text/plain"]] });
    await send({ type: "sse.http.response.body", body: "The stream is at /events.\n" });
    return;
  }

  await send({ type: "sse.start" });
  await send({ type: "sse.keepalive", interval: KEEPALIVE });

  let place = startingPlace(scope);
  let isSending = false;
  const catchUp = async (): Promise<void> => {
    if (isSending) return; // it will come to the newest tick by itself
    isSending = true;
    for (let tick = ticker.after(place); tick !== undefined; tick = ticker.after(place)) {
      // Waits while this client is behind; meanwhile the ticks stay in the history.
      await send({ type: "sse.send", event: "tick", id: String(tick), data: JSON.stringify({ tick }) });
      place = tick;
    }
    isSending = false;
  };

  const unwatch = ticker.watch(catchUp);
  await catchUp();
  for (;;) {
    const event = await receive();
    if (event.type === "sse.request") continue; // the request body; a GET has one empty piece
    unwatch();
    // At a shutdown the stream is still open: the application has the last word and ends it by returning.
    if (event.reason === "server_shutdown") {
      await send({ type: "sse.send", event: "goodbye", data: "The server restarts.", retry: 2000 });
    }
    return;
  }
};

/** A browser that lost its stream says where it was; everybody else begins with the next tick. */
function startingPlace(scope: SseScope): number {
  const given = scope.headers.find(([name]) => name === "last-event-id")?.[1];
  if (given === undefined || !/^\d+$/.test(given)) return ticker.latest;
  return Math.min(Number(given), ticker.latest); // a larger one is from before a restart
}

/** Everything that does not ask for an event stream. */
const http: HttpHandler = async (scope, receive, send) => {
  if (scope.path !== "/events") return await page(scope, receive, send);
  await send({ type: "http.response.start", status: 406, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: "Ask for it with 'Accept: text/event-stream'.\n" });
};

export default dispatch({ lifespan, sse, http });
