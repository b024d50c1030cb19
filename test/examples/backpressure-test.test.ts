import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";
import { request, Wire } from "../support/wire.ts";

const ON = { PAGI_BACKPRESSURE_TEST: "1" };

test("streams only when it is told to", async () => {
  await using server = await startExample("backpressure-test");
  expect(await (await fetch(server.url)).text()).toStartWith("streaming: off\nchunk size: 4096 bytes\n");
  expect((await fetch(`${server.url}/stream`)).status).toBe(403);
  expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404);
});

test("sends the megabytes that are asked for, in chunks of the size that is set", async () => {
  await using server = await startExample("backpressure-test", {
    env: { ...ON, PAGI_CHUNK_SIZE: "5000", PAGI_STREAM_MB: "2" },
  });
  for (const [path, megabytes] of [
    ["/stream", 2],
    ["/stream/3", 3],
    ["/stream/0", 1],
  ] as const) {
    const response = await fetch(`${server.url}${path}`);
    expect(response.headers.get("x-chunk-size")).toBe("5000");
    expect((await response.arrayBuffer()).byteLength).toBe(megabytes * 1024 * 1024);
  }
});

test("a client that reads slowly is waited for, and what is buffered stays under the mark and a chunk", async () => {
  await using server = await startExample("backpressure-test", {
    env: ON,
    args: ["--write-high-watermark", "32k", "--write-low-watermark", "8k"],
  });
  const address = { host: "127.0.0.1", port: server.port };
  await using wire = await Wire.open(address);
  wire.pause();
  await wire.send("GET /stream/16 HTTP/1.1\r\nHost: a\r\n\r\n");
  // Another request is served meanwhile, and by then the stalled one fills what the kernel takes and no more.
  expect((await request(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")).body).toContain(
    "high-water mark: 32768 bytes\n",
  );
  expect(server.output).not.toContain("drained");
  wire.resume();
  const response = await wire.response();
  expect(response.body.length).toBe(16 * 1024 * 1024);
  const trailers = Object.fromEntries(response.trailers);
  expect(Number(trailers["x-high-waters"])).toBeGreaterThan(0);
  expect(trailers["x-drains"]).toBe(trailers["x-high-waters"]);
  // A chunk of 4096 bytes is framed by its size in hexadecimal and two line ends.
  expect(Number(trailers["x-most-buffered"])).toBeLessThan(32_768 + 4096 + 16);
  await server.shows(/high-water \d+, drained \d+, most buffered \d+ bytes\n/);
}, 20_000);

test("refuses settings that make no sense", async () => {
  const child = Bun.spawn([process.execPath, "cli/main.ts", "examples/backpressure-test/app.ts", "-p", "0"], {
    env: { ...process.env, PAGI_CHUNK_SIZE: "0" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await child.stdout.text()) + (await child.stderr.text());
  expect(await child.exited).toBe(1);
  expect(output).toContain("PAGI_CHUNK_SIZE must be a whole number above 0; it is '0'.");
});
