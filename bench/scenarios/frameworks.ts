import { METRICS } from "../metrics.ts";
import type { Scenario } from "../scenario.ts";
import { contender } from "../servers.ts";
import { HELLO, POST_BYTES } from "./requests.ts";
import { wrkScenario, type WrkScenario } from "./wrk-scenario.ts";

/** One Hono application, on each of the servers that can run it. */
const HONO = {
  serves: "hono",
  connections: 64,
  titles: { pagi: "Hono on pagi-server", bun: "Hono on Bun.serve", node: "Hono on @hono/node-server" },
  without: ["uvicorn"],
  aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
} as const;

/** A handler for `node:http`, on pagi-server and on Bun's own `node:http`. */
const onNode = (title: string, serves: string) => ({
  connections: 64,
  contenders: [
    contender("pagi", `${title} on pagi-server`, serves),
    contender("bun", `${title} on Bun's node:http`, serves),
  ],
  baseline: `${title} on Bun's node:http`,
});

const POST_32 = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "Ada", message: "hello" }),
} as const;

const TABLE: readonly WrkScenario[] = [
  {
    ...HONO,
    name: "hono-hello",
    about: "Hono, GET, 13 bytes of text",
    answer: () => HELLO,
  },
  {
    ...HONO,
    name: "hono-json",
    about: "Hono, GET, a path parameter answered in JSON",
    request: { target: "/user/12345" },
    answer: () => JSON.stringify({ id: "12345", name: "Ada", tags: ["a", "b"] }),
  },
  {
    ...HONO,
    name: "hono-post64k",
    about: "Hono, POST of 64 KiB, answered with its length",
    connections: 32,
    request: { method: "POST", body: "x".repeat(POST_BYTES) },
    answer: () => String(POST_BYTES),
  },
  {
    name: "elysia-hello",
    about: "Elysia, GET, 13 bytes of text",
    connections: 64,
    answer: () => HELLO,
    contenders: [
      contender("pagi", "Elysia on pagi-server", "elysia"),
      contender("bun", "Elysia on Bun.serve", "elysia"),
      contender("bun", "Elysia's own listen()", "elysia-listen"),
    ],
    baseline: "Elysia on Bun.serve",
    aims: [{ metric: METRICS.requests, atLeast: 0.85 }],
  },
  {
    ...onNode("A handler", "node-bare"),
    name: "node-bare",
    about: "a handler for node:http, GET, 13 bytes of text",
    answer: () => HELLO,
    aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
  },
  {
    ...onNode("A handler", "node-bare"),
    name: "node-post",
    about: "a handler for node:http, POST of 32 bytes, sent back",
    request: POST_32,
    answer: () => POST_32.body,
    aims: [{ metric: METRICS.requests, atLeast: 0.85 }],
  },
  {
    ...onNode("Express 5", "node-express"),
    name: "node-express",
    about: "Express 5, GET, 13 bytes of text",
    answer: () => HELLO,
    aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
  },
  {
    ...onNode("Express 5", "node-express"),
    name: "node-express-json",
    about: "Express 5, POST of 32 bytes through express.json(), sent back with res.json()",
    request: POST_32,
    answer: () => POST_32.body,
    aims: [{ metric: METRICS.requests, atLeast: 0.85 }],
  },
  {
    ...onNode("Fastify 5", "node-fastify"),
    name: "node-fastify",
    about: "Fastify 5, GET, 13 bytes of text",
    answer: () => HELLO,
    aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
  },
];

/** Applications of other frameworks, on pagi-server and on the server that they usually run on. */
export const FRAMEWORK_SCENARIOS: readonly Scenario[] = TABLE.map(wrkScenario);
