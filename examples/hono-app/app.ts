import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import {
  getConnInfo,
  serveStatic,
  streamSSE,
  upgradeWebSocket,
  type HonoEnvironment,
} from "pagi-server/hono";

const TICK_INTERVAL = Number(process.env["TICK_INTERVAL"] ?? 1000);

const app = new Hono<{ Bindings: HonoEnvironment }>();

app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name"), protocol: c.env.scope.http_version }));

app.get("/address", (c) => c.text(`You are ${getConnInfo(c).remote.address ?? "local"}.\n`));

/** Three ticks, or fewer for a client that disconnects. */
app.get("/ticks", (c) =>
  streamSSE(c, async (stream) => {
    for (let tick = 1; tick <= 3 && !stream.aborted; tick++) {
      await stream.writeSSE({ event: "tick", id: String(tick), data: `tick ${tick}` });
      await stream.sleep(TICK_INTERVAL);
    }
  }),
);

/** A WebSocket that answers in capitals. Without a name it is rejected. */
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

/** The page and its files, which load nothing from elsewhere. */
app.get(
  "*",
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["data:"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  }),
  serveStatic({ root: `${import.meta.dir}/public` }),
);

export default app;
