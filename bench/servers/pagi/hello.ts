import type { Application } from "../../../src/spec/index.ts";

/** A short text. */
const hello: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "text/plain;charset=utf-8"],
      ["content-length", "13"],
    ],
  });
  await send({ type: "http.response.body", body: "Hello, World!" });
};

export default hello;
