import type { IncomingMessage, ServerResponse } from "node:http";

import type { ReceiveEvent } from "../../src/spec/events.ts";
import type { SseScope } from "../../src/spec/scope.ts";
import { Exchange } from "./exchange.ts";
import type { Internals } from "./internals.ts";
import type { ResponseEvents } from "./response-events.ts";

/** Turns of the event loop that a request in process may take. It takes two. */
const MAX_TURNS = 20;

/**
 * Whether Bun's classes, constructed around an `Exchange`, do what they do in Bun 1.4.5: a request goes through them in
 * process, and its listener must see method, URL, fields, address and body, the response must arrive in pieces with
 * its status and fields, and `end`, `finish` and `close` must be emitted in their order.
 */
export async function isAsExpected(internals: Internals): Promise<boolean> {
  const seen: string[] = [];
  const sent: string[] = [];
  const request: ReceiveEvent = { type: "sse.request", body: Buffer.from("in"), more: false };
  const waiting = [request];
  try {
    const exchange = new Exchange(
      SCOPE,
      // The client stays.
      () => new Promise((resolve) => waiting.splice(0).forEach(resolve)),
      recorder(sent),
      internals,
    );
    let isOver = false;
    exchange.run(listenerFor(seen)).then(
      () => (isOver = true),
      (error: unknown) => seen.push(String(error)),
    );
    for (let turn = 0; turn < MAX_TURNS && !(isOver && seen.includes("close")); turn++)
      await new Promise((resolve) => setImmediate(resolve));
  } catch {
    return false;
  }
  return seen.join("\n") === EXPECTED.join("\n") && sent.join("\n") === EXPECTED_RESPONSE.join("\n");
}

/** Of an `sse` scope, which needs no connection state. */
const SCOPE: SseScope = {
  type: "sse",
  pagi: { version: "0.3", spec_version: "0.3" },
  http_version: "1.1",
  method: "POST",
  scheme: "http",
  path: "/a",
  raw_path: "/a",
  query_string: "b",
  root_path: "",
  headers: [
    ["host", "h"],
    ["x-a", "1"],
    ["content-length", "2"],
  ],
  client: ["192.0.2.1", 1],
  server: ["192.0.2.2", 2],
  state: {},
  extensions: {},
  "pagi.transport": {
    bufferedAmount: () => 0,
    highWaterMark: () => 65536,
    lowWaterMark: () => 16384,
    onHighWater() {},
    onDrain() {},
  },
};

const EXPECTED = [
  "POST /a?b 1.1 1 192.0.2.1 host,h,x-a,1,content-length,2 true",
  "data in",
  "end true",
  "finish true",
  "close",
];
const EXPECTED_RESPONSE = [
  "start 201 x-b: 2 x-b: 3 content-type: text/plain content-length: 6",
  "body out true",
  "body put false",
];

function listenerFor(seen: string[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url, httpVersion, headers, rawHeaders, socket } = request;
    seen.push(
      [
        method,
        url,
        httpVersion,
        headers["x-a"],
        socket.remoteAddress,
        rawHeaders,
        response.socket === socket,
      ].join(" "),
    );
    request.on("data", (chunk) => seen.push(`data ${chunk}`));
    request.on(
      "end",
      caught(seen, () => {
        seen.push(`end ${request.complete}`);
        response.setHeader("X-B", ["2", "3"]);
        response.writeHead(201, { "Content-Type": "text/plain", "Content-Length": "6" });
        response.write("out");
        response.end(Buffer.from("put"));
      }),
    );
    for (const name of ["finish", "close"])
      response.on(name, () => seen.push(name === "finish" ? `finish ${response.headersSent}` : name));
  };
}

/** What it throws must not end the process. */
function caught(seen: string[], act: () => void): () => void {
  return () => {
    try {
      act();
    } catch (error) {
      seen.push(String(error));
    }
  };
}

function recorder(sent: string[]): ResponseEvents {
  const done = Promise.resolve();
  return {
    canSendInterim: false,
    canSendTrailers: false,
    interim: () => done,
    start(status, headers) {
      const fields = headers.map(([name, value]) => `${name}: ${value}`);
      sent.push(["start", status, ...fields].join(" "));
      return done;
    },
    body(bytes, more) {
      sent.push(`body ${String(bytes)} ${more}`);
      return done;
    },
    trailers: () => done,
  };
}
