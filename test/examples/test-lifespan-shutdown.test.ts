import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";
import { Wire } from "../support/wire.ts";

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s brings shutdown once, to the process that started",
  async (signal) => {
    await using server = await startExample("test-lifespan-shutdown");
    await server.shows(new RegExp(`\\[${server.pid}\\] lifespan\\.startup\n`));
    expect((await fetch(server.url)).status).toBe(404);
    expect(await server.stop(signal)).toBe(0);
    expect(server.output.match(/lifespan\.\w+/g)).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  },
);

test("shutdown also comes when a client still holds a connection open", async () => {
  await using server = await startExample("test-lifespan-shutdown");
  await using wire = await Wire.open({ host: "127.0.0.1", port: server.port });
  await wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect((await wire.response()).status).toBe(404);
  expect(await server.stop("SIGTERM")).toBe(0);
  await wire.readToEnd();
  expect(server.output).toContain("lifespan.shutdown\n");
});
