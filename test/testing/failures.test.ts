import { describe, expect, test } from "bun:test";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { upgradeWebSocket } from "pagi-server/hono";
import { PagiResponse } from "pagi-server/response";
import { dispatch } from "pagi-server/spec";
import type { HttpHandler } from "pagi-server/spec";
import { ApplicationError, TestClient, TestTimeoutError, TruncatedError } from "pagi-server/testing";
import type { TestClientOptions } from "pagi-server/testing";
import { text } from "../support/server.ts";

function client(http: HttpHandler, options?: TestClientOptions): TestClient {
  return new TestClient(dispatch({ http }), options);
}

describe("what goes wrong", () => {
  const broken = new Error("the database is down");
  const boom: HttpHandler = async () => {
    throw broken;
  };

  test("the error of the application is thrown", async () => {
    await expect(client(boom).get("/")).rejects.toBe(broken);
  });

  test("or there is the 500 of a server, with the error beside it", async () => {
    const response = await client(boom, { throwErrors: false }).get("/");
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("Internal Server Error\n");
    expect(response.exception).toBe(broken);
  });

  test("an error after the answer is thrown too", async () => {
    const app = client(async (scope, _receive, send) => {
      await PagiResponse.text("done").respond(send, scope);
      await Promise.resolve();
      throw broken;
    });
    await expect(app.get("/")).rejects.toBe(broken);
  });

  test("no response at all is an error", async () => {
    await expect(client(async () => {}).get("/")).rejects.toThrow(ApplicationError);
  });

  test("an event that breaks the contract is an error of the application's send", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["x", "a\nb"]] });
    });
    await expect(app.get("/")).rejects.toThrow("headers");
  });

  test("a response that ends too early is cut", async () => {
    const app = client(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
        await send({ type: "http.response.body", body: "abc" }).catch(() => {});
      },
      { throwErrors: false },
    );
    const response = await app.get("/", { stream: true });
    await expect(response.text()).rejects.toThrow(TruncatedError);
  });

  test("a wait has its limit, and says what it was for", async () => {
    const reason = Promise.withResolvers<unknown>();
    const app = client(async (scope, receive) => {
      while ((await receive()).type !== "http.disconnect");
      reason.resolve(scope["pagi.connection"].disconnectReason());
    });
    const wait = app.get("/slow", { timeout: 20 });
    await expect(wait).rejects.toThrow("Waited 0.02 s for the response to GET /slow");
    await expect(wait).rejects.toThrow(TestTimeoutError);
    expect(await reason.promise).toBe("client_closed");
  });

  test("an application that does not return is waited for, unless that is not wanted", async () => {
    const end = Promise.withResolvers<void>();
    const app = client(async (scope, _receive, send) => {
      await PagiResponse.text("done").respond(send, scope);
      await end.promise;
    });
    expect((await app.get("/", { waitForReturn: false })).status).toBe(200);
    await expect(app.get("/", { timeout: 1000 })).rejects.toThrow("the application to return");
    end.resolve();
  });
});

describe("lifespan", () => {
  const lines: string[] = [];
  const app = dispatch({
    async lifespan(scope, receive, send) {
      await receive();
      scope.state["db"] = "open";
      await send({ type: "lifespan.startup.complete" });
      await receive();
      lines.push("shut down");
      await send({ type: "lifespan.shutdown.complete" });
    },
    async http(scope, _receive, send) {
      await PagiResponse.text(String(scope.state["db"])).respond(send, scope);
    },
  });

  test("is run around the use of a client", async () => {
    lines.length = 0;
    const seen = await TestClient.run(app, async (client) => {
      expect(client.state).toEqual({ db: "open" });
      return (await client.get("/")).text();
    });
    expect(seen).toBe("open");
    expect(lines).toEqual(["shut down"]);
  });

  test("is run by hand, or not at all", async () => {
    lines.length = 0;
    {
      await using client = new TestClient(app);
      expect(await (await client.get("/")).text()).toBe("undefined");
      await client.start();
      expect(await (await client.get("/")).text()).toBe("open");
    }
    expect(lines).toEqual(["shut down"]);
  });

  test("failures are thrown", async () => {
    const failing = (at: "startup" | "shutdown"): TestClient =>
      new TestClient(
        dispatch({
          async lifespan(_scope, receive, send) {
            await receive();
            if (at === "startup") await send({ type: "lifespan.startup.failed", message: "no disk" });
            else {
              await send({ type: "lifespan.startup.complete" });
              await receive();
              await send({ type: "lifespan.shutdown.failed", message: "no disk" });
            }
          },
        }),
      );
    await expect(failing("startup").start()).rejects.toThrow("no disk");
    const client = await failing("shutdown").start();
    await expect(client.stop()).rejects.toThrow("no disk");
  });
});

describe("applications", () => {
  test("whatever the server loads is taken", async () => {
    const component = { toApp: () => dispatch({ http: text("component") }) };
    expect(await (await new TestClient(component).get("/")).text()).toBe("component");
    const handler = { fetch: (request: Request) => new Response(new URL(request.url).pathname) };
    expect(await (await new TestClient(handler).get("/a")).text()).toBe("/a");
  });

  test("and so are Hono, its WebSockets among it, Express and Fastify", async () => {
    const hono = new Hono();
    hono.get("/a", (c) => c.text("hono"));
    hono.get(
      "/ws",
      upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(`hono: ${String(data)}`) })),
    );
    const client = new TestClient(hono);
    expect(await (await client.get("/a")).text()).toBe("hono");
    await using ws = await client.websocket("/ws");
    ws.sendText("hi");
    expect(await ws.receiveText()).toBe("hono: hi");
    const site = express();
    site.get("/a", (_request, response) => void response.send("express"));
    expect(await (await new TestClient(site).get("/a")).text()).toBe("express");
    const instance = fastify();
    instance.get("/a", async () => "fastify");
    expect(await (await new TestClient(instance).get("/a")).text()).toBe("fastify");
  });

  test("a class with a static toApp() is taken too", async () => {
    class Site {
      static toApp() {
        return dispatch({ http: text("class") });
      }
    }
    expect(await (await new TestClient(Site).get("/")).text()).toBe("class");
  });

  test("anything else is refused in words", async () => {
    // @ts-expect-error: a user without types
    const client = new TestClient({ a: 1 });
    await expect(client.get("/")).rejects.toThrow("What the test client was given is an object with a");
  });
});
