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
    .get("/rooms", async (scope, _receive, send) => {
      await json(chat.summaries()).respond(send, scope);
    })
    .get("/room/:name/history", async (scope, _receive, send) => {
      await ofRoom(room(scope.path_params.name), (found) => found.messagesAfter(0)).respond(send, scope);
    })
    .get("/room/:name/users", async (scope, _receive, send) => {
      await ofRoom(room(scope.path_params.name), (found) => found.presences()).respond(send, scope);
    })
    .get("/stats", async (scope, _receive, send) => {
      await json(chat.stats()).respond(send, scope);
    });
}

function ofRoom(room: Room | undefined, view: (room: Room) => unknown): PagiResponse {
  return room === undefined ? json({ error: "Room not found" }, 404) : json(view(room));
}

function json(value: unknown, status = 200): PagiResponse {
  return PagiResponse.json(value, { status, headers: { "cache-control": "no-store" } });
}
