import { Hono } from "hono";
import { getConnInfo, upgradeWebSocket } from "../../../adapters/hono.ts";

const app = new Hono();
app.get("/user/:id", (c) => c.json({ id: c.req.param("id"), from: getConnInfo(c).remote.address }));
app.post("/echo", async (c) => c.json(await c.req.json<unknown>()));
app.get(
  "/ws",
  upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(String(data)) })),
);

export default app;
