import { describe, expect, test } from "bun:test";

import { openExchange } from "../../src/exchange/open-exchange.ts";
import type { Environment } from "../../src/exchange/environment.ts";
import type { Exchange, ResponseHead, Transport } from "../../src/exchange/transport.ts";
import type { WebSocketOffer } from "../../src/exchange/websocket-transport.ts";
import type { Application, Headers } from "../../src/spec/index.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";

/** A transport that writes down what it is asked for, in order. */
class Tape implements Transport {
  readonly calls: string[] = [];
  readonly settled = Promise.withResolvers<void>();
  exchange: Exchange | undefined;
  head: ResponseHead | undefined;
  body = "";
  #hasLeft = false;

  attach(exchange: Exchange): void {
    this.calls.push(`attach ${exchange.kind}`);
    this.exchange = exchange;
  }
  applicationSettled(): void {
    this.calls.push("settled");
    this.settled.resolve();
  }
  writeHead(_eventType: string, head: ResponseHead): void {
    this.calls.push(`head ${head.status}`);
    this.head = head;
  }
  writeBody(_eventType: string, bytes: Uint8Array | string, last: boolean): void {
    this.body += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString();
    this.#hasLeft = true;
    if (last) {
      this.calls.push("last");
      this.exchange?.deliverCompletion();
    }
  }
  async writeFile(): Promise<void> {}
  writeTrailers(): void {}
  flush(): void {}
  hasResponse(): boolean {
    return this.head !== undefined;
  }
  hasLeft(): boolean {
    return this.#hasLeft;
  }
  discardHead(): void {
    this.head = undefined;
  }
  abort(): void {
    this.calls.push("abort");
  }
  demandBody(): void {}
  bufferedAmount(): number {
    return 0;
  }
}

const errors: string[] = [];
const HOST: Environment = {
  validator: undefined,
  highWaterMark: 1000,
  lowWaterMark: 100,
  rootPath: "",
  sseIdleTimeout: 0,
  wsIdleTimeout: 0,
  wsHandshakeTimeout: 0,
  maxReceiveQueue: 1,
  state: {},
  timer: () => ({ set() {}, clear() {} }),
  reportError: (message) => errors.push(message),
};

const OFFER: WebSocketOffer = {
  subprotocols: [],
  accept() {
    throw new Error("not in this test");
  },
};

async function open(app: Application, headers: Headers = [], offer?: WebSocketOffer): Promise<Tape> {
  const transport = new Tape();
  errors.length = 0;
  const head = { httpVersion: "1.1", method: "GET", rawPath: "/x", queryString: "", headers } as const;
  const connection = { secure: false, client: undefined, server: ["a", 80] as const, tls: undefined };
  openExchange(app, { host: HOST, transport, connection, head, hasBody: false }, offer);
  await transport.settled.promise;
  return transport;
}

const answer: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new UnsupportedScopeError(scope.type);
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: scope.type });
};

describe("the exchange of a request", () => {
  const kinds: [string, Headers, WebSocketOffer | undefined, string][] = [
    ["no Accept", [], undefined, "http"],
    ["Accept: */*", [["accept", "*/*"]], undefined, "http"],
    ["Accept: text/event-stream", [["accept", "text/event-stream"]], undefined, "sse"],
    ["event streams refused", [["accept", "text/event-stream;q=0"]], undefined, "http"],
    ["a handshake", [], OFFER, "websocket"],
    ["a handshake that lists event streams", [["accept", "text/event-stream"]], OFFER, "websocket"],
  ];
  test.each(kinds)("%s", async (_, headers, offer, kind) => {
    const types: string[] = [];
    const transport = await open(
      async (scope) => {
        types.push(scope.type);
      },
      headers,
      offer,
    );
    expect(types).toEqual([kind]);
    expect(transport.calls[0]).toBe(`attach ${kind}`);
    expect(transport.exchange?.kind).toBe(transport.exchange === undefined ? undefined : (kind as "http"));
    expect(transport.exchange?.name).toBe("GET /x");
  });

  test("is attached before the application is called, which settles last", async () => {
    const transport = await open(answer);
    expect(transport.calls).toEqual(["attach http", "head 200", "last", "settled"]);
    expect(transport.body).toBe("http");
    expect(errors).toEqual([]);
  });
});

describe("an application that fails is answered for once, and settles", () => {
  const failures: [string, Application, string][] = [
    ["throws", () => { throw new Error("at once"); }, "the application threw"], // prettier-ignore
    ["is rejected", () => Promise.reject(new Error("later")), "the application threw"],
    ["is rejected with nothing", () => Promise.reject(undefined), "the application threw undefined"],
    ["returns too early", async () => {}, "the application returned without starting a response"],
  ];
  test.each(failures)("it %s", async (_, app, message) => {
    const transport = await open(app);
    expect(transport.calls).toEqual(["attach http", "head 500", "last", "settled"]);
    expect(transport.body).toBe("Internal Server Error\n");
    expect(errors).toEqual([`GET /x: ${message}`]);
  });

  test("in the middle of a response, it is cut", async () => {
    const transport = await open(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [] });
      await send({ type: "http.response.body", body: "half", more: true });
      throw new Error("in the middle");
    });
    expect(transport.calls).toEqual(["attach http", "head 200", "abort", "settled"]);
    expect(transport.body).toBe("half");
  });

  test("one without async may return nothing", async () => {
    const transport = await open((() => {}) as unknown as Application);
    expect(transport.calls).toEqual(["attach http", "head 500", "last", "settled"]);
  });
});
