import { expect, test } from "bun:test";
import app from "../../examples/07-extension-fullflush/app.ts";
import { startExample } from "../support/example.ts";
import { httpScope, server as fakeServer } from "../support/fake-scope.ts";
import { Wire } from "../support/wire.ts";

test.concurrent("the head comes before the first line is made, and each line by itself", async () => {
  await using server = await startExample("07-extension-fullflush");
  await using wire = await Wire.open({ host: "127.0.0.1", port: server.port });
  await wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await wire.readTo("\r\n\r\n")).toContain("x-fullflush: yes\r\n");
  expect(wire.pending).toBe("");
  for (const line of ["line 1\n", "line 2\n"]) {
    await wire.readTo(`${line}\r\n`);
    expect(wire.pending).toBe("");
  }
  await wire.readTo("line 3\n\r\n0\r\n\r\n");
});

test.concurrent("sends no such event to a server without the extension", async () => {
  const { receive, send, sent } = fakeServer();
  await app(httpScope({ extensions: {} }), receive, send);
  const types: string[] = sent.map((event) => event.type);
  expect(types).toEqual(["http.response.start", ...Array<string>(3).fill("http.response.body")]);
  expect(sent[0]).toMatchObject({
    headers: [
      ["content-type", "text/plain; charset=utf-8"],
      ["x-fullflush", "no"],
    ],
  });
});
