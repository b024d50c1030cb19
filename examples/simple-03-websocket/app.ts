import { html, Simple } from "pagi-server/simple";
import { z } from "zod";

const Said = z.object({ text: z.string().trim().min(1).max(500) });
const MAX_NAME = 30;

const app = new Simple({ name: "Chat" });

const page = html`<!doctype html>
  <html lang="en">
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Chat</title>
    <style>
      :root {
        color-scheme: light dark;
      }
      body {
        font:
          1.1rem/1.5 system-ui,
          sans-serif;
        max-width: 36rem;
        margin: 2rem auto;
        padding: 0 1rem;
      }
      #messages {
        height: 20rem;
        overflow-y: auto;
        border: 1px solid;
        border-radius: 0.4rem;
        padding: 0.5rem 1rem;
      }
      #messages p {
        margin: 0.3rem 0;
        overflow-wrap: anywhere;
      }
      .notice {
        font-style: italic;
        opacity: 0.75;
      }
      form {
        display: flex;
        gap: 0.5rem;
        margin-top: 1rem;
      }
      input {
        flex: 1;
      }
      input,
      button {
        font: inherit;
        padding: 0.3rem 0.6rem;
      }
    </style>
    <main>
      <h1>Chat</h1>
      <div id="messages" role="log" aria-live="polite" aria-label="Messages" tabindex="0"></div>
      <form id="form">
        <label for="text">Message</label>
        <input id="text" maxlength="500" autocomplete="off" autofocus />
        <button>Send</button>
      </form>
      <p id="state" role="status">Connecting…</p>
    </main>
    <script type="module">
      const name = new URLSearchParams(location.search).get("name") ?? "Guest";
      const messages = document.getElementById("messages");
      const state = document.getElementById("state");
      const text = document.getElementById("text");
      let socket;

      function show(kind, line) {
        const p = document.createElement("p");
        p.className = kind;
        p.textContent = line;
        messages.append(p);
        messages.scrollTop = messages.scrollHeight;
      }

      function connect() {
        const url = new URL("ws/general?" + new URLSearchParams({ name }), location.href);
        url.protocol = url.protocol.replace("http", "ws");
        socket = new WebSocket(url);
        socket.onopen = () => (state.textContent = "Connected as " + name);
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(data);
          if (message.type === "chat") show("chat", message.user + ": " + message.text);
          else show("notice", message.text);
        };
        socket.onclose = () => {
          state.textContent = "The connection is lost; trying again…";
          setTimeout(connect, 1000);
        };
      }

      document.getElementById("form").onsubmit = (event) => {
        event.preventDefault();
        if (text.value.trim() === "" || socket.readyState !== WebSocket.OPEN) return;
        socket.send(JSON.stringify({ text: text.value }));
        text.value = "";
      };
      connect();
    </script>
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
