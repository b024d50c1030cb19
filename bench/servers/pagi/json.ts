import type { Application } from "../../../src/spec/index.ts";

/** A small object, made into JSON for every request. */
const json: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const body = JSON.stringify({
    message: "Hello, World!",
    id: 12345,
    tags: ["a", "b", "c"],
    nested: { ok: true },
  });
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "application/json;charset=utf-8"],
      ["content-length", String(Buffer.byteLength(body))],
    ],
  });
  await send({ type: "http.response.body", body });
};

export default json;
