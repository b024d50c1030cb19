import { expect, test } from "bun:test";
import { type ServerProcess, startExample } from "../support/example.ts";
import { field, request, Wire } from "../support/wire.ts";

const BODY = "chunk 1\nchunk 2\nchunk 3\nchunk 4\nchunk 5\n";
const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const start = (): Promise<ServerProcess> => startExample("02-streaming-response");
const address = ({ port }: ServerProcess) => ({ host: "127.0.0.1", port });

test.concurrent(
  "sends five chunks and the digest of them as a trailer, and says when all were delivered",
  async () => {
    await using server = await start();
    const response = await request(address(server), REQUEST);
    expect(response.status).toBe(200);
    expect(field(response, "transfer-encoding")).toBe("chunked");
    expect(field(response, "trailer")).toBe("content-digest");
    expect(response.body).toBe(BODY);
    const digest = new Bun.CryptoHasher("sha256").update(BODY).digest("base64");
    expect(response.trailers).toEqual([["content-digest", `sha-256=:${digest}:`]]);
    await server.shows(/all 5 chunks delivered\n/);
    expect(server.output).not.toContain("client gone");
  },
);

test.concurrent("each chunk leaves when it is made", async () => {
  await using server = await start();
  await using wire = await Wire.open(address(server));
  await wire.send(REQUEST);
  await wire.readTo("chunk 1\n\r\n");
  expect(wire.pending).toBe("");
  await wire.readTo("chunk 2\n\r\n");
  expect(wire.pending).toBe("");
});

test.concurrent("an HTTP/1.0 client gets the body and no trailers", async () => {
  await using server = await start();
  const response = await request(address(server), "GET / HTTP/1.0\r\n\r\n");
  expect(field(response, "transfer-encoding")).toBeUndefined();
  expect(response.body).toBe(BODY);
});

test.concurrent("stops when the client goes, and says so", async () => {
  await using server = await start();
  const wire = await Wire.open(address(server));
  await wire.send(REQUEST);
  await wire.readTo("chunk 2\n\r\n");
  wire.reset();
  await server.shows(/client gone after 2 of 5 chunks: \w+\n/);
  expect(await server.stop()).toBe(0);
  expect(server.output).not.toContain("delivered");
});
