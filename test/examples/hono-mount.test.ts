import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";

test("Hono's middleware sees the requests of the mounted application", async () => {
  await using server = await startExample("hono-mount");
  const answer = await fetch(`${server.url}/raw/deep/path`, { method: "POST", body: "ignored" });
  expect([answer.headers.get("x-mounted-by"), await answer.text()]).toEqual([
    "hono",
    "mounted at /raw, asked for /deep/path\n",
  ]);
  await server.shows(/--> POST \/raw\/deep\/path .*200/);
  expect((await fetch(`${server.url}/none`)).status).toBe(404);
  expect(await server.stop("SIGTERM")).toBe(0);
});
