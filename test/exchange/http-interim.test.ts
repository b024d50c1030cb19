import { describe, expect, test } from "bun:test";

import type { HttpSendEvent } from "../../src/spec/events.ts";
import type { Headers } from "../../src/spec/values.ts";
import { startHttp } from "../support/server.ts";
import { get, Wire } from "../support/wire.ts";

const interim = (status: number, headers: Headers = []): HttpSendEvent => ({
  type: "http.response.interim",
  status,
  headers,
});
const FINAL: HttpSendEvent[] = [
  { type: "http.response.start", status: 200, headers: [["content-length", "2"]] },
  { type: "http.response.body", body: "ok" },
];

/** A server whose application sends these events; what `send` throws is kept. */
async function startWith(...events: HttpSendEvent[]) {
  const errors: string[] = [];
  const extensions: string[][] = [];
  const server = await startHttp(async (scope, _receive, send) => {
    extensions.push(Object.keys(scope.extensions));
    for (const event of events) {
      try {
        await send(event);
      } catch (error) {
        errors.push(String(error));
      }
    }
  });
  return { server, errors, extensions, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const withoutDate = (bytes: string): string => bytes.replaceAll(/date: [^\r]*\r\n/g, "");

describe("interim responses (RFC 9110 section 15.2)", () => {
  test("come before the final one, as many as the application sends", async () => {
    await using app = await startWith(
      interim(102),
      interim(103, [["link", "</a.css>; rel=preload"]]),
      interim(103, [["link", "</b.css>; rel=preload"]]),
      ...FINAL,
    );
    await using wire = await Wire.open(app.server);
    await wire.send(get("/"));
    expect(withoutDate(await wire.readTo("\r\n\r\nok"))).toBe(
      "HTTP/1.1 102 Processing\r\n\r\n" +
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n" +
        "HTTP/1.1 103 Early Hints\r\nlink: </b.css>; rel=preload\r\n\r\n" +
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    );
    await wire.send(get("/"));
    await wire.readTo("\r\n\r\nok");
    expect(app.errors).toEqual([]);
  });

  test("leave at once", async () => {
    const go = Promise.withResolvers<void>();
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send(interim(103, [["link", "</a.css>"]]));
      await go.promise;
      for (const event of FINAL) await send(event);
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.readTo("link: </a.css>\r\n\r\n");
    go.resolve();
    await wire.readTo("ok");
  });

  test("have no fields about a body or a connection (RFC 9110 section 8.6, RFC 9112 section 6.1)", async () => {
    const fields = ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"];
    const headers = fields.map((name): [string, string] => [name, "5"]);
    await using app = await startWith(interim(103, [...headers, ["x-a", "1"]]), ...FINAL);
    await using wire = await Wire.open(app.server);
    await wire.send(get("/"));
    expect(await wire.readTo("\r\n\r\n")).toBe("HTTP/1.1 103 Early Hints\r\nx-a: 1\r\n\r\n");
  });

  test("do not go to a client of HTTP/1.0, whose scope does not offer them", async () => {
    await using app = await startWith(interim(103), ...FINAL);
    await using wire = await Wire.open(app.server);
    await wire.send("GET / HTTP/1.0\r\n\r\n");
    expect(await wire.readToEnd()).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(app.errors).toEqual([expect.stringContaining("needs the extension")]);
    expect(app.extensions).toEqual([["fullflush"]]);
  });

  test("100 (Continue) by the application is the only one", async () => {
    await using server = await startHttp(async (scope, receive, send) => {
      expect(scope.extensions).toHaveProperty(["http.response.interim"]);
      await send(interim(100));
      await receive();
      for (const event of FINAL) await send(event);
    });
    await using wire = await Wire.open(server);
    await wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(await wire.readTo("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    await wire.send("hi");
    expect(await wire.readTo("\r\n\r\nok")).toStartWith("HTTP/1.1 200 OK\r\n");
    await wire.send(get("/")); // nothing is left over
    await wire.readTo("ok");
  });

  test("with 101 HTTP ends, and so does the connection", async () => {
    await using app = await startWith(
      interim(101, [
        ["upgrade", "tea"],
        ["connection", "upgrade"],
      ]),
      ...FINAL,
    );
    await using wire = await Wire.open(app.server);
    await wire.send(get("/") + get("/"));
    const bytes = await wire.readToEnd();
    expect(bytes).toStartWith("HTTP/1.1 101 Switching Protocols\r\nupgrade: tea\r\nconnection: upgrade");
    expect(bytes).toEndWith("\r\n\r\n");
    expect(bytes.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(app.errors.join()).toContain("the response is complete");
  });

  test("alone are answered with 500, for the client waits for a final response", async () => {
    await using app = await startWith(interim(103));
    await using wire = await Wire.open(app.server);
    await wire.send(get("/"));
    expect(await wire.readToEnd()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 500 /);
  });

  test("are not sent behind the start of the final one, and not with another status or a forged field", async () => {
    const [start, ...rest] = FINAL;
    await using app = await startWith(
      interim(200),
      interim(99),
      interim(103, [["a", "1\r\nb: 2"]]),
      ...(start === undefined ? [] : [start]),
      interim(103),
      ...rest,
    );
    await using wire = await Wire.open(app.server);
    await wire.send(get("/"));
    expect(withoutDate(await wire.readTo("ok"))).toBe("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    expect(app.errors).toHaveLength(4);
  });
});
