import { describe, expect, test } from "bun:test";

import type { HttpHandler } from "../../src/spec/index.ts";
import { echo, startHttp, text } from "../support/server.ts";
import { Wire, eventually, get, post, postChunked } from "../support/wire.ts";

const readAll: HttpHandler = async (_scope, receive) => {
  while ((await receive()).type === "http.request");
};

describe("PAGI Www, State Transition Order", () => {
  test.concurrent(
    "on a disconnect: not connected, reason, promise, callbacks in order, and then http.disconnect",
    async () => {
      const seen: string[] = [];
      const { promise: done, resolve } = Promise.withResolvers<void>();
      await using server = await startHttp(async (scope, receive) => {
        const connection = scope["pagi.connection"];
        await receive();
        expect(connection.isConnected()).toBe(true);
        expect(connection.disconnectReason()).toBeUndefined();
        const state = (): string => `${connection.isConnected()} ${connection.disconnectReason()}`;
        const promise = connection.whenDisconnected();
        void promise.then(() => seen.push("promise"));
        connection.onDisconnect(() => {
          seen.push(`first ${state()} ${Bun.peek.status(promise)}`);
          // Not to be called a second time by the loop that runs.
          connection.onDisconnect((reason) => seen.push(`from within ${reason}`));
        });
        connection.onDisconnect(() => {
          throw new Error("from a callback");
        });
        connection.onDisconnect(() => seen.push(`last ${state()}`));
        connection.onComplete(() => seen.push("complete"));
        const event = await receive();
        seen.push(event.type);
        connection.onDisconnect((reason) => seen.push(`late ${reason}`));
        connection.onComplete(() => seen.push("late complete"));
        expect(await connection.whenDisconnected()).toBe("client_closed");
        resolve();
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await Bun.sleep(10);
      await wire[Symbol.asyncDispose]();
      await done;
      expect(seen.filter((each) => each !== "promise")).toEqual([
        "first false client_closed fulfilled",
        "from within client_closed",
        "last false client_closed",
        "http.disconnect",
        "late client_closed",
      ]);
      expect(server.logger.messages("error")).toEqual(["GET /: an onDisconnect callback threw"]);
    },
  );

  test.concurrent("a receive that waits is answered behind the callbacks", async () => {
    const { promise: done, resolve } = Promise.withResolvers<unknown[]>();
    await using server = await startHttp(
      async (scope, receive) => {
        await receive();
        const waiting = receive();
        const seen: unknown[] = [];
        scope["pagi.connection"].onDisconnect(() => seen.push(Bun.peek.status(waiting)));
        await waiting;
        resolve(seen);
      },
      { validateEvents: false },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await Bun.sleep(10);
    wire.reset();
    expect(await done).toEqual(["pending"]);
  });

  test.concurrent(
    "on completion: callbacks in order, at once when registered late, never a disconnect",
    async () => {
      const seen: string[] = [];
      const { promise: done, resolve } = Promise.withResolvers<void>();
      await using server = await startHttp(async (scope, receive, send) => {
        const connection = scope["pagi.connection"];
        connection.onComplete(() =>
          seen.push(`1 ${connection.responseComplete()} ${connection.isConnected()}`),
        );
        connection.onComplete(() => {
          throw new Error("from a callback");
        });
        connection.onComplete(() => seen.push("2"));
        connection.onDisconnect(() => seen.push("disconnect"));
        void connection.whenDisconnected().then(() => seen.push("promise"));
        await text("ok")(scope, receive, send);
        connection.onComplete(() => seen.push("late"));
        connection.onDisconnect(() => seen.push("late disconnect"));
        resolve();
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await wire.response();
      await done;
      await wire.send(get("/", "Connection: close"));
      await wire.readToEnd();
      expect(seen.slice(0, 3)).toEqual(["1 true false", "2", "late"]);
      expect(seen).not.toContain("disconnect");
      expect(seen).not.toContain("late disconnect");
      expect(seen).not.toContain("promise");
      expect(server.logger.messages("error")[0]).toBe("GET /: an onComplete callback threw");
    },
  );

  test.concurrent("responseStarted and responseComplete follow the response", async () => {
    const seen: boolean[][] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    await using server = await startHttp(async (scope, _receive, send) => {
      const connection = scope["pagi.connection"];
      const look = (): void => void seen.push([connection.responseStarted(), connection.responseComplete()]);
      look();
      await send({ type: "http.response.start", status: 200 });
      look();
      await send({ type: "http.response.body", body: "a", more: true });
      look();
      await send({ type: "http.response.body" });
      look();
      resolve();
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    await done;
    expect(seen).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
  });

  test.concurrent("completion waits for the last byte to be handed to the kernel", async () => {
    let complete = false;
    await using server = await startHttp(async (scope, _receive, send) => {
      scope["pagi.connection"].onComplete(() => (complete = true));
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: new Uint8Array(20_000_000) });
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.readTo("\r\n\r\n");
    wire.pause();
    await Bun.sleep(100);
    expect(complete).toBe(false);
    wire.resume();
    await eventually("the response is complete", () => complete);
  });

  test.concurrent(
    "responseStarted is true in onDisconnect when the server answered in the application's place",
    async () => {
      const started: unknown[] = [];
      const app: HttpHandler = async (scope, receive, send) => {
        const connection = scope["pagi.connection"];
        connection.onDisconnect((reason) => started.push([reason, connection.responseStarted()]));
        if (scope.path === "/read") await readAll(scope, receive, send);
      };
      await using server = await startHttp(app, { maxBodySize: 3 });
      for (const bytes of [get("/"), postChunked("/read") + "4\r\n", postChunked("/read") + "x\r\n"]) {
        await using wire = await Wire.open(server);
        await wire.send(bytes);
        await wire.readToEnd();
      }
      expect(started).toEqual([
        ["server_error", true],
        ["body_too_large", true],
        ["protocol_error", true],
      ]);
    },
  );
});

describe("PAGI Www, Disconnect", () => {
  test.concurrent(
    "receive gives http.disconnect at once when the client goes, while the application runs",
    async () => {
      const { promise: events, resolve } = Promise.withResolvers<string[]>();
      await using server = await startHttp(async (_scope, receive) => {
        const first = await receive();
        // Two wait, and a third one comes later.
        const waiting = await Promise.all([receive(), receive()]);
        resolve([first.type, ...waiting.map((each) => each.type), (await receive()).type]);
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await Bun.sleep(10);
      wire.reset();
      expect(await events).toEqual(["http.request", "http.disconnect", "http.disconnect", "http.disconnect"]);
    },
  );

  test.concurrent("receive gives http.disconnect after the response, and wakes then", async () => {
    const seen: string[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    await using server = await startHttp(async (scope, receive, send) => {
      await receive();
      const waiting = receive();
      await text("ok")(scope, receive, send);
      seen.push((await waiting).type, (await receive()).type);
      resolve();
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    await done;
    expect(seen).toEqual(["http.disconnect", "http.disconnect"]);
  });

  test.concurrent.each([
    ["a GET", get("/")],
    ["a HEAD", get("/").replace("GET", "HEAD")],
    ["a POST without a body", post("/", "")],
    ["a POST whose body nobody has read", post("/", "hello")],
    ["a POST in chunks whose body nobody has read", `${postChunked("/")}2\r\nab\r\n0\r\n\r\n`],
    ["a POST whose body is still coming", post("/", "hello").slice(0, -2)],
  ])(
    "receive gives http.disconnect, and only that, after the complete response to %s",
    async (_name, bytes) => {
      const { promise: seen, resolve } = Promise.withResolvers<string[]>();
      await using server = await startHttp(async (scope, receive, send) => {
        await text("ok")(scope, receive, send);
        resolve([(await receive()).type, (await receive()).type]);
      });
      await using wire = await Wire.open(server);
      await wire.send(bytes);
      await wire.response(bytes.slice(0, bytes.indexOf(" ")));
      expect(await seen).toEqual(["http.disconnect", "http.disconnect"]);
    },
  );

  test.concurrent("body that has come is not lost before the disconnect", async () => {
    const seen: string[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    await using server = await startHttp(
      async (scope, receive) => {
        await scope["pagi.connection"].whenDisconnected();
        for (;;) {
          const event = await receive();
          seen.push(event.type === "http.request" ? Buffer.from(event.body).toString() : event.type);
          if (event.type === "http.disconnect") break;
        }
        resolve();
      },
      { halfCloseGrace: 0 },
    );
    await using wire = await Wire.open(server);
    await wire.send(post("/", "whole"));
    wire.halfClose();
    await done;
    expect(seen).toEqual(["whole", "http.disconnect"]);
  });

  test.concurrent(
    "a request without a body is one empty http.request; what is received is the application's to keep",
    async () => {
      const bodies: Uint8Array[] = [];
      await using server = await startHttp(async (scope, receive, send) => {
        const event = await receive();
        if (event.type === "http.request") {
          expect(event.body).toBeInstanceOf(Uint8Array);
          expect(event.more).toBe(false);
          bodies.push(event.body);
        }
        await text("ok")(scope, receive, send);
      });
      await using wire = await Wire.open(server);
      for (const bytes of [get("/"), post("/", "first"), post("/", "second")]) {
        await wire.send(bytes);
        await wire.response();
      }
      expect(bodies.map((each) => Buffer.from(each).toString())).toEqual(["", "first", "second"]);
    },
  );

  test.concurrent(
    "send after the client has gone does nothing and resolves, even for what would be refused",
    async () => {
      const { promise: done, resolve } = Promise.withResolvers<string>();
      await using server = await startHttp(async (scope, _receive, send) => {
        await scope["pagi.connection"].whenDisconnected();
        await send({ type: "http.response.body", body: "x" });
        await send({ type: "http.response.start", status: 200, headers: [["a\r\nb", "c"]] });
        await send({ type: "http.response.body", file: "/nowhere" });
        await send({ type: "http.fullflush" });
        resolve("done");
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await Bun.sleep(5);
      wire.reset();
      expect(await done).toBe("done");
      await server.server.stop();
      expect(server.logger.messages("error")).toEqual([]);
    },
  );

  test.concurrent(
    "an application that returns or throws after the client has gone: no 500, no error for returning",
    async () => {
      for (const throws of [false, true]) {
        await using server = await startHttp(async (scope) => {
          await scope["pagi.connection"].whenDisconnected();
          if (throws) throw new Error("late");
        });
        await using wire = await Wire.open(server);
        await wire.send(get("/x"));
        await Bun.sleep(5);
        wire.reset();
        await eventually("no connection is left", () => server.server.connectionCount === 0);
        await server.server.stop();
        expect(server.logger.messages("error")).toEqual(
          throws ? ["GET /x: the application threw after the end of the request"] : [],
        );
      }
    },
  );

  test.concurrent("each request of a connection has its own state", async () => {
    const reasons: unknown[] = [];
    const connections: unknown[] = [];
    await using server = await startHttp(async (scope, receive, send) => {
      connections.push(scope["pagi.connection"]);
      scope["pagi.connection"].onComplete(() => reasons.push("complete"));
      scope["pagi.connection"].onDisconnect((reason) => reasons.push(reason));
      if (scope.path === "/3") throw new Error("third");
      await echo(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/1") + get("/2") + get("/3"));
    await wire.readToEnd();
    expect(reasons).toEqual(["complete", "complete", "server_error"]);
    expect(new Set(connections).size).toBe(3);
  });
});
