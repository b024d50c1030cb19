import type { Application } from "../../../src/spec/index.ts";

const CHUNKS = 64;
const CHUNK = new Uint8Array(16 * 1024).fill(0x61);

/** 1 MiB in chunks of 16 KiB, each with a `send` of its own. */
const stream: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "application/octet-stream"]],
  });
  for (let sent = 1; sent <= CHUNKS; sent++) {
    await send({ type: "http.response.body", body: CHUNK, more: sent < CHUNKS });
  }
};

export default stream;
