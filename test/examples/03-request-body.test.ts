import { expect, test } from "bun:test";
import app from "../../examples/03-request-body/app.ts";
import { startExample } from "../support/example.ts";
import { startServer } from "../support/server.ts";
import { field, request, Wire } from "../support/wire.ts";

test("sends bytes back as they came", async () => {
  await using server = await startExample("03-request-body");
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  const response = await fetch(server.url, { method: "POST", body: bytes });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const prefix = Buffer.from("You sent 70000 bytes: ");
  expect(
    Buffer.from(await response.arrayBuffer()).equals(Buffer.concat([prefix, bytes, Buffer.from("\n")])),
  ).toBe(true);
});

test("counts one byte, and none", async () => {
  await using server = await startServer(app);
  expect(await (await fetch(server.url, { method: "POST", body: "x" })).text()).toBe("You sent 1 byte: x\n");
  expect(await (await fetch(server.url, { method: "POST", body: "" })).text()).toBe("You sent no body.\n");
});

test("reads a chunked body whatever its pieces", async () => {
  await using server = await startServer(app);
  const response = await request(
    server,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
  );
  expect(response.body).toBe("You sent 3 bytes: abc\n");
});

test("refuses more than its limit", async () => {
  await using server = await startServer(app);
  const exact = await fetch(server.url, { method: "POST", body: new Uint8Array(1024 * 1024) });
  expect(exact.status).toBe(200);
  await exact.arrayBuffer();
  const over = await fetch(server.url, { method: "POST", body: new Uint8Array(1024 * 1024 + 1) });
  expect(over.status).toBe(413);
  expect(await over.text()).toBe("That is more than 1048576 bytes.\n");
});

test("leaves a client that goes in the middle of its body", async () => {
  await using server = await startServer(app);
  const wire = await Wire.open(server);
  await wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
  await wire.readTo("HTTP/1.1 100 Continue\r\n\r\n");
  await wire.send("half");
  wire.reset();
  const response = await request(server, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
  expect(field(response, "transfer-encoding")).toBe("chunked");
  expect(response.body).toBe("You sent 2 bytes: ok\n");
  expect(server.logger.messages("error")).toEqual([]);
});
