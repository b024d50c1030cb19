import { html, Simple } from "pagi-server/simple";
import { z } from "zod";

const Said = z.object({ text: z.string().trim().min(1).max(500) });
const MAX_NAME = 30;

const app = new Simple({ name: "Chat" });

// Scripts and styles are files of this application and nothing else, whatever anyone may write.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

app.static("/assets", `${import.meta.dir}/public`);

const page = html`<!doctype html>
  <html lang="en">
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Chat</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="assets/style.css" />
    <main>
      <h1>Chat</h1>
      <p id="state" role="status">Connecting…</p>
      <div id="messages" class="log" role="log" aria-label="Messages" tabindex="0"></div>
      <form id="form">
        <label for="text">Message</label>
        <div class="row">
          <input id="text" maxlength="500" autocomplete="off" enterkeyhint="send" autofocus />
          <button>Send</button>
        </div>
      </form>
      <noscript><p>This page needs JavaScript.</p></noscript>
    </main>
    <script type="module" src="assets/chat.js"></script>
  </html>`;

app.get("/", () => page);

app.websocket("/ws/:room", (ws) => {
  const room = `room:${ws.params.room}`;
  const user = ws.param("name")?.trim().slice(0, MAX_NAME) || "Guest";
  const notice = (text: string) => ({ type: "notice", text });

  ws.on("open", async () => {
    await ws.join(room);
    await ws.broadcast(room, notice(`${user} has joined; ${app.pubsub.subscribers(room)} here.`));
  });

  ws.on("message", async (data) => {
    const said = Said.safeParse(valueOf(data));
    if (said.success) await ws.broadcast(room, { type: "chat", user, text: said.data.text });
    else await ws.sendJson(notice('Send {"text": "..."}, with 1 to 500 characters.'));
  });

  ws.on("close", async () => {
    await ws.broadcastOthers(room, notice(`${user} has left.`));
  });
});

app.websocket("/echo", (ws) => {
  ws.on("message", (data) => ws.send(typeof data === "string" ? `Echo: ${data}` : data));
});

// A room can be spoken to from anywhere.
app.post("/announce/:room", async (c) => {
  const { text } = await c.validate(Said);
  const heardBy = await app.publish(`room:${c.params.room}`, { type: "notice", text });
  return { heardBy };
});

function valueOf(data: string | Uint8Array): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

export default app;
