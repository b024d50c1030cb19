import type { Socket } from "bun";

import type { Environment } from "../../src/exchange/environment.ts";
import { HeadCache } from "../../src/http1/head-cache.ts";
import { PlanCache } from "../../src/http1/plan-cache.ts";
import { Batch } from "../../src/server/connection/batch.ts";
import { Connection } from "../../src/server/connection/connection.ts";
import type { ServerContext } from "../../src/server/connection/shared.ts";
import { TimerWheel } from "../../src/server/connection/timer-wheel.ts";
import { Http1Session } from "../../src/server/http1/session.ts";
import { Refusals } from "../../src/server/refusals.ts";
import { RequestLog } from "../../src/server/request-log.ts";
import type { Application } from "../../src/spec/index.ts";
import { RecordingLogger } from "./server.ts";

const LIMITS = {
  maxRequestLine: 8192,
  maxHeaderSize: 16_384,
  maxHeaderCount: 100,
  maxBodySize: 1_048_576,
  maxChunkLine: 1024,
  maxTrailerSize: 8192,
};

/** A session on a connection whose socket is in memory: a test sees each write by itself, and decides what it takes. */
export class SessionInMemory {
  readonly logger = new RecordingLogger();
  readonly context: ServerContext;
  readonly connection: Connection;
  /** What each write was given, as Latin-1. */
  readonly writes: string[] = [];
  /** What was done to the socket. */
  readonly calls: string[] = [];
  /** Bytes that the kernel takes of the next writes. */
  room = Infinity;

  constructor(app: Application, given: Partial<ServerContext> = {}) {
    this.context = contextOf(app, this.logger, given);
    this.connection = new Connection(
      this.#socket(),
      { server: ["127.0.0.1", 80], describeTls: undefined },
      this.context,
    );
    this.connection.start(new Http1Session(this.connection));
  }

  receive(text: string): void {
    this.connection.onData(Buffer.from(text, "latin1"));
  }

  /** All that was written. */
  get text(): string {
    return this.writes.join("");
  }

  #socket(): Socket<Connection> {
    const call = (name: string) => () => void this.calls.push(name);
    const socket = {
      remoteAddress: "127.0.0.1",
      remotePort: 40_000,
      write: (bytes: Uint8Array, offset: number, length: number): number => {
        const taken = Math.min(length, this.room);
        this.room -= taken;
        if (taken > 0)
          this.writes.push(Buffer.from(bytes.subarray(offset, offset + taken)).toString("latin1"));
        return taken;
      },
      pause: call("pause"),
      resume: call("resume"),
      terminate: call("terminate"),
      shutdown: call("shutdown"),
      end: call("end"),
    };
    return socket as unknown as Socket<Connection>;
  }
}

function contextOf(app: Application, logger: RecordingLogger, given: Partial<ServerContext>): ServerContext {
  const wheel = new TimerWheel();
  const onError = (error: unknown): void => logger.error("internal error", error);
  const host: Environment = {
    validator: undefined,
    highWaterMark: 65_536,
    lowWaterMark: 16_384,
    rootPath: "",
    sseIdleTimeout: 0,
    wsIdleTimeout: 0,
    wsHandshakeTimeout: 0,
    maxReceiveQueue: 100,
    state: {},
    timer: (onExpire) => wheel.deadline(onExpire),
    reportError: (message, error) => logger.error(message, error),
  };
  return {
    app,
    host,
    limits: LIMITS,
    times: { header: 0, keepAlive: 0, body: 0, request: 0, write: 0, halfClose: 5000, linger: 0 },
    wheel,
    turnEnd: new Batch(setImmediate, (item) => item.onTurnEnd(), onError),
    afterExchange: new Batch(queueMicrotask, (session) => session.afterExchange(), onError),
    readers: [],
    heads: new HeadCache(LIMITS),
    plans: new PlanCache(),
    maxWsMessageSize: 1_048_576,
    bridge: () => {
      throw new Error("There is no bridge in memory.");
    },
    logger,
    requests: new RequestLog({
      accessLog: undefined,
      metrics: undefined,
      refusals: new Refusals(logger),
      journal: undefined,
      onSettled: () => {},
    }),
    metrics: undefined,
    readProxied: undefined,
    descriptorCeiling: Infinity,
    hasRoomForWebSocket: () => true,
    isShuttingDown: false,
    idleGrace: 0,
    ...given,
  };
}
