import { expect, test } from "bun:test";
import { IN_PROCESS } from "pagi-server/testing/conformance";
import type { ConformanceRequest, ConformanceTarget } from "pagi-server/testing/conformance";
import { messageOf } from "../../src/errors.ts";
import type { Application, SendEvent } from "../../src/spec/index.ts";
import { OVER_TCP } from "../support/conformance-server.ts";

// Applications that nobody would write, made by chance: what they send is right, wrong, too early and too late. What
// they are told, and what the client sees, has to be the same in process and over TCP.

const PROGRAMS = 400;

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Values = readonly unknown[];
const BYTES = Uint8Array.of(0x62, 0x00, 0xff);
const STATUSES: Values = [
  200,
  200,
  201,
  204,
  205,
  301,
  304,
  404,
  500,
  999,
  99,
  101,
  1000,
  "200",
  NaN,
  undefined,
];
const HEADERS: Values = [
  ...[undefined, null, [], [["x-a", "1"]], [["x", ""]], [["x", " space "]], [["x", "\xe9"]], [["x", "€"]]],
  ...[[["x", "a\r\nb"]], [["", "x"]], [["x y", "z"]], [["x", 5]], { a: 1 }, [["Content-Type", "text/plain"]]],
  ...[[["content-length", "0"]], [["content-length", "5"]], [["content-length", "-1"]]],
  ...[[["set-cookie", "a=1"], ["set-cookie", "b=2"]], [["transfer-encoding", "chunked"]], [["date", "x"]]], // prettier-ignore
  ...[[["connection", "close"]], [["keep-alive", "5"]], [["upgrade", "h2c"]], [["trailer", "x-t"]]],
];
const BODIES: Values = ["", "a", "hello", "é€\ud800", BYTES, "x".repeat(5000), null, undefined, 5, {}];
const FLAGS: Values = [undefined, true, true, false, 0, 1, null, "x"];
const STRANGE: Values = [{ type: "nonsense" }, {}, null, "x", { type: "lifespan.startup.complete" }];

/** Fields of an event, each with the values that it may be given. */
type Kind = readonly [type: string, fields?: Readonly<Record<string, Values>>];

const response = (prefix: string): Kind[] => [
  [`${prefix}.response.start`, { status: STATUSES, headers: HEADERS }],
  [`${prefix}.response.body`, { body: BODIES, more: FLAGS }],
  [`${prefix}.response.body`, { body: BODIES, more: FLAGS }],
];
const KINDS: Readonly<Record<"http" | "sse" | "websocket", readonly Kind[]>> = {
  http: [
    ...response("http"),
    ["http.response.start", { status: [200], headers: HEADERS, trailers: FLAGS }],
    ["http.response.trailers", { headers: HEADERS }],
    ["http.fullflush"],
    ["sse.start"],
  ],
  sse: [
    ...response("sse.http"),
    ["sse.start", { status: [undefined, ...STATUSES], headers: HEADERS }],
    [
      "sse.send",
      {
        data: ["a", "", "a\nb\r\nc\r", "\u2028\ud800", 5],
        event: [undefined, "e", "a\nb"],
        id: [null, "1", "\0"],
      },
    ],
    ["sse.send", { data: ["x".repeat(70_000)], retry: [undefined, 5, -1, "x"] }],
    ["sse.comment", { comment: ["c", "", "a\nb", 5] }],
    ["sse.keepalive", { interval: [0, 100, -1, "x"] }],
    ["sse.close", { reason: [undefined, "bye", 5] }],
  ],
  websocket: [
    ...response("websocket.http"),
    ["websocket.accept", { subprotocol: [undefined, "a", "zzz", "", 5], headers: HEADERS }],
    ["websocket.send", { text: ["t", "", "\ud800", null, 5, "x".repeat(70_000)] }],
    ["websocket.send", { bytes: [BYTES, new Uint8Array(0), "text", null], text: [undefined, "t"] }],
    [
      "websocket.close",
      { code: [undefined, 1000, 3000, 999, 1005, "1000"], reason: [undefined, "r", "é".repeat(62)] },
    ],
    ["websocket.keepalive", { interval: [0, 100, -1] }],
  ],
};

interface Program {
  readonly type: keyof typeof KINDS;
  readonly request: ConformanceRequest;
  /** One event, or several at once; or what else an application does. */
  readonly steps: readonly (readonly unknown[] | "read" | "wait" | "throw")[];
}

