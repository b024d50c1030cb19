import { join } from "node:path";
import type { HttpContext, SseContext, WebSocketContext } from "pagi-server/context";
import { EndpointRouter, type Answer, type RouteBuilder } from "pagi-server/endpoint";
import { Stash } from "pagi-server/request";
import { around } from "pagi-server/router";
import { Api } from "./api.ts";
import { Metrics } from "./metrics.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

/** Middleware goes around what is mounted; what it puts into the stash is found there. */
const version = (name: string) =>
  around(async (scope, _receive, _send, next) => {
    if (scope.type !== "lifespan") new Stash(scope).set("version", name);
    await next();
  });

/** The handlers are methods; TypeScript compares each with the pattern of its route. */
export class Site extends EndpointRouter {
  routes(r: RouteBuilder<this>): void {
    r.get("/", [this.secured], this.home);
    r.get("/{name:page\\.(js|css)}", [this.secured], this.asset);
    r.mount("/api", [version("v1")], Api);
    r.websocket("/echo", this.echo);
    r.sse("/metrics", this.metrics);
  }

  /** What is set on the context goes out with whatever the handler answers. */
  async secured(c: HttpContext, next: () => Promise<Answer>) {
    c.setHeader("content-security-policy", POLICY).setHeader("x-content-type-options", "nosniff");
    return next();
  }

  home(c: HttpContext) {
    return c.sendFile(join(import.meta.dir, "public/index.html"));
  }

  asset(c: HttpContext<{ name: string }>) {
    return c.sendFile(join(import.meta.dir, "public", c.params.name));
  }

  async echo(c: WebSocketContext) {
    const metrics = Metrics.of(c.state);
    c.on("websocket.connect", async () => {
      await c.send({ type: "websocket.accept" });
      await c.send({ type: "websocket.keepalive", interval: 25 });
      metrics.connections++;
    });
    c.on("websocket.receive", async ({ text = "these are bytes" }) => {
      metrics.messages++;
      await c.send({ type: "websocket.send", text });
    });
    c.on("websocket.disconnect", () => void metrics.connections--);
    await c.run();
  }

  async metrics(c: SseContext) {
    const metrics = Metrics.of(c.state);
    await c.send({ type: "sse.start" });
    await c.send({ type: "sse.keepalive", interval: 15 });

    const id = (): string => String(metrics.number);
    const last = c.header("last-event-id") ?? "";
    const missed = metrics.number - Number(/^\d{1,15}$/.test(last) ? last : id());
    const hello =
      last === "" ? { event: "connected", data: "" } : { event: "reconnected", data: `${missed}` };
    await c.send({ type: "sse.send", ...hello, id: id(), retry: 3000 });

    // A client that is behind misses what is old by then: each number is the latest when it is sent.
    let isSending = false;
    const show = async (): Promise<void> => {
      if (isSending) return;
      isSending = true;
      const data = JSON.stringify(metrics.snapshot());
      await c.send({ type: "sse.send", event: "metrics", id: id(), data });
      isSending = false;
    };
    const unwatch = metrics.watch(() => void show());
    await show();
    await c.run(); // until the client has gone, or the server ends
    unwatch();
  }
}
