import { describe, expect, test } from "bun:test";
import { text } from "node:stream/consumers";
import express from "express";
import type { NodeListener } from "../../adapters/node.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const withParser = express();
withParser.post("/", express.text({ type: () => true }), (request, reply) => {
  reply.send(String(request.body));
});

const LISTENERS: { readonly [name: string]: NodeListener } = {
  "an Express parser": withParser,
  "pipe()": (request, reply) => request.pipe(reply),
  'on("data")': (request, reply) => {
    let all = "";
    request.on("data", (chunk: Uint8Array) => (all += String(chunk))).on("end", () => reply.end(all));
  },
  "for await": async (request, reply) => void reply.end(await text(request)),
  'on("readable")': (request, reply) => {
    let all = "";
    request
      .on("readable", () => {
        for (let chunk: unknown = request.read(); chunk !== null; chunk = request.read())
          all += String(chunk);
      })
      .on("end", () => reply.end(all));
  },
};

const PARTS = ["the first part", "the second", "the third", "the last"];

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  test.each(Object.entries(LISTENERS))(
    "an upload whose parts come one by one: %s",
    async (_name, listener) => {
      for (const framing of ["Transfer-Encoding: chunked", `Content-Length: ${PARTS.join("").length}`]) {
        const inner = fromNode(listener);
        let received = Promise.withResolvers<void>();
        await using running = await startServer(async (scope, receive, send) => {
          const next: typeof receive = async () => {
            const event = await receive();
            received.resolve();
            return event;
          };
          await inner(scope, next, send);
        });
        await using wire = await Wire.open(running);
        await wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n${framing}\r\n\r\n`);
        for (const part of PARTS) {
          received = Promise.withResolvers();
          const isChunked = framing.endsWith("chunked");
          await wire.send(isChunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part);
          await received.promise;
        }
        if (framing.endsWith("chunked")) await wire.send("0\r\n\r\n");
        const { status, body } = await wire.response("POST");
        expect([status, body]).toEqual([200, PARTS.join("")]);
      }
    },
  );
});
