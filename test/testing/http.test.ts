import { describe, expect, test } from "bun:test";
import { dispatch } from "pagi-server/spec";
import type { HttpHandler } from "pagi-server/spec";
import { PagiRequest } from "pagi-server/request";
import { PagiResponse } from "pagi-server/response";
import { TestClient } from "pagi-server/testing";
import type { TestClientOptions } from "pagi-server/testing";
import { echo, text } from "../support/server.ts";

interface Echo {
  readonly method: string;
  readonly path: string;
  readonly raw_path: string;
  readonly query_string: string;
  readonly headers: [string, string][];
  readonly http_version: string;
  /** One char for each byte. */
  readonly body: string;
}

function client(http: HttpHandler, options?: TestClientOptions): TestClient {
  return new TestClient(dispatch({ http }), options);
}

function valuesOf(seen: Echo, name: string): string[] {
  return seen.headers.filter(([each]) => each === name).map(([, value]) => value);
}

async function echoed(...call: Parameters<TestClient["request"]>): Promise<Echo> {
  return (await client(echo).request(...call)).json<Echo>();
}

describe("requests", () => {
  test.each(["get", "post", "put", "patch", "delete", "options"] as const)(
    "%s sends its method",
    async (method) => {
      const seen = await (await client(echo)[method]("/a")).json<Echo>();
      expect(seen.method).toBe(method.toUpperCase());
    },
  );

  test("HEAD has the fields of the response and no body", async () => {
    const response = await client(text("hello")).head("/");
    expect(response.contentLength).toBe(5);
    expect(await response.text()).toBe("");
  });

  test("a path goes out as it is written, but for what no request line carries", async () => {
    const seen = await echoed("GET", "/a/../b//c%2Fd é?x=ü y#part");
    expect(seen.raw_path).toBe("/a/../b//c%2Fd%20%C3%A9");
    expect(seen.path).toBe("/a/../b//c/d é");
    expect(seen.query_string).toBe("x=%C3%BC%20y");
  });

  test("query parameters are appended, several values for a name among them", async () => {
    const query = { tag: ["perl", "async"], n: 1, none: undefined };
    expect((await echoed("GET", "/?a=b", { query })).query_string).toBe("a=b&tag=perl&tag=async&n=1");
    expect(
      (
        await echoed("GET", "/", {
          query: [
            ["a", "1"],
            ["a", "2"],
          ],
        })
      ).query_string,
    ).toBe("a=1&a=2");
  });

  test("a path that does not begin with a slash is refused", async () => {
    await expect(client(echo).get("users")).rejects.toThrow("has to begin with '/'");
  });

  test("headers of a request replace those of the client", async () => {
    const app = client(echo, { headers: { "X-Key": "default", Other: "kept" } });
    const seen = await (await app.get("/", { headers: { "x-key": ["a", "b"] } })).json<Echo>();
    expect(valuesOf(seen, "x-key")).toEqual(["a", "b"]);
    expect(valuesOf(seen, "other")).toEqual(["kept"]);
    expect(valuesOf(seen, "host")).toEqual(["localhost"]);
  });

  test("a header that cannot be sent is refused", async () => {
    await expect(client(echo).get("/", { headers: { "x-a": "b\r\nc: d" } })).rejects.toThrow(
      "control character",
    );
    await expect(client(echo).get("/", { headers: { "x a": "b" } })).rejects.toThrow("no token");
  });

  test("bodies are sent with their type and length", async () => {
    const json = await echoed("POST", "/", { json: { name: "é" } });
    expect(JSON.parse(Buffer.from(json.body, "latin1").toString())).toEqual({ name: "é" });
    expect(valuesOf(json, "content-type")).toEqual(["application/json"]);
    expect(valuesOf(json, "content-length")).toEqual(["13"]);
    const form = await echoed("POST", "/", { form: { colors: ["red", "blue"], a: "b&c" } });
    expect(form.body).toBe("colors=red&colors=blue&a=b%26c");
    expect(valuesOf(form, "content-type")).toEqual(["application/x-www-form-urlencoded"]);
    expect((await echoed("PUT", "/", { body: new Uint8Array([0, 255]) })).body).toBe("\0ÿ");
    expect((await echoed("PUT", "/", { body: new Blob(["a", "b"]) })).body).toBe("ab");
    expect(
      (await echoed("PUT", "/", { body: "text", headers: { "content-type": "a/b" } })).headers,
    ).toContainEqual(["content-type", "a/b"]);
    expect(valuesOf(await echoed("POST", "/"), "content-length")).toEqual(["0"]);
    expect(valuesOf(await echoed("GET", "/"), "content-length")).toEqual([]);
  });

  test("two bodies at once are refused", async () => {
    await expect(client(echo).post("/", { json: 1, body: "a" })).rejects.toThrow("one body");
  });

  test("files go as multipart, with names, types and fields", async () => {
    const seen: unknown[] = [];
    const app = client(async (scope, receive, send) => {
      const request = new PagiRequest(scope, receive);
      await using form = await request.form();
      seen.push(form.get("title"));
      for (const upload of form.getAll("photo")) {
        if (typeof upload === "string") throw new Error("no upload");
        seen.push([upload.filename, upload.contentType, await upload.text()]);
      }
      await PagiResponse.empty().respond(send, scope);
    });
    const response = await app.post("/", {
      form: { title: "Holidays" },
      files: {
        photo: [
          { content: "one", name: "a.png" },
          { content: new Uint8Array([116, 119, 111]), name: "b.bin", type: "image/x" },
          new File(["three"], "c.txt", { type: "text/plain" }),
          "four",
        ],
      },
    });
    expect(response.status).toBe(204);
    expect(seen).toEqual([
      "Holidays",
      ["a.png", "image/png", "one"],
      ["b.bin", "image/x", "two"],
      ["c.txt", expect.stringContaining("text/plain"), "three"],
      ["photo", expect.any(String), "four"],
    ]);
  });

  test("a stream is sent chunk by chunk, as the application takes it", async () => {
    const events: string[] = [];
    async function* chunks(): AsyncGenerator<string | Uint8Array> {
      events.push("first is asked for");
      yield "a";
      events.push("second is asked for");
      yield new Uint8Array([98]);
    }
    const app = client(async (scope, receive, send) => {
      expect(scope.headers).toContainEqual(["transfer-encoding", "chunked"]);
      for (;;) {
        const event = await receive();
        if (event.type !== "http.request") throw new Error("the client has gone");
        events.push(`${Buffer.from(event.body)} ${event.more}`);
        if (!event.more) break;
      }
      await PagiResponse.empty().respond(send, scope);
    });
    await app.post("/", { body: chunks() });
    expect(events).toEqual(["first is asked for", "a true", "second is asked for", "b true", " false"]);
  });

  test("a body that fails is a client that goes away", async () => {
    async function* chunks(): AsyncGenerator<string> {
      yield "a";
      throw new Error("the disk is full");
    }
    let reason: unknown;
    const app = client(async (scope, receive) => {
      while ((await receive()).type === "http.request");
      reason = scope["pagi.connection"].disconnectReason();
    });
    await expect(app.post("/", { body: chunks() })).rejects.toThrow("the disk is full");
    expect(reason).toBe("client_closed");
  });

  test("the scope can be chosen", async () => {
    let seen: unknown;
    const app = client(
      async (scope, _receive, send) => {
        const { scheme, http_version, root_path, client, server, extensions, state } = scope;
        seen = { scheme, http_version, root_path, client, server, extensions, state, user: scope["user"] };
        await PagiResponse.empty().respond(send, scope);
      },
      { state: { db: 1 }, client: ["10.0.0.1", 7] },
    );
    await app.get("https://example.org:8443/", {
      httpVersion: "2",
      rootPath: "/app",
      extensions: { "x-test": {} },
      scope: { user: "me" },
    });
    expect(seen).toEqual({
      scheme: "https",
      http_version: "2",
      root_path: "/app",
      client: ["10.0.0.1", 7],
      server: ["example.org", 8443],
      extensions: { fullflush: {}, "x-test": {} },
      state: { db: 1 },
      user: "me",
    });
    await app.get("/", { client: null, server: ["/run/app.sock", null] });
    expect(seen).toMatchObject({ client: undefined, server: ["/run/app.sock", null] });
  });
});

