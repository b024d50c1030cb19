import { html, Simple } from "pagi-server/simple";
import { z } from "zod";

const KINDS = ["notification", "update", "alert"] as const;
const News = z.object({
  type: z.enum(KINDS).default("notification"),
  text: z.string().trim().min(1).max(500),
});
type Item = z.infer<typeof News> & { readonly id: number };

/** What a client that was away can still be told. */
const KEPT = 100;

const app = new Simple({ name: "Notifications" });

// Scripts and styles are files of this application and nothing else, whatever anyone may write.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

app.static("/assets", `${import.meta.dir}/public`);
const recent: Item[] = [];
let lastId = 0;

app.get(
  "/",
  () =>
    html`<!doctype html>
      <html lang="en">
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Notifications</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="assets/style.css" />
        <main>
          <h1>Notifications</h1>
          <p class="row">
            ${KINDS.map((kind) => html`<button type="button" data-type="${kind}">Send: ${kind}</button>`)}
          </p>
          <p id="state" role="status">Connecting…</p>
          <div class="log" role="log" aria-label="Notifications" tabindex="0"><ul id="events"></ul></div>
          <noscript><p>This page needs JavaScript.</p></noscript>
        </main>
        <script type="module" src="assets/news.js"></script>
      </html>`,
);

app.sse("/events", async (sse) => {
  const send = ({ type, text, id }: Item) => sse.sendEvent({ event: type, data: text, id });
  // What the client has missed while it was away.
  const seen = Number(sse.lastEventId ?? lastId);
  for (const item of recent.filter(({ id }) => id > seen)) await send(item);
  await sse.subscribe("news", (id) => {
    const item = recent.find((each) => each.id === id);
    if (item !== undefined) return send(item);
  });
  await sse.sendComment("you are connected");
});

app.post("/trigger", async (c) => {
  const item = { id: ++lastId, ...(await c.validate(News)) };
  recent.push(item);
  if (recent.length > KEPT) recent.shift();
  return { recipients: await app.publish("news", item.id) };
});

// A channel for each user: without a callback a message is the data of an event.
app.sse("/events/:user", async (sse) => {
  const { user } = sse.params;
  await sse.subscribe(`user:${user}`);
  await sse.sendEvent({ event: "welcome", data: { message: `Welcome, ${user}!` } });
});

app.post("/notify/:user", async (c) => {
  const { text } = await c.validate(News);
  const recipients = await app.publish(`user:${c.params.user}`, { text });
  return c.json({ recipients }, { status: recipients === 0 ? 404 : 200 });
});

export default app;
