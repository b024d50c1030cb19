import { describe, expect, test } from "bun:test";

import { startHttp, text } from "../../support/server.ts";
import { Wire, eventually, field, get } from "../../support/wire.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const head = (...fields: string[]): string =>
  ["POST / HTTP/1.1", "Host: a", "Content-Length: 5", ...fields, "", ""].join("\r\n");

describe("RFC 9110 section 10.1.1: Expect", () => {
  test("100 goes out when the application first receives, not before, and only once", async () => {
    let go = (): void => {};
    const gone = new Promise<void>((resolve) => (go = resolve));
    let started = false;
    await using server = await startHttp(async (_scope, receive, send) => {
      started = true;
      await gone;
      let body = "";
      for (let more = true; more;) {
        const event = await receive();
        if (event.type !== "http.request") return;
        body += Buffer.from(event.body).toString();
        more = event.more;
      }
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
      await send({ type: "http.response.body", body });
    });
    await using wire = await Wire.open(server);
    await wire.send(head("Expect: 100-Continue"));
    await eventually("the application runs", () => started);
    await Bun.sleep(20);
    expect(wire.pending).toBe("");
    go();
    expect(await wire.readTo("\r\n\r\n")).toBe(CONTINUE);
    await wire.send("he");
    await wire.send("llo");
    const response = await wire.response();
    expect(response.body).toBe("hello");
    expect(field(response, "connection")).toBeUndefined();
    await wire.send(get("/", "Connection: close"));
    expect(await wire.readToEnd()).toStartWith("HTTP/1.1 200 ");
  });

  test("no 100 when the body has come already", async () => {
    await using server = await startHttp(async (_scope, receive, send) => {
      const event = await receive();
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
      await send({ type: "http.response.body", body: event.type === "http.request" ? event.body : "" });
    });
    await using wire = await Wire.open(server);
    await wire.send(head("Expect: 100-continue") + "hello");
    const response = await wire.response();
    expect([response.status, response.body]).toEqual([200, "hello"]);
  });

  test("no 100 once the response has started", async () => {
    await using server = await startHttp(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      const event = await receive();
      await send({ type: "http.response.body", body: event.type === "http.request" ? event.body : "" });
    });
    await using wire = await Wire.open(server);
    await wire.send(head("Expect: 100-continue"));
    expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 200 OK\r\n");
    await wire.send("hello");
    expect(await wire.readToEnd()).toBe("5\r\nhello\r\n0\r\n\r\n");
  });

  test("a response without reading the body says close, and what follows is not read as a request", async () => {
    let count = 0;
    await using server = await startHttp(async (scope, receive, send) => {
      count++;
      await text("no")(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send(head("Expect: 100-continue"));
    const response = await wire.response();
    expect(field(response, "connection")).toBe("close");
    await wire.send(get("/smuggled")).catch(() => {});
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
    expect(count).toBe(1);
  });

  test("another expectation is 417", async () => {
    await using server = await startHttp(text("hi"));
    await using wire = await Wire.open(server);
    await wire.send(head("Expect: the-best"));
    expect((await wire.response()).status).toBe(417);
    expect(await wire.readToEnd()).toBe("");
  });

  test("it is ignored without a body, and on HTTP/1.0", async () => {
    await using server = await startHttp(async (scope, receive, send) => {
      await receive();
      await text("hi")(scope, receive, send);
    });
    for (const bytes of [
      get("/", "Expect: 100-continue"),
      "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    ]) {
      await using wire = await Wire.open(server);
      await wire.send(bytes);
      expect((await wire.response()).status).toBe(200);
    }
  });
});
