// A body as it comes, written to the disk by `Bun.serve`. Arguments: scenario, port.
import { open, rm } from "node:fs/promises";
import { uploadAnswer, uploadPath } from "./upload-answer.ts";

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[3]),
  idleTimeout: 255,
  development: false,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    const path = uploadPath();
    const file = await open(path, "wx");
    for await (const chunk of request.body ?? []) await file.appendFile(chunk);
    await file.close();
    const answer = await uploadAnswer(new URL(request.url).pathname, path);
    await rm(path);
    return new Response(answer);
  },
});
