import { dispatch, type Application } from "pagi-server/spec";
import { PagiSse } from "pagi-server/sse";
import type { Chat } from "./chat.ts";
import { TIMES } from "./limits.ts";

/** Milliseconds that changes wait for others, so that many at once are one event. */
const GATHER = 100;

/** The event stream: `stats` at an interval, `rooms` when they have changed, and news, which have ids. */
export function feed(chat: Chat): Application {
  return dispatch({
    async sse(scope, receive, send) {
      const sse = new PagiSse(scope, receive, send);
      let place = startingPlace(sse.lastEventId, chat.news.lastId);
      let rooms = "";
      let isSending = false;
      let hasChanged = false;

      async function tell(): Promise<void> {
        hasChanged = true;
        if (isSending) return;
        isSending = true;
        // Each send waits while this client is behind; meanwhile the news stay where they are.
        while (hasChanged) {
          hasChanged = false;
          for (let item = chat.news.after(place); item !== undefined; item = chat.news.after(place)) {
            await sse.trySendEvent({ event: item.event, id: String(item.id), data: item.data });
            place = item.id;
          }
          const summaries = JSON.stringify(chat.summaries());
          if (summaries !== rooms) await sse.trySendEvent({ event: "rooms", data: (rooms = summaries) });
        }
        isSending = false;
      }

      let gathering: Timer | undefined;
      const unwatch = chat.news.watch(() => {
        gathering ??= setTimeout(() => {
          gathering = undefined;
          void tell();
        }, GATHER);
      });
      sse.onClose(() => {
        unwatch();
        clearTimeout(gathering);
      });
      await tell();
      await sse.every(TIMES.stats / 1000, async () => {
        await sse.trySendEvent({ event: "stats", data: chat.stats() });
      });
    },
  });
}

/** A browser that lost its stream says what it has had; everybody else begins with what comes next. */
function startingPlace(lastEventId: string | undefined, lastId: number): number {
  return lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId)
    ? Math.min(Number(lastEventId), lastId)
    : lastId;
}
