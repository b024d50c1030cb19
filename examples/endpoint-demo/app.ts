import { join } from "node:path";
import { PagiResponse } from "pagi-server/response";
import { UnsupportedMediaTypeError } from "pagi-server/request";
import { around, Router } from "pagi-server/router";
import { Echo, MessageEvents, Messages } from "./endpoints.ts";

/** Goes around any application, whatever its scope type: a stream's time is how long it was open. */
const timing = around(async (scope, _receive, _send, next) => {
  const start = performance.now();
  await next();
  const time = (performance.now() - start).toFixed(1);
  if (scope.type !== "lifespan") console.error(`${scope.type} ${scope.root_path}${scope.path} ${time} ms`);
});

/** Answers by itself, and does not call `next()`, where a body is no JSON. */
const onlyJson = around(async (scope, _receive, send, next) => {
  if (scope.type !== "http" || scope.method !== "POST") return next();
  const type = scope.headers.find(([name]) => name === "content-type")?.[1];
  if (type?.split(";", 1)[0]?.trim().toLowerCase() === "application/json") return next();
  await PagiResponse.problem(new UnsupportedMediaTypeError(type, ["application/json"])).respond(send, scope);
});

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

const file = (name: string): PagiResponse =>
  PagiResponse.sendFile(join(import.meta.dir, "public", name), {
    headers: { "content-security-policy": POLICY, "x-content-type-options": "nosniff" },
  });

/** Endpoints are given as classes. One router has routes for all types of scopes. */
export default new Router()
  .get("/", file("index.html"))
  .get("/page.js", file("page.js"))
  .get("/page.css", file("page.css"))
  .any("/api/messages", [timing, onlyJson], Messages)
  .websocket("/echo", [timing], Echo)
  .sse("/events", [timing], MessageEvents);