function programOf(seed: number): Program {
  const random = randomOf(seed);
  const pick = <const T>(values: readonly [T, ...T[]]): T =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const any = (values: Values): unknown => values[Math.floor(random() * values.length)];
  const type = pick(["http", "http", "sse", "websocket"]);
  const makeEvent = (): unknown => {
    if (random() < 0.06) return any(STRANGE);
    const [name, fields] = KINDS[type][Math.floor(random() * KINDS[type].length)] ?? ["nothing"];
    return {
      type: name,
      ...Object.fromEntries(Object.entries(fields ?? {}).map(([key, of]) => [key, any(of)])),
    };
  };
  const openings = {
    http: { type: "http.response.start", status: 200 },
    sse: { type: "sse.start" },
    websocket: { type: "websocket.accept" },
  };
  const steps: Program["steps"][number][] = random() < 0.4 ? [[openings[type]]] : [];
  if (random() < 0.4) steps.unshift("read");
  for (let left = 1 + Math.floor(random() * 6); left > 0; left--) {
    const chance = random();
    if (chance < 0.8) steps.push([makeEvent()]);
    else if (chance < 0.9) steps.push([makeEvent(), makeEvent()]);
    else steps.push(chance < 0.96 ? "wait" : "throw");
  }
  const method = type === "websocket" ? "GET" : pick(["GET", "GET", "POST", "HEAD", "PUT"]);
  const body = method === "POST" || method === "PUT" ? pick(["", "hello", "x".repeat(70_000)]) : undefined;
  return {
    type,
    request: {
      method: type === "sse" && method === "HEAD" ? "GET" : method,
      target: pick(["/", "/a?b=c", "/%41%2f", "/%C3%A9", "//x"]),
      // What TestClient adds by itself is said here too.
      headers: [
        ["content-type", "text/plain"],
        ...(type === "sse" ? [["accept", "text/event-stream"] as const] : []),
      ].map(([name = "", value = ""]) => [name, value]),
      ...(body !== undefined && { body }),
      httpVersion: type === "http" && random() < 0.2 ? "1.0" : "1.1",
    },
    steps,
  };
}

/** What an application and its client see. */
async function seenBy(program: Program, target: ConformanceTarget): Promise<unknown> {
  const log: string[] = [];
  const ended = Promise.withResolvers<void>();
  const app: Application = async (scope, receive, send) => {
    if (scope.type === "lifespan") throw new Error("no lifespan");
    // Events as JavaScript could send them, which TypeScript would refuse.
    const trySend = (event: unknown): Promise<string> =>
      Promise.resolve(send(event as SendEvent)).then(() => "sent", (error: unknown) => String(error)); // prettier-ignore
    log.push([scope.type, scope.path, scope.raw_path, scope.query_string, scope.http_version].join(" "));
    try {
      for (const step of program.steps) {
        if (step === "throw") throw new Error("thrown by the application");
        if (step === "wait") await new Promise((resolve) => setImmediate(resolve));
        else if (step === "read") log.push(await readAll(receive));
        else log.push((await Promise.all(step.map(trySend))).join(" and "));
      }
    } finally {
      ended.resolve();
    }
  };
  const client = await target.serve(app, {});
  try {
    const seen = await (program.type === "websocket" ? overWebSocket() : overHttp()).catch(() => "cut");
    await ended.promise;
    return { log, seen };
  } finally {
    await client.dispose();
  }

  async function overHttp(): Promise<unknown> {
    return withoutDate(await client.request(program.request));
  }

  async function overWebSocket(): Promise<unknown> {
    const socket = await client.websocket({ target: program.request.target, subprotocols: ["a", "b"] });
    if ("status" in socket) return withoutDate(socket);
    const messages: unknown[] = [];
    for (let next = await socket.next(); next !== undefined; next = await socket.next()) {
      // The bytes of a wire come in a Buffer.
      messages.push(typeof next === "string" ? next : Buffer.from(next).toString("hex"));
    }
    const { code, reason } = await socket.closing();
    return { subprotocol: socket.subprotocol, messages, code, reason };
  }
}

/** The request's body in one piece, or the first event that is none of it. */
async function readAll(receive: Parameters<Application>[1]): Promise<string> {
  let text = "";
  for (;;) {
    try {
      const event = await receive();
      if (event.type !== "http.request" && event.type !== "sse.request") return event.type;
      text += Buffer.from(event.body).toString();
      if (!event.more) return `body ${text.length}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function withoutDate<R extends { readonly headers: readonly (readonly [string, string])[] }>(response: R): R {
  return { ...response, headers: response.headers.filter(([name]) => name !== "date") };
}

test(`${PROGRAMS} applications by chance are told, and make clients see, the same in process and over TCP`, async () => {
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const program = programOf(seed);
    const inProcess = await seenBy(program, IN_PROCESS);
    expect({ seed, program, ...Object(await seenBy(program, OVER_TCP)) }).toEqual({
      seed,
      program,
      ...Object(inProcess),
    });
  }
}, 60_000);
