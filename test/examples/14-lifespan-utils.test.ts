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
  expect(server.output.match(/^(startup|shutdown|once): .*$/gm)).toEqual([
    "once: database prepared",
    "startup: database",
    "startup: visits",
    "shutdown: visits, 3 in all",
    "shutdown: database",
    "once: all workers have ended",
  ]);
});

test("with workers, what is to happen once happens once, and every worker has its own connection", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pagi-example-"));
  try {
    const env = { DATABASE: join(folder, "visits.sqlite") };
    await using server = await startExample("14-lifespan-utils", { args: ["-w", "2"], env });
    for (const visit of [1, 2, 3, 4]) {
      const response = await fetch(`${server.url}/visits/Ada`, { keepalive: false });
      expect(await response.text()).toBe(`Ada: visit ${visit}\n`);
    }
    expect(await server.stop("SIGTERM")).toBe(0);
    const lines = server.output.match(/^(startup|shutdown|once): .*$/gm) ?? [];
    expect(lines[0]).toBe("once: database prepared");
    expect(lines.at(-1)).toBe("once: all workers have ended");
    expect(lines.slice(1, -1).toSorted()).toEqual([
      ...["shutdown: database", "shutdown: database"],
      ...["shutdown: visits, 4 in all", "shutdown: visits, 4 in all"],
      ...["startup: database", "startup: database", "startup: visits", "startup: visits"],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
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
