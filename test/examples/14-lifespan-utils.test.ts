import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startExample } from "../support/example.ts";

test("hooks start from the outside to the inside, and end the other way", async () => {
  await using server = await startExample("14-lifespan-utils");
  for (const visit of [1, 2]) {
    expect(await (await fetch(`${server.url}/visits/Ada`)).text()).toBe(`Ada: visit ${visit}\n`);
  }
  expect(await (await fetch(`${server.url}/visits/Gr%C3%BC%C3%9Fe`)).text()).toBe("Grüße: visit 1\n");
  expect(await server.stop("SIGINT")).toBe(0);
  expect(server.output.match(/^(startup|shutdown): .*$/gm)).toEqual([
    "startup: database",
    "startup: visits",
    "shutdown: visits, 3 in all",
    "shutdown: database",
  ]);
});

test("what startup opens is the operator's, and lasts from one life to the next", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pagi-example-"));
  try {
    const env = { DATABASE: join(folder, "visits.sqlite") };
    for (const visit of [1, 2]) {
      await using server = await startExample("14-lifespan-utils", { env });
      expect(await (await fetch(`${server.url}/visits/Ada`)).text()).toBe(`Ada: visit ${visit}\n`);
      expect(await server.stop("SIGTERM")).toBe(0);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
