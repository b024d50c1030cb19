// The Hono application that all servers run. Plain JavaScript, for node runs it too.
import { Hono } from "hono";

export const app = new Hono();

app.get("/", (c) => c.text("Hello, World!"));
app.get("/user/:id", (c) => c.json({ id: c.req.param("id"), name: "Ada", tags: ["a", "b"] }));
app.post("/", async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)));
