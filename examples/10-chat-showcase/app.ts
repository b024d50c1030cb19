import { join } from "node:path";
import { directory } from "pagi-server/apps/directory";
import { wrap } from "pagi-server/lifespan";
import { Router } from "pagi-server/router";
import { api } from "./api.ts";
import { Chat } from "./chat.ts";
import { connection } from "./connection.ts";
import { feed } from "./feed.ts";
import { pagePolicy } from "./page-policy.ts";

const chat = new Chat();

const router = new Router()
  .websocket("/ws/chat", connection(chat))
  .sse("/events", feed(chat))
  .mount("/api", api(chat))
  .mount("/", [pagePolicy], directory({ root: join(import.meta.dir, "public"), listing: false }));

export default wrap(router, {
  startup: () => console.error(`The chat is open, with ${chat.stats().rooms} rooms.`),
  shutdown: () => {
    const { messages } = chat.stats();
    chat.close();
    console.error(`The chat is closed. ${messages} messages were sent.`);
  },
});
