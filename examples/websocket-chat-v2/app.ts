import { join } from "node:path";
import { directory } from "pagi-server/apps/directory";
import { around, Router } from "pagi-server/router";
import type { Headers } from "pagi-server/spec";
import { PagiWebSocket } from "pagi-server/websocket";
import { z } from "zod";

/** The most people in a room, and rooms. */
const PEOPLE = 100;
const ROOMS = 100;
/** Milliseconds in which one person is heard once. */
const PACE = Number(process.env["CHAT_PACE"] ?? 200);

/** What may be the name of a person or a room: nothing in it is invisible, so that names that look the same are the same. */
const NAME =
  /^[[\p{L}\p{N}]--\p{Default_Ignorable_Code_Point}][[\p{L}\p{M}\p{N}_\-]--\p{Default_Ignorable_Code_Point}]{0,19}$/v;

/** What clients send. */
const Saying = z.object({ text: z.string().trim().min(1).max(500) });

/** What the server sends. */
type News =
  | { readonly type: "people"; readonly names: readonly string[] }
  | { readonly type: "said"; readonly from: string; readonly text: string };

/** The people in each room, by name. A room is there for as long as somebody is in it. */
const rooms = new Map<string, Map<string, PagiWebSocket>>();

const router = new Router().websocket("/rooms/:room", async (scope, receive, send) => {
  const ws = new PagiWebSocket(scope, receive, send);
  // In one spelling: an ö may be one char or two.
  const roomName = scope.path_params.room.normalize("NFKC");
  const name = (ws.queryParam("name") ?? "").normalize("NFKC");
  const room = rooms.get(roomName) ?? new Map<string, PagiWebSocket>();
  const refusal = refusalOf(roomName, name, room);
  if (refusal !== undefined) return await ws.deny(refusal);

  // The name is taken before anything is waited for, so that nobody else gets it meanwhile.
  rooms.set(roomName, room.set(name, ws));
  ws.onClose(() => {
    room.delete(name);
    if (room.size === 0) rooms.delete(roomName);
    tell(room, { type: "people", names: [...room.keys()] });
  });
  await ws.accept();
  await ws.keepalive(25, 25);
  tell(room, { type: "people", names: [...room.keys()] });

  // What is no saying closes the connection with 1007, and the reason says what is wrong with it.
  await ws.eachJson(Saying, async ({ text }) => {
    tell(room, { type: "said", from: name, text });
    // Until then nothing more is received, so that a client which sends faster has to wait.
    await Bun.sleep(PACE);
  });
});

/** Why somebody cannot come in. A client that is no browser can read it in the answer to its handshake. */
function refusalOf(
  roomName: string,
  name: string,
  room: ReadonlyMap<string, unknown>,
): { status: number; body: string } | undefined {
  if (!NAME.test(roomName) || !NAME.test(name))
    return { status: 400, body: "A name has 1 to 20 letters, digits, '_' and '-'.\n" };
  if (room.has(name)) return { status: 409, body: `Somebody in the room is called ${name} already.\n` };
  if (room.size >= PEOPLE || (room.size === 0 && rooms.size >= ROOMS))
    return { status: 503, body: "There is no place left.\n" };
  return undefined;
}

/** Nobody waits for anybody: who does not read what the others say has to come again. */
function tell(room: ReadonlyMap<string, PagiWebSocket>, news: News): void {
  for (const ws of room.values()) {
    if (ws.isWritable()) void ws.trySendJson(news);
    else void ws.close(1013, "You are too slow.");
  }
}

/** The page's own files and nothing else. */
const POLICY: Headers = [
  [
    "content-security-policy",
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
];

/** Adds the policy to every response that has none, as the directory's own error pages have. */
const pagePolicy = around((_scope, _receive, send, next) =>
  next({
    send: (event) =>
      event.type === "http.response.start"
        ? send({ ...event, headers: withPolicy(event.headers ?? []) })
        : send(event),
  }),
);

function withPolicy(headers: Headers): Headers {
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...headers, ...POLICY.filter(([name]) => !own.has(name))];
}

export default router.mount(
  "/",
  [pagePolicy],
  directory({ root: join(import.meta.dir, "public"), listing: false }),
);
