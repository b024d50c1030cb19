import { describe, expect, test } from "bun:test";

import express from "express";
import fastify from "fastify";

import { fromFastify } from "../../adapters/node/fastify.ts";
import { loadApplication } from "../../cli/load-application.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { httpScope, response as responseOf, server as fakeServer } from "../support/fake-scope.ts";
import { Folder } from "../support/program.ts";
import { startServer } from "../support/server.ts";
import { field, get, post, request } from "../support/wire.ts";

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  describe("Express 5", () => {
    const app = express();
    app.use(express.json(), express.urlencoded());
    app.get("/hello/:name", (incoming, response) => void response.send(`Hello, ${incoming.params.name}!`));
    app.get(
      "/ip",
      (incoming, response) => void response.json([incoming.ip, incoming.protocol, incoming.hostname]),
    );
    app.post("/json", (incoming, response) => void response.status(201).json({ got: incoming.body }));
    app.get("/redirect", (_incoming, response) => response.redirect("/hello/you"));
    app.get("/file", (_incoming, response) => response.sendFile(import.meta.path));
    app.get("/throw", async () => {
      throw new Error("in a route");
    });

    test("routes, reads bodies, answers with JSON, redirects, files and errors", async () => {
      app.set("env", "test"); // it logs what is thrown otherwise
      await using server = await startServer(fromNode(app));
      const hello = await request(server, get("/hello/PAGI"));
      expect([hello.body, field(hello, "etag") !== undefined]).toEqual(["Hello, PAGI!", true]);
      const again = await request(server, get("/hello/PAGI", `If-None-Match: ${field(hello, "etag")}`));
      expect([again.status, again.body]).toEqual([304, ""]);
      const json = await request(server, post("/json", `{"a":[1]}`, "Content-Type: application/json"));
      expect([json.status, json.body]).toEqual([201, `{"got":{"a":[1]}}`]);
      const form = await request(
        server,
        post("/json", "a=1&b=2", "Content-Type: application/x-www-form-urlencoded"),
      );
      expect(form.body).toBe(`{"got":{"a":"1","b":"2"}}`);
      const broken = await request(server, post("/json", `{"a":`, "Content-Type: application/json"));
      expect(broken.status).toBe(400);
      const redirect = await request(server, get("/redirect"));
      expect([redirect.status, field(redirect, "location")]).toEqual([302, "/hello/you"]);
      const file = await request(server, get("/file", "Range: bytes=0-5"));
      expect([file.status, file.body]).toEqual([206, "import"]);
      expect((await request(server, get("/throw"))).status).toBe(500);
      expect((await request(server, get("/nowhere"))).status).toBe(404);
      const head = await request(server, "HEAD /hello/PAGI HTTP/1.1\r\nHost: a\r\n\r\n");
      expect([head.status, field(head, "content-length")]).toEqual([200, "12"]);
    });

    test("sees the client's address, and a proxy's word for it where it trusts the proxy", async () => {
      await using server = await startServer(fromNode(app));
      const forwarded = get("/ip", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https");
      expect((await request(server, forwarded)).body).toBe(`["127.0.0.1","http","a"]`);
      app.set("trust proxy", "loopback");
      expect((await request(server, forwarded)).body).toBe(`["203.0.113.7","https","a"]`);
      app.set("trust proxy", false);
    });
  });

  test("Express sees that the connection is encrypted, and that a Unix socket has no address", async () => {
    const app = express().get(
      "/",
      (incoming, response) => void response.json([incoming.secure, incoming.ip ?? null]),
    );
    const encrypted = fakeServer();
    const scope = httpScope({ scheme: "https", client: ["2001:db8::1", 4] });
    await fromNode(app)(scope, encrypted.receive, encrypted.send);
    expect(responseOf(encrypted.sent).body).toBe(`[true,"2001:db8::1"]`);
    const unix = fakeServer();
    await fromNode(app)(httpScope({ server: ["/run/app.sock", null] }), unix.receive, unix.send);
    expect(responseOf(unix.sent).body).toBe("[false,null]");
  });

  describe("Fastify 5", () => {
    test("routes, reads bodies, validates, streams and answers errors", async () => {
      const app = fastify();
      app.get("/hello/:name", async (incoming) => ({ hello: incoming.params, ip: incoming.ip }));
      const schema = { body: { type: "object", required: ["a"], properties: { a: { type: "number" } } } };
      app.post("/json", { schema }, async (incoming) => incoming.body);
      app.get("/throw", async () => {
        throw new Error("in a route");
      });
      await app.ready();
      await using server = await startServer(
        fromNode((incoming, response) => app.routing(incoming, response)),
      );
      expect((await request(server, get("/hello/PAGI"))).body).toBe(
        `{"hello":{"name":"PAGI"},"ip":"127.0.0.1"}`,
      );
      const type = "Content-Type: application/json";
      expect((await request(server, post("/json", `{"a":1}`, type))).body).toBe(`{"a":1}`);
      expect((await request(server, post("/json", `{"b":1}`, type))).status).toBe(400);
      expect((await request(server, get("/throw"))).status).toBe(500);
      expect((await request(server, get("/nowhere"))).status).toBe(404);
    });

    test.each<[role: "single" | "supervisor" | "worker", told: string[]]>([
      ["single", ["ready", "close"]],
      ["supervisor", []],
      ["worker", ["ready", "close"]],
    ])("its hooks run where requests are served: %s", async (role, told) => {
      const calls: string[] = [];
      const app = fromFastify({
        ready: async () => calls.push("ready"),
        close: async () => calls.push("close"),
        routing: () => {},
      });
      const isWorker = role === "worker" ? 1 : 0;
      const pagi = { version: "0.3", spec_version: "0.3", is_worker: isWorker, role } as const;
      const { receive, send, sent } = fakeServer({ type: "lifespan.startup" }, { type: "lifespan.shutdown" });
      await app({ type: "lifespan", state: {}, pagi }, receive, send);
      expect(sent.map(({ type }) => type)).toEqual([
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
      ]);
      expect(calls).toEqual(told);
    });
  });
});

describe("the loader", () => {
  test("knows an Express application and a Fastify instance by what they have", async () => {
    const modules = {
      express: Bun.resolveSync("express", import.meta.dir),
      fastify: Bun.resolveSync("fastify", import.meta.dir),
    };
    using folder = new Folder({
      "express.ts": `import express from ${JSON.stringify(modules.express)};
        const app = express(); app.get("/", (_, response) => response.send("by Express")); export default app;`,
      "fastify.ts": `import fastify from ${JSON.stringify(modules.fastify)};
        export const app = fastify(); const told = [];
        app.addHook("onReady", async () => { told.push("ready"); });
        app.addHook("onClose", async () => { await Bun.write(import.meta.dir + "/closed.txt", "closed\\n"); });
        app.get("/", async () => "by Fastify " + told);`,
      "broken.ts": `import fastify from ${JSON.stringify(modules.fastify)};
        export const app = fastify(); app.addHook("onReady", async () => { throw new Error("no database"); });`,
    });
    for (const [file, body] of [
      ["express.ts", "by Express"],
      ["fastify.ts", "by Fastify ready"],
    ] as const) {
      await using server = await startServer(await loadApplication(folder.file(file)));
      expect((await request(server, get("/"))).body).toBe(body);
      await server.server.stop();
    }
    expect(folder.lines("closed.txt")).toEqual(["closed"]);
    const broken = startServer(await loadApplication(folder.file("broken.ts")));
    await expect(broken).rejects.toThrow(/no database/);
  });
});
