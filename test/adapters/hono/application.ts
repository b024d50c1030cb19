import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { methodOverride } from "hono/method-override";
import { poweredBy } from "hono/powered-by";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { timeout } from "hono/timeout";
import { trimTrailingSlash } from "hono/trailing-slash";
import { join } from "node:path";

// One Hono application that uses much of Hono and nothing of any server: it runs on `Bun.serve` as it runs here.

const LICENSE = join(import.meta.dir, "../../../LICENSE");
const BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

export const application = new Hono();

application.get("/text", (c) => c.text("text"));
application.get("/empty", (c) => c.body(null));
application.get("/empty-text", (c) => c.text(""));
application.get("/json", (c) => c.json({ a: [1, "é"], b: null }));
application.get("/html", (c) => c.html(html`<p>${"<&>"}</p>`));
application.get("/bytes", (c) => c.body(BYTES));
application.get("/blob", () => new Response(new Blob(["blob"], { type: "image/png" })));
application.get("/form-response", () => new Response(new URLSearchParams({ a: "1 2" })));
application.get("/plain-response", () => new Response("plain"));
application.get("/file", () => new Response(Bun.file(LICENSE)));
application.get("/file-slice", () => new Response(Bun.file(LICENSE).slice(4, 20)));
application.get("/utf8", (c) => c.text("Grüße, 世界 🌍"));
application.get("/status/:code", (c) => new Response("body", { status: Number(c.req.param("code")) }));
application.get("/null-status/:code", (c) => new Response(null, { status: Number(c.req.param("code")) }));
application.get("/redirect", (c) => c.redirect("/elsewhere?a=b"));
application.get("/redirect-308", (c) => c.redirect("http://example.org/", 308));
application.get("/cookies", (c) => {
  setCookie(c, "a", "1", { httpOnly: true });
  setCookie(c, "b", "2", { path: "/x", maxAge: 60, sameSite: "Strict" });
  return c.json(getCookie(c));
});
application.get("/repeated", (c) => {
  c.header("x-list", "a");
  c.header("x-list", "b", { append: true });
  c.header("vary", "accept");
  return c.text("repeated");
});
application.get("/latin1", (c) => c.text("", 200, { "x-latin1": "caf\xe9" }));
application.get("/header/:name", (c) => c.json(c.req.header(c.req.param("name")) ?? null));
application.get("/query", (c) => c.json({ one: c.req.query("a") ?? null, all: c.req.queries() }));
application.get("/param/:name/:rest{.+}", (c) => c.json(c.req.param()));
application.get("/url", (c) => c.text(new URL(c.req.url).pathname + new URL(c.req.url).search));
application.all("/method", (c) => c.text(c.req.method));
application.post("/echo", async (c) => c.body(await c.req.arrayBuffer()));
application.post("/echo-text", async (c) => c.text(await c.req.text()));
application.post("/echo-json", async (c) => c.json(await c.req.json<unknown>()));
application.post("/echo-form", async (c) => c.json(await c.req.parseBody({ all: true })));
application.post("/echo-upload", async (c) => {
  const { file } = await c.req.parseBody();
  return file instanceof File
    ? c.json({ name: file.name, type: file.type, text: await file.text() })
    : c.notFound();
});
application.post("/echo-stream", (c) => new Response(c.req.raw.body));
application.post("/ignore", (c) => c.text("ignored"));
application.post("/twice", async (c) =>
  c.text(`${await c.req.text()} ${(await c.req.json<string>()) + "!"}`),
);
application.get("/stream", (c) =>
  stream(c, async (out) => {
    await out.write("one ");
    await out.write(new TextEncoder().encode("two"));
  }),
);
application.get("/stream-text", (c) => streamText(c, async (out) => void (await out.writeln("line"))));
application.get("/sse", (c) =>
  streamSSE(c, async (out) => {
    await out.writeSSE({ data: "a\nb", event: "e", id: "1" });
    await out.writeSSE({ data: "last", retry: 10 });
  }),
);
application.get("/throw", () => {
  throw new HTTPException(418, { message: "teapot" });
});
application.get("/throw-response", () => {
  throw new HTTPException(401, {
    res: new Response("no", { status: 401, headers: { "www-authenticate": "X" } }),
  });
});

application.use("/basic", basicAuth({ username: "u", password: "p" }));
application.get("/basic", (c) => c.text("in"));
application.use("/bearer", bearerAuth({ token: "t" }));
application.get("/bearer", (c) => c.text("in"));
application.use("/limited", bodyLimit({ maxSize: 4 }));
application.post("/limited", async (c) => c.text(await c.req.text()));
application.use("/compress", compress({ threshold: 1 }));
application.get("/compress", (c) => c.text("x".repeat(5000)));
application.use("/cors", cors({ origin: "http://example.org", allowMethods: ["GET", "PUT"], maxAge: 5 }));
application.all("/cors", (c) => c.text("cors"));
application.use("/csrf", csrf());
application.post("/csrf", (c) => c.text("done"));
application.use("/etag", etag());
application.get("/etag", (c) => c.text("tagged"));
application.use("/override", methodOverride({ app: application, header: "x-method" }));
application.delete("/override", (c) => c.text("deleted"));
application.use("/powered", poweredBy());
application.get("/powered", (c) => c.text("powered"));
application.use("/pretty", prettyJSON());
application.get("/pretty", (c) => c.json({ a: 1 }));
application.use("/id", requestId());
application.get("/id", (c) => c.text(c.get("requestId")));
application.use("/secure", secureHeaders());
application.get("/secure", (c) => c.text("secure"));
application.use("/timeout", timeout(20));
application.get("/timeout", () => new Promise<Response>(() => {}));
application.use("/slash/*", trimTrailingSlash());
application.get("/slash", (c) => c.text("slash"));
application.mount("/mounted", (request) => new Response(new URL(request.url).pathname));
application.route(
  "/sub",
  new Hono().get("/deep", (c) => c.text("deep")),
);
