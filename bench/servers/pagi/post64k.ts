import type { Application } from "../../../src/spec/index.ts";

/** Answers a body with its length. */
const post: Application = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  let length = 0;
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request") return;
    length += event.body.byteLength;
    if (!event.more) break;
  }
  const body = String(length);
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

export default post;
