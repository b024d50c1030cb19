import { handler } from "pagi-server/context";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import type { Chat } from "./chat.ts";
import { RoomName } from "./names.ts";
import type { Room } from "./room.ts";

/** What everybody may read of the chat, as JSON. */
export function api(chat: Chat): Router {
  const room = (name: string): Room | undefined => {
    const { data } = RoomName.safeParse(name);
    return data === undefined ? undefined : chat.room(data);
  };
  return new Router({ notFound: json({ error: "Not found" }, 404) })
    .get(
      "/rooms",
      handler(() => json(chat.summaries())),
    )
    .get(
      "/room/:name/history",
      handler(({ params }) => ofRoom(room(params.name), (found) => found.messagesAfter(0))),
    )
    .get(
      "/room/:name/users",
      handler(({ params }) => ofRoom(room(params.name), (found) => found.presences())),
    )
    .get(
      "/stats",
      handler(() => json(chat.stats())),
    );
}

function ofRoom(room: Room | undefined, view: (room: Room) => unknown): PagiResponse {
  return room === undefined ? json({ error: "Room not found" }, 404) : json(view(room));
}

function json(value: unknown, status = 200): PagiResponse {
  return PagiResponse.json(value, { status, headers: { "cache-control": "no-store" } });
}
