import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { toFetch } from "../../adapters/fetch.ts";
import { hono, upgradeWebSocket } from "../../adapters/hono.ts";
import { directory } from "../../src/apps/directory.ts";
import { serve } from "../../cli/serve-program.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { TestClient } from "../../testing/testing.ts";
import { wrap } from "../../src/toolkit/lifespan.ts";
import { FORM_LIMITS, PagiRequest, STREAM_LIMITS } from "../../src/toolkit/request.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Router } from "../../src/toolkit/router.ts";
import {
  callbackState,
  cookieState,
  CookieStore,
  headerState,
  MemoryStore,
  sessions,
  SqliteStore,
} from "../../src/toolkit/session.ts";
import { MemoryPubSub, Simple } from "../../src/toolkit/simple.ts";
import { PagiSse } from "../../src/toolkit/sse.ts";
import { PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { bytes, httpScope, server, sseScope, webSocketScope } from "../support/fake-scope.ts";
import { MULTIPART, multipartBody } from "../support/multipart.ts";
import { publicFields, publicNames } from "../support/public-types.ts";

/** How options of one type are given: anything, as JavaScript may give it. */
interface Row {
  readonly give: (options: never) => unknown;
  /** What has to be there for the others to be looked at. */
  readonly needed?: object;
  /** Fields that may be null, or whatever else. */
  readonly anything?: readonly string[];
  /** Where the fields are, where that is no interface. */
  readonly fields?: readonly string[];
}

const app = new Simple()
  .get("/", () => "")
  .post("/", () => "")
  .toApp();
const FILE = import.meta.path;

function request(type: string, body: string): PagiRequest {
  const headers: [string, string][] = [["content-type", type]];
  const side = server({ type: "http.request", body: bytes(body), more: false });
  return new PagiRequest(httpScope({ method: "POST", headers }), side.receive);
}
const form = (): PagiRequest => request(MULTIPART, multipartBody({ name: "a", content: "b" }));

/** In a scope that a handshake has made. */
async function upgrade(options: never): Promise<void> {
  const websocket = new Hono().get(
    "/",
    upgradeWebSocket(() => ({}), options),
  );
  await using client = new TestClient(hono(websocket));
  const connection = await client.websocket("/");
  connection.close();
}

async function moved(options: never): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pagi-options-"));
  try {
    const upload = await request(MULTIPART, multipartBody({ name: "a", filename: "a", content: "b" })).upload(
      "a",
    );
    await upload?.moveTo(join(folder, "a"), options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withClient(use: (client: TestClient) => Promise<unknown>): Promise<void> {
  await using client = new TestClient(app);
  await use(client);
}

const live = new Simple().websocket("/", async () => {}).sse("/", async (c) => void (await c.send("a")));

const ROWS: { readonly [type: string]: Row } = {
  AcceptOptions: {
    give: (options) => {
      const side = server({ type: "websocket.connect" });
      return new PagiWebSocket(webSocketScope(), side.receive, side.send).accept(options);
    },
  },
  AnyOptions: { give: (options) => new Router().any("/", PagiResponse.text(""), options) },
  BodyOptions: { give: (options) => request("text/plain", "a").bytes(options) },
  BodyStreamOptions: { give: (options) => request("text/plain", "a").bodyStream(options) },
  CallOptions: { give: (options) => new TestClient(app, options) },
  CallbackStateOptions: { give: (options) => callbackState(options), needed: { extract: () => undefined } },
  Config: { give: (options) => resolveOptions(options), fields: ["port"] },
  ConformanceSettings: { give: (options) => new TestClient(app, options) },
  CookieOptions: { give: (options) => PagiResponse.text("").cookie("a", "b", options) },
  CookieStateOptions: { give: (options) => cookieState(options) },
  CookieStoreOptions: { give: (options) => new CookieStore(options), needed: { secrets: ["x".repeat(32)] } },
  CorsOptions: { give: (options) => PagiResponse.text("").cors(options) },
  DecodingOptions: { give: (options) => request("text/plain", "").queryParams(options) },
  DirectoryOptions: { give: (options) => directory(options), needed: { root: import.meta.dir } },
  FileOptions: { give: (options) => PagiResponse.sendFile(FILE, options) },
  FormOptions: {
    give: (options) => form().form(options),
    fields: [...Object.keys(FORM_LIMITS), "spoolThreshold"],
  },
  HeaderStateOptions: { give: (options) => headerState(options), needed: { name: "x-a" } },
  HttpOptions: {
    give: (options) => withClient((client) => client.post("/", options)),
    anything: ["client", "json", "body"],
  },
  JsonOptions: { give: (options) => request("application/json", "1").json(options) },
  LifespanOptions: { give: (options) => wrap(app, options), needed: {}, fields: ["startup", "shutdown"] },
  MemoryStoreOptions: { give: (options) => new MemoryStore(options) },
  MultipartOptions: { give: (options) => form().multipart(options), fields: Object.keys(STREAM_LIMITS) },
  NewFileOptions: { give: moved },
  OutboxOptions: { give: (slowClients) => new Simple({ slowClients }) },
  PartialOptions: { give: (options) => resolveOptions(options), fields: ["port", "workers", "maxBodySize"] },
  PublishOptions: { give: (options) => new MemoryPubSub().publish("a", "b", options) },
  RefusalParts: {
    give: (options) => {
      const side = server({ type: "websocket.connect" });
      return new PagiWebSocket(webSocketScope(), side.receive, side.send).deny(options);
    },
  },
  RequestOptions: {
    give: (options) => withClient((client) => client.get("/", options)),
    anything: ["client"],
  },
  ResponseOptions: { give: (options) => PagiResponse.text("", options) },
  RouterOptions: { give: (options) => new Router(options).toApp() },
  ScopeOptions: { give: (options) => new TestClient(app, options), anything: ["client"] },
  ServeOptions: {
    give: (options) => refusedServe(options),
    fields: ["signals", "commandLine", "logger", "port"],
  },
  SessionsOptions: { give: (options) => sessions(options) },
  SimpleOptions: { give: (options) => new Simple(options) },
  SqliteStoreOptions: {
    give: async (options) => (await SqliteStore.open(":memory:", options))[Symbol.dispose](),
  },
  SseOptions: {
    give: async (options) => {
      await using client = new TestClient(live);
      await client.sse("/", { ...(options as object), method: "GET" });
    },
    anything: ["client", "json", "body", "method"],
  },
  StartOptions: {
    give: (options) => {
      const side = server();
      return new PagiSse(sseScope(), side.receive, side.send).start(options);
    },
  },
  StaticOptions: { give: (options) => new Simple().static("/", import.meta.dir, options) },
  TestClientOptions: { give: (options) => new TestClient(app, options), anything: ["client"] },
  TextOptions: { give: (options) => request("text/plain", "a").text(options) },
  ToFetchOptions: { give: (options) => toFetch(app, options) },
  UpgradeOptions: { give: upgrade, anything: ["protocol"] },
  WebSocketOptions: {
    give: async (options) => {
      await using client = new TestClient(live);
      (await client.websocket("/", options)).close();
    },
    anything: ["client"],
  },
};

/** Where everything is right it starts a server; `maxRequests` is none that one without workers takes. */
async function refusedServe(options: never): Promise<void> {
  const running = await serve(app, { port: 0, signals: false, logLevel: "error", ...(options as object) });
  await running.stop({ force: true });
}

const failureOf = async (row: Row, options: object): Promise<unknown> => {
  try {
    await row.give({ ...row.needed, ...options } as never);
    return undefined;
  } catch (error) {
    return error;
  }
};

const refused = (name: string): unknown =>
  expect.objectContaining({ code: "ERR_PAGI_OPTION", message: expect.stringContaining(name) });

test("every exported type of options has a row here", () => {
  const exported = [...publicNames()].filter((name) =>
    /^[A-Z]\w*(Options|Settings|Config|Parts)$/.test(name),
  );
  expect(exported.length).toBeGreaterThan(30);
  expect(exported.filter((name) => !Object.hasOwn(ROWS, name)).sort()).toEqual([]);
});

describe.each(Object.entries(ROWS))("%s", (type, row) => {
  const found = publicFields(type) ?? [];
  const fields = row.fields ?? found.map(({ name }) => name);
  const isNumeric = (name: string): boolean =>
    row.fields === undefined
      ? /^(?:[\w ]+\|\s*)?number(?:\s*\|[\w ]+)?$/.test(found.find((each) => each.name === name)?.type ?? "")
      : /^max|^port$|^workers$|Threshold$/.test(name);

  test("its fields are found", () => {
    expect(fields.length).toBeGreaterThan(0);
  });

  test("undefined stands for the default", async () => {
    for (const name of fields) {
      if (row.needed !== undefined && Object.hasOwn(row.needed, name)) continue;
      expect([name, await failureOf(row, { [name]: undefined })]).toEqual([name, undefined]);
    }
  });

  test("no number, null and text are refused by name", async () => {
    for (const name of fields) {
      if (row.anything?.includes(name) === true) continue;
      expect([name, await failureOf(row, { [name]: null })]).toEqual([name, refused(name)]);
      if (!isNumeric(name)) continue;
      for (const wrong of [Number.NaN, -1, "x", {}, [], -Infinity])
        expect([name, wrong, await failureOf(row, { [name]: wrong })]).toEqual([name, wrong, refused(name)]);
    }
  });

  test("a name that it does not know is refused", async () => {
    expect(await failureOf(row, { surelyNotAnOption: 1 })).toEqual(refused("surelyNotAnOption"));
  });
});

describe("a protection is not switched off by undefined", () => {
  const large = "x".repeat(11 * 1024 * 1024);
  test.each([
    ["maxFileSize", multipartBody({ name: "a", filename: "a", content: large }), 413],
    ["maxFieldSize", multipartBody({ name: "a", content: "x".repeat(2 ** 20 + 1) }), 413],
    [
      "maxFiles",
      multipartBody(
        ...Array.from({ length: 21 }, (_, at) => ({ name: "a", filename: `${at}`, content: "" })),
      ),
      413,
    ],
    ["maxFields", multipartBody(...Array.from({ length: 1001 }, () => ({ name: "a", content: "" }))), 413],
  ])("form({ %s: undefined })", async (name, body, status) => {
    await expect(request(MULTIPART, body).form({ [name]: undefined })).rejects.toMatchObject({ status });
  });

  test("cookies of sessions keep HttpOnly, SameSite and Path", async () => {
    const undef = { httpOnly: undefined, sameSite: undefined, path: undefined, name: undefined };
    const headers: [string, string][] = [];
    cookieState(undef).inject(headers, "token", { scope: httpScope(), maxAge: 10 });
    expect(headers).toEqual([
      ["set-cookie", "pagi_session=token; Max-Age=10; Path=/; HttpOnly; SameSite=Lax"],
    ]);
  });

  test("a call of a test client does not take away what the client was given", async () => {
    await using client = new TestClient(app, { httpVersion: "1.0", throwErrors: false });
    const failing = new Simple().get("/", () => {
      throw new Error("on purpose");
    });
    await using other = new TestClient(failing, { throwErrors: false });
    expect((await other.get("/", { throwErrors: undefined })).status).toBe(500);
    expect((await client.get("/", { httpVersion: undefined })).status).toBe(200);
  });
});
