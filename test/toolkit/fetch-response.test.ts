import { expect, test } from "bun:test";
import { fromFetch } from "../../adapters/fetch.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { bytes, httpScope, response, server } from "../support/fake-scope.ts";

test.each([
  ["text", () => new Response("text"), "text/plain;charset=utf-8", "4"],
  ["text outside ASCII", () => new Response("\u00fcber"), "text/plain;charset=utf-8", "5"],
  ["bytes", () => new Response(bytes("text")), "application/octet-stream", "4"],
  ["a Blob", () => new Response(new Blob(["text"])), "text/plain;charset=utf-8", "4"],
  ["other bytes", () => new Response(Uint8Array.of(0, 1, 2)), "application/octet-stream", "3"],
  [
    "a type of its own",
    () => new Response("<p>", { headers: { "content-type": "text/html" } }),
    "text/html",
    "3",
  ],
  ["JSON", () => Response.json({}), "application/json;charset=utf-8", "2"],
  ["nothing", () => new Response(null), undefined, "0"],
  [
    "a file",
    () => new Response(Bun.file(`${import.meta.dir}/../../bunfig.toml`)),
    "application/toml",
    undefined,
  ],
])(
  "a Response is the same response here and as the answer of a handler: %s",
  async (_, make, type, length) => {
    for (const method of ["GET", "HEAD"]) {
      const adapter = server();
      await fromFetch(make)(httpScope({ method }), adapter.receive, adapter.send);
      const responder = server();
      await PagiResponse.from(make()).respond(responder.send, httpScope({ method }));
      const told = [adapter.sent, responder.sent].map((events) => {
        const { status, headers, body } = response(events);
        const fields = new Map(headers);
        return { status, type: fields.get("content-type"), length: fields.get("content-length"), body };
      });
      expect(told[1]).toEqual(told[0]);
      expect(told[1]?.type).toBe(type);
      // A file's length is known here too, and is what it is.
      if (length !== undefined && method === "GET") expect(told[1]?.length).toBe(length);
    }
  },
);

test("a Response of bytes can be sent again; a file that is not there is told of before the response begins", async () => {
  const again = PagiResponse.from(new Response("twice"));
  for (const side of [server(), server()]) {
    await again.respond(side.send, httpScope());
    expect(response(side.sent).body).toBe("twice");
  }
  const side = server();
  const missing = PagiResponse.from(new Response(Bun.file("/nonexistent")));
  expect(missing.respond(side.send, httpScope())).rejects.toThrow("does not exist");
  expect(side.sent).toEqual([]);
});
