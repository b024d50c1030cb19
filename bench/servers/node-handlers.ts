import type { IncomingMessage, RequestListener } from "node:http";
import express from "express";
import Fastify from "fastify";

const HELLO = "Hello, World!";
const TEXT = { "content-type": "text/plain; charset=utf-8" };

/** Text, and a body sent back, with nothing but `node:http`. */
export const bare: RequestListener = (request, response) => {
  if (request.method === "POST") {
    echo(request, (body) => {
      response.writeHead(200, { ...TEXT, "content-length": body.byteLength }).end(body);
    });
  } else response.writeHead(200, { ...TEXT, "content-length": HELLO.length }).end(HELLO);
};

function echo(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => done(Buffer.concat(chunks)));
}

export const expressApp = express();
expressApp.get("/", (_request, response) => {
  response.type("text").send(HELLO);
});
expressApp.post("/", express.json(), (request, response) => {
  response.json(request.body);
});

export const fastifyApp = Fastify();
fastifyApp.get("/", (_request, reply) => reply.type("text/plain; charset=utf-8").send(HELLO));
