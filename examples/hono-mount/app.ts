import { Hono } from "hono";
import { logger } from "hono/logger";
import { dispatch, type Application } from "pagi-server/spec";
import { pagi } from "pagi-server/hono";

/** A raw PAGI application: it says where it is, and echoes on a WebSocket. */
const raw: Application = dispatch({
  async http(scope, _receive, send) {
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
    await send({
      type: "http.response.body",
      body: `mounted at ${scope.root_path}, asked for ${scope.path}\n`,
    });
  },
  async websocket(_scope, receive, send) {
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.connect") await send({ type: "websocket.accept" });
      else if (event.type === "websocket.disconnect") return;
      else if (event.text !== undefined) await send({ type: "websocket.send", text: `raw: ${event.text}` });
    }
  },
});

const app = new Hono();

app.use(logger());
app.use("/raw/*", async (c, next) => {
  await next();
  c.header("x-mounted-by", "hono");
});
app.all("/raw/*", pagi(raw));
app.get("/", (c) => c.text("Hono itself\n"));

export default app;
