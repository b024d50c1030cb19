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

  async echo({ websocket, state }: WebSocketContext) {
    const metrics = Metrics.of(state);
    await websocket.accept();
    await websocket.keepalive(25);
    metrics.connections++;
    websocket.onClose(() => void metrics.connections--);
    for await (const message of websocket.messages()) {
      metrics.messages++;
      await websocket.send(message);
    }
  }

  async metrics({ sse, state }: SseContext) {
    const metrics = Metrics.of(state);
    const { lastEventId = "" } = sse;
    const isBack = /^\d{1,15}$/.test(lastEventId);
    const hello = isBack
      ? { event: "reconnected", data: { missed: Math.max(metrics.number - Number(lastEventId), 0) } }
      : { event: "connected", data: {} };
    await sse.sendEvent({ ...hello, id: metrics.number, retry: 3000 });

    // A client that is behind misses what is old by then: each number is the latest when it is sent.
    let isSending = false;
    const show = async (): Promise<void> => {
      if (isSending) return;
      isSending = true;
      await sse.trySendEvent({ event: "metrics", data: metrics.snapshot(), id: metrics.number });
      isSending = false;
    };
    sse.onClose(metrics.watch(() => void show()));
    await show();
    await sse.run(); // until the client has gone, or the server ends
  }
}
