import { Hono } from "hono";
import { getConnInfo, streamSSE, upgradeWebSocket, type HonoEnvironment } from "pagi-server/hono";

const TICK_INTERVAL = Number(process.env["TICK_INTERVAL"] ?? 1000);

const app = new Hono<{ Bindings: HonoEnvironment }>();

app.get("/", (c) => c.html(PAGE));

app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name"), protocol: c.env.scope.http_version }));

app.get("/address", (c) => c.text(`You are ${getConnInfo(c).remote.address ?? "local"}.\n`));

/** Three ticks, or fewer for a client that goes. */
app.get("/ticks", (c) =>
  streamSSE(c, async (stream) => {
    for (let tick = 1; tick <= 3 && !stream.aborted; tick++) {
      await stream.writeSSE({ event: "tick", id: String(tick), data: `tick ${tick}` });
      await stream.sleep(TICK_INTERVAL);
    }
  }),
);

/** A WebSocket that answers in capitals. Without a name there is none. */
app.get(
  "/shout",
  async (c, next) => {
    if (c.req.query("name") === undefined) return c.text("Say who you are: /shout?name=Ada\n", 401);
    return next();
  },
  upgradeWebSocket((c) => ({
    onOpen: (_, ws) => ws.send(`Hello, ${c.req.query("name")}`),
    onMessage: ({ data }, ws) => ws.send(String(data).toUpperCase()),
    onClose: ({ code }) => console.log(`${c.req.query("name")} has gone with ${code}`),
  })),
);

const PAGE = `<!doctype html>
<meta charset="utf-8" />
<title>Hono on pagi-server</title>
<p>Event stream: <output id="tick">nothing yet</output></p>
<p>WebSocket: <output id="shout">nothing yet</output></p>
<script>
  const show = (id, text) => (document.getElementById(id).textContent = text);
  const ticks = new EventSource("/ticks");
  ticks.addEventListener("tick", ({ data }) => show("tick", data));
  ticks.onerror = () => ticks.close();
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/shout?name=Ada");
  socket.onopen = () => socket.send("grüße 🌍");
  socket.onmessage = ({ data }) => show("shout", data);
</script>
`;

export default app;
