import type { Application } from "../../../src/spec/index.ts";

const EVENTS = Number(process.env["BENCH_EVENTS"]);
let go = Promise.withResolvers<void>();

/** Event streams that begin together, at a request for `/go`. */
const sse: Application = async (scope, _receive, send) => {
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    await send({ type: "sse.comment", comment: "ready" });
    await go.promise;
    for (let n = 1; n <= EVENTS; n++) {
      await send({
        type: "sse.send",
        event: "tick",
        id: String(n),
        data: "The quick brown fox jumps over the lazy dog",
      });
    }
    return;
  }
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  if (scope.path === "/go") {
    go.resolve();
    go = Promise.withResolvers();
  }
  await send({ type: "http.response.start", status: 204 });
  await send({ type: "http.response.body" });
};

export default sse;
