import { describe, expect, test } from "bun:test";

import type { Application } from "../../../src/spec/index.ts";
import { SessionInMemory } from "../../support/http1-session.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Answers with the path, in the given number of body events. */
function answering(parts = 1): Application {
  return async (scope, _receive, send) => {
    if (scope.type !== "http") throw new Error("only http");
    const body = scope.path;
    const headers: [string, string][] = [["content-length", String(body.length * parts)]];
    await send({ type: "http.response.start", status: 200, headers });
    for (let part = 1; part <= parts; part++)
      await send({ type: "http.response.body", body, more: part < parts });
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bodies = (text: string): string[] =>
  [...text.matchAll(/\r\n\r\n([^H]*)/g)].map(([, body]) => body ?? "");

describe("responses to pipelined requests", () => {
  test.each([2, 16, 100])("%d whole ones leave with one write", async (count) => {
    const session = new SessionInMemory(answering());
    session.receive(Array.from({ length: count }, (_, i) => get(`/${i}`)).join(""));
    await turn();
    await turn();
    expect(bodies(session.text)).toEqual(Array.from({ length: count }, (_, i) => `/${i}`));
    expect(session.writes.length).toBe(1);
  });

  test("a response leaves at the end of the turn though the next application takes its time", async () => {
    const slow = Promise.withResolvers<void>();
    const session = new SessionInMemory(async (scope, receive, send) => {
      if (scope.type === "http" && scope.path === "/slow") await slow.promise;
      await answering()(scope, receive, send);
    });
    session.receive(get("/quick") + get("/slow"));
    await turn();
    await turn();
    expect(bodies(session.text)).toEqual(["/quick"]);
    slow.resolve();
    await turn();
    await turn();
    expect(bodies(session.text)).toEqual(["/quick", "/slow"]);
  });

  test("a part of a request that follows holds a response no longer than the turn", async () => {
    const session = new SessionInMemory(answering());
    session.receive(`${get("/whole")}GET /pa`);
    await turn();
    await turn();
    expect(bodies(session.text)).toEqual(["/whole"]);
  });

  test("a response behind which the connection closes is not held, and nothing follows it", async () => {
    const session = new SessionInMemory(answering());
    session.receive(`GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get("/never")}`);
    await turn();
    await turn();
    expect(bodies(session.text)).toEqual(["/last"]);
    expect(session.calls).toContain("shutdown");
  });

  test("a response is delivered in order where the kernel takes only a part", async () => {
    const session = new SessionInMemory(answering(3));
    session.room = 50;
    session.receive(get("/one") + get("/two"));
    await turn();
    expect(session.text.length).toBe(50);
    for (let i = 0; i < 20; i++) {
      session.room = 50;
      session.connection.onSocketWritable();
      await turn();
    }
    session.room = Infinity;
    session.connection.onSocketWritable();
    await turn();
    expect(bodies(session.text)).toEqual(["/one/one/one", "/two/two/two"]);
  });

  test("a fault behind a held response is answered behind it", async () => {
    const session = new SessionInMemory(answering());
    session.receive(`${get("/fine")}BAD\r\n\r\n`);
    await turn();
    await turn();
    expect(session.text).toMatch(/^HTTP\/1\.1 200 [^]*\/fineHTTP\/1\.1 400 /);
  });
});

describe("the end of an exchange", () => {
  test("comes within send where nothing else has come", async () => {
    let isIdle: boolean | undefined;
    const session = new SessionInMemory(async (scope, receive, send) => {
      await answering()(scope, receive, send);
      isIdle = session.connection.request === undefined;
    });
    session.receive(GET);
    expect(session.connection.request).toBe("GET /");
    await turn();
    expect(isIdle).toBe(true);
    session.receive(GET);
    await turn();
    expect(bodies(session.text)).toEqual(["/", "/"]);
  });

  test("is reported once, and what is sent later reaches nobody", async () => {
    const ends: string[] = [];
    const session = new SessionInMemory(async (scope, receive, send) => {
      if (scope.type !== "http") return;
      scope["pagi.connection"].onComplete(() => ends.push("complete"));
      scope["pagi.connection"].onDisconnect((reason) => ends.push(reason));
      await answering()(scope, receive, send);
      await send({ type: "http.response.body", body: "too late" }).catch(() => ends.push("rejected"));
    });
    session.receive(GET);
    await turn();
    await turn();
    expect(ends).toEqual(["complete", "rejected"]);
    expect(bodies(session.text)).toEqual(["/"]);
  });

  test("lets the next request begin though the application still works", async () => {
    const order: string[] = [];
    const done = Promise.withResolvers<void>();
    const session = new SessionInMemory(async (scope, _receive, send) => {
      if (scope.type !== "http") return;
      order.push(`begin ${scope.path}`);
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "2"]] });
      await send({ type: "http.response.body", body: "ok" });
      await done.promise;
      order.push(`end ${scope.path}`);
    });
    session.receive(get("/1") + get("/2"));
    await turn();
    await turn();
    expect(order).toEqual(["begin /1", "begin /2"]);
    expect(session.context.requests.running).toBe(2);
    done.resolve();
    await turn();
    expect(order).toEqual(["begin /1", "begin /2", "end /1", "end /2"]);
    expect(session.context.requests.running).toBe(0);
  });
});