describe("responses", () => {
  test("status, fields and body", async () => {
    const app = client((scope, _receive, send) =>
      PagiResponse.json({ a: 1 }).status(404).header("X-A", "b").cookie("id", "7").respond(send, scope),
    );
    const response = await app.get("/");
    expect(response.status).toBe(404);
    expect([response.ok, response.isSuccess(), response.isRedirect(), response.isError()]).toEqual([
      ...[false, false, false, true],
    ]);
    expect(response.header("x-a")).toBe("b");
    expect(response.headers.get("X-A")).toBe("b");
    expect(response.contentType).toContain("application/json");
    expect(response.cookies).toEqual({ id: "7" });
    expect(response.header("date")).toMatch(/GMT$/);
    expect(await response.json<{ a: number }>()).toEqual({ a: 1 });
    expect(await response.text()).toBe('{"a":1}');
    expect(await response.bytes()).toHaveLength(7);
  });

  test("a body that is no JSON is shown in the error", async () => {
    const response = await client(text("<h1>Oops</h1>")).get("/");
    await expect(response.json()).rejects.toThrow('The body of the 200 is no JSON: "<h1>Oops</h1>"');
  });

  test("files and handles are resolved", async () => {
    const app = client(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      if (scope.path === "/file")
        await send({ type: "http.response.body", file: import.meta.path, offset: 7, length: 10 });
      else await send({ type: "http.response.body", fh: new Blob(["from a blob"]) });
    });
    expect(await (await app.get("/file")).text()).toBe("{ describe");
    expect(await (await app.get("/blob")).text()).toBe("from a blob");
  });

  test("trailers come after the body", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: true });
      await send({ type: "http.response.body", body: "a" });
      await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
    });
    const response = await app.get("/");
    expect(response.trailers.get("x-sum")).toBe("1");
  });

  test("a streamed response is there piece by piece", async () => {
    const gate = Promise.withResolvers<void>();
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "first", more: true });
      await gate.promise;
      await send({ type: "http.response.body", body: "second" });
    });
    const pieces: string[] = [];
    for await (const piece of await app.get("/", { stream: true })) {
      pieces.push(Buffer.from(piece).toString());
      gate.resolve();
    }
    expect(pieces).toEqual(["first", "second"]);
  });

  test("what is not read makes the application wait", async () => {
    const sent: number[] = [];
    const app = client(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        for (let i = 0; i < 4; i++) {
          await send({ type: "http.response.body", body: "x".repeat(1000), more: i < 3 });
          sent.push(i);
        }
      },
      { highWaterMark: 1500, lowWaterMark: 0, socketBuffer: 0 },
    );
    const response = await app.get("/", { stream: true });
    expect(sent).toEqual([0]);
    expect((await response.text()).length).toBe(4000);
    expect(sent).toEqual([0, 1, 2, 3]);
  });

  test("an endless response can be left", async () => {
    const end = Promise.withResolvers<unknown>();
    const app = client(async (scope, _receive, send) => {
      const connection = scope["pagi.connection"];
      await send({ type: "http.response.start", status: 200 });
      while (connection.isConnected()) await send({ type: "http.response.body", body: "x", more: true });
      end.resolve(connection.disconnectReason());
    });
    for await (const _piece of await app.get("/", { stream: true })) break;
    expect(await end.promise).toBe("client_closed");
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error("enough")));
    await expect(app.get("/", { signal: abort.signal })).rejects.toThrow("enough");
  });

  test("a signal may last longer than a request, and does not gather them", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "whole" });
    });
    const abort = new AbortController();
    let listening = 0;
    const { signal } = abort;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listening++;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listening--;
      remove(...given);
    };
    expect(await (await app.get("/", { signal })).text()).toBe("whole");
    const unread = await app.get("/", { signal, stream: true });
    expect(listening).toBe(1);
    abort.abort(new Error("enough"));
    await expect(unread.text()).rejects.toThrow("enough");
  });
});
