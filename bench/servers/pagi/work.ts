import type { Application } from "../../../src/spec/index.ts";
import { work } from "../work.ts";

/** A request that costs the application itself some time. */
const app: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const body = work();
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "text/plain;charset=utf-8"],
      ["content-length", String(body.length)],
    ],
  });
  await send({ type: "http.response.body", body });
};

export default app;
