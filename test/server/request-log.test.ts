import { describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";

import { AccessLog } from "../../src/logging/access-log.ts";
import type { Samples } from "../../src/metrics/families.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { Refusals } from "../../src/server/refusals.ts";
import { RequestJournal, openJournal, readJournal } from "../../src/server/request-journal.ts";
import { RequestLog, loggedHead } from "../../src/server/request-log.ts";
import type { LoggedRequest } from "../../src/server/request-log.ts";
import { NO_HEAD } from "../../src/http1/partial-head.ts";
import { Folder } from "../support/program.ts";
import { RecordingLogger } from "../support/server.ts";

type Kind = "http" | "sse" | "websocket";

function requestOf(kind: Kind | undefined, given: Partial<LoggedRequest> = {}): LoggedRequest {
  return {
    head: { method: "GET", rawPath: "/x", queryString: "a=b", httpVersion: "1.1", headers: [] },
    connection: { client: ["192.0.2.1", 1] },
    exchange: kind === undefined ? undefined : { kind },
    status: 200,
    bodyLength: 5,
    startedAt: 0,
    leaveJournal: undefined,
    ...given,
  };
}

class Recorded implements Disposable {
  readonly metrics = new Metrics();
  readonly folder = new Folder();
  readonly accessLog = new AccessLog({ path: this.folder.file("access.log") }, "%h %m %U%q %s %B");
  settledCount = 0;
  readonly log = new RequestLog({
    accessLog: this.accessLog,
    metrics: this.metrics,
    refusals: new Refusals(new RecordingLogger()),
    journal: undefined,
    onSettled: () => this.settledCount++,
  });

  get samples(): Samples {
    return this.metrics.samples({ open: 3, sentBytes: 0 });
  }

  lines(): string[] {
    this.accessLog.flush();
    return this.folder.lines("access.log");
  }

  [Symbol.dispose](): void {
    this.metrics.close();
    this.folder[Symbol.dispose]();
  }
}

describe("the records of a request", () => {
  test.each(["http", "sse", "websocket"] as const)("%s: in flight, then counted and logged once", (kind) => {
    using records = new Recorded();
    const request = requestOf(kind);
    records.log.began(request);
    expect(records.log.running).toBe(1);
    expect(records.log.webSockets).toBe(kind === "websocket" ? 1 : 0);
    expect(records.samples["pagi_http_requests_in_flight"]).toBe(1);
    records.log.ended(request);
    records.log.settled(request);
    expect(records.samples["pagi_http_requests_in_flight"]).toBe(0);
    expect([records.log.running, records.log.webSockets, records.settledCount]).toEqual([0, 0, 1]);
    expect(records.lines()).toEqual(["192.0.2.1 GET /x?a=b 200 5"]);
  });

  test("a WebSocket that was accepted ends with its own status and bytes", () => {
    using records = new Recorded();
    const request = requestOf("websocket", { status: 0 });
    records.log.began(request);
    records.log.webSocketBegan();
    records.log.webSocketOpened();
    expect(records.samples['pagi_connections{protocol="websocket"}']).toBe(1);
    records.log.webSocketEnded(request, 101, 77);
    records.log.settled(request);
    expect(records.samples['pagi_connections{protocol="websocket"}']).toBe(0);
    expect(records.samples["pagi_http_requests_in_flight"]).toBe(0);
    expect(records.lines()).toEqual(["192.0.2.1 GET /x?a=b 101 77"]);
  });

  test("a request that never came to the application is counted and logged, and was never in flight", () => {
    using records = new Recorded();
    records.log.ended(requestOf(undefined, { head: loggedHead(NO_HEAD), status: 408, bodyLength: 9 }));
    expect(records.samples["pagi_http_requests_in_flight"]).toBe(0);
    expect(records.lines()).toEqual(["192.0.2.1 - - 408 9"]);
  });

  test("what has no record is in none", () => {
    using records = new Recorded();
    records.log.ended(requestOf(undefined, { head: undefined, status: 503 }));
    expect(records.lines()).toEqual([]);
  });

  test("the journal is left when the application has settled, not before", () => {
    const fd = openJournal();
    const log = new RequestLog({
      accessLog: undefined,
      metrics: undefined,
      refusals: new Refusals(new RecordingLogger()),
      journal: new RequestJournal(fd),
      onSettled: () => {},
    });
    const request = requestOf("http");
    log.began(request);
    log.ended(request);
    expect(readJournal(fd)).toEqual({ count: 1, requests: ["GET /x"] });
    log.settled(request);
    expect(readJournal(fd)).toEqual({ count: 0, requests: [] });
    closeSync(fd);
  });
});
