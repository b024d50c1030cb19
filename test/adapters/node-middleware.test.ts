import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";

import express from "express";
import fastify from "fastify";

import { Wire } from "../support/wire.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { startServer, type TestServer } from "../support/server.ts";

// Well-known middleware on `node:http` and on both mechanisms of `fromNode`: the same requests, in bytes, get the same
// status, fields and body.

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
/** Packages without types of their own are called as their documentation says. */
type Loose = (...given: unknown[]) => never;

const load = async (name: string): Promise<Loose & { [member: string]: Loose }> => {
  const module = await import(name);
  return module.default ?? module;
};

const FILES = join(import.meta.dir, "..", "..", "docs", "deployment");
const BOUNDARY = "----b0";
const FORM = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="title"',
  "",
  "a title",
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="a.txt"',
  "Content-Type: text/plain",
  "",
  "the file",
  `--${BOUNDARY}--`,
  "",
].join("\r\n");

/** The differences that are allowed, each with its reason. */
const ALLOWED: readonly { readonly fields: readonly string[]; readonly reason: string }[] = [
  { fields: ["date"], reason: "the time of the response" },
  {
    fields: ["keep-alive"],
    reason: "hop by hop: how long this server keeps the connection is its own affair",
  },
  {
    fields: ["connection"],
    reason:
      "keep-alive is the default of HTTP/1.1 and not repeated by pagi-server; close is compared by the next request",
  },
  { fields: ["set-cookie"], reason: "its value is random; that there is one is compared" },
];
const RANDOM = new Set(ALLOWED.flatMap(({ fields }) => fields));

async function listener(): Promise<Listener> {
  const app = express();
  app.disable("x-powered-by").set("env", "test");
  const [compression, morgan, session, cookieParser] = await Promise.all(
    ["compression", "morgan", "express-session", "cookie-parser"].map(load),
  );
  const [passport, local, multer, busboy] = await Promise.all(
    ["passport", "passport-local", "multer", "busboy"].map(load),
  );
  const [formidable, serveIndex, proxy, Koa] = await Promise.all(
    ["formidable", "serve-index", "http-proxy-middleware", "koa"].map(load),
  );
  if (!compression || !morgan || !session || !cookieParser || !passport || !local || !multer || !busboy)
    throw new Error("no middleware");
  if (!formidable || !serveIndex || !proxy || !Koa) throw new Error("no middleware");
  const use = (path: string, ...handlers: unknown[]): void =>
    void Reflect.apply(app.use, app, [path, ...handlers]);
  const text = "compressible text ".repeat(200);

  use("/compression", compression({ threshold: 100 }), (_: IncomingMessage, response: express.Response) =>
    response.type("text").send(text),
  );
  use("/streamed", compression({ threshold: 0 }), (_: IncomingMessage, response: express.Response) => {
    response.type("text").write(text);
    setImmediate(() => response.end("end"));
  });
  let line = "";
  use(
    "/morgan",
    morgan(":method :url :status :res[content-length] :remote-addr :http-version", {
      stream: { write: (text: string) => void (line = text) },
    }),
    async (request: IncomingMessage, response: express.Response) => {
      if (request.url === "/line") return response.type("text").send(line);
      response.status(201).send("logged");
    },
  );
  use(
    "/session",
    session({ secret: "s", resave: false, saveUninitialized: true }),
    (request: { session: { count?: number } }, response: express.Response) => {
      request.session.count = (request.session.count ?? 0) + 1;
      response.json({ count: request.session.count });
    },
  );
  use("/cookies", cookieParser("secret"), (request: express.Request, response: express.Response) => {
    response
      .cookie("a", "1", { httpOnly: true })
      .json({ cookies: request.cookies, signed: request.signedCookies });
  });
  const Strategy = local["Strategy"];
  if (Strategy === undefined) throw new Error("no strategy");
  Reflect.apply(Reflect.get(passport, "use"), passport, [
    Reflect.construct(Strategy, [
      (name: string, password: string, done: (error: unknown, user: unknown) => void) =>
        done(null, password === "right" && { name }),
    ]),
  ]);
  use(
    "/login",
    express.urlencoded(),
    Reflect.apply(Reflect.get(passport, "initialize"), passport, []),
    Reflect.apply(Reflect.get(passport, "authenticate"), passport, ["local", { session: false }]),
    (request: { user?: unknown }, response: express.Response) => response.json(request.user),
  );
  const upload = multer({ limits: { fileSize: 100 } });
  use(
    "/multer",
    Reflect.apply(Reflect.get(upload, "single"), upload, ["file"]),
    (request: { body: unknown; file?: { originalname: string; size: number } }, response: express.Response) =>
      response.json([request.body, request.file?.originalname, request.file?.size]),
  );
  use("/busboy", (request: IncomingMessage, response: ServerResponse) => {
    const seen: string[] = [];
    const parser: NodeJS.WritableStream = busboy({ headers: request.headers });
    parser.on("field", (name: string, value: string) => seen.push(`${name}=${value}`));
    parser.on("file", (name: string, file: NodeJS.ReadableStream) => {
      let size = 0;
      file
        .on("data", (chunk: Uint8Array) => (size += chunk.length))
        .on("end", () => seen.push(`${name}:${size}`));
    });
    parser.on("close", () => response.end(seen.join()));
    request.pipe(parser);
  });
  use("/formidable", (request: IncomingMessage, response: ServerResponse) => {
    const form: { parse(request: IncomingMessage): Promise<[object, object]> } = formidable({});
    form.parse(request).then(
      ([fields, files]) => response.end(JSON.stringify([fields, Object.keys(files)])),
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  use("/index", serveIndex(FILES));
  use("/static", express.static(FILES, { index: false }));
  use("/json", express.json({ limit: 200 }), (request: express.Request, response: express.Response) =>
    response.status(201).json(request.body ?? null),
  );
  use("/form", express.urlencoded(), (request: express.Request, response: express.Response) =>
    response.json(request.body ?? null),
  );
  use("/raw", express.raw({ type: () => true }), (request: express.Request, response: express.Response) =>
    response.send(request.body),
  );
  use("/echo", (request: IncomingMessage, response: ServerResponse) => request.pipe(response));
  use("/redirect", (_: IncomingMessage, response: express.Response) => response.redirect("/elsewhere"));
  use("/empty", (_: IncomingMessage, response: express.Response) => response.status(204).end());
  use("/throw", () => {
    throw Object.assign(new Error("teapot"), { status: 418, stack: "the stack" });
  });
  const koa: { use(middleware: unknown): void; callback(): Listener; silent: boolean } = Reflect.construct(
    Koa,
    [],
  );
  koa.silent = true;
  koa.use(
    async (context: {
      path: string;
      status: number;
      body: unknown;
      req: NodeJS.ReadableStream;
      method: string;
      throw(status: number): never;
    }) => {
      if (context.path === "/stream") context.body = context.req;
      else if (context.path === "/missing") context.throw(404);
      else if (context.path === "/none") context.status = 204;
      else context.body = { path: context.path, method: context.method };
    },
  );
  use("/koa", koa.callback());
  const inner = fastify();
  inner.get("/fastify/hello/:name", async (request) => ({ hello: request.params }));
  inner.post("/fastify/echo", async (request) => request.body);
  await inner.ready();
  const target = createServer((request, response) => {
    response.setHeader("x-seen", request.headers["x-a"] ?? "none");
    request.pipe(response);
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => target.close());
  const address = target.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const createProxy = proxy["createProxyMiddleware"];
  use("/proxy", createProxy?.({ target: `http://127.0.0.1:${address.port}`, changeOrigin: true }));
  return (request, response) =>
    request.url?.startsWith("/fastify") === true ? inner.routing(request, response) : app(request, response);
}

const cleanups: (() => void)[] = [];

const HEAD = "HTTP/1.1\r\nHost: a\r\n";
const get = (path: string, ...fields: string[]): string =>
  `GET ${path} ${HEAD}${fields.map((each) => `${each}\r\n`).join("")}\r\n`;
const send = (method: string, path: string, type: string, body: string): string =>
  `${method} ${path} ${HEAD}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (path: string, type: string, ...chunks: string[]): string =>
  `POST ${path} ${HEAD}Content-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n${[...chunks, ""].map((each) => `${each.length.toString(16)}\r\n${each}\r\n`).join("")}`;
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;
const ENCODED = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

const FORMS = ["/multer", "/busboy", "/formidable"].flatMap((path) => [
  send("POST", path, MULTIPART, FORM),
  chunked(path, MULTIPART, FORM.slice(0, 40), FORM.slice(40, 41), FORM.slice(41)),
  send("POST", path, MULTIPART, FORM.replace("the file", "x".repeat(90))),
]);
const GETS = [
  ...[
    "/compression",
    "/streamed",
    "/static/nginx.conf",
    "/index/",
    "/koa/a",
    "/fastify/hello/x",
    "/empty",
    "/redirect",
    "/nowhere",
    "/throw",
    "/session",
    "/proxy/x",
  ],
  ...[
    "/koa/missing",
    "/koa/none",
    "/static/nowhere",
    "/static/..%2f..",
    "/cookies",
    "/morgan/x",
    "/fastify/nowhere",
    "/echo",
    "/json",
    "/index/nowhere",
  ],
].flatMap((path) => [get(path), get(path, "Accept-Encoding: gzip"), get(path).replace("GET", "HEAD")]);
const OTHERS = [
  get("/compression", "Accept-Encoding: br, gzip"),
  get("/compression", "Accept-Encoding: identity;q=0"),
  get("/index/", "Accept: application/json"),
  get("/index/", "Accept: text/plain"),
  get("/static/", "Accept: text/html"),
  get("/cookies", "Cookie: a=1; b=%20x; c=j:{}"),
  get("/proxy/y?z=1", "X-A: 1"),
  get("/morgan/line"),
  send("POST", "/login", ENCODED, "username=u&password=right"),
  send("POST", "/login", ENCODED, "username=u&password=wrong"),
  send("POST", "/login", ENCODED, ""),
  send("POST", "/json", JSON_TYPE, '{"a":[1,2]}'),
  send("POST", "/json", JSON_TYPE, '{"a":'),
  send("POST", "/json", JSON_TYPE, `"${"x".repeat(300)}"`),
  send("PUT", "/json", `${JSON_TYPE}; charset=utf-8`, '"\xc3\xa9"'),
  chunked("/json", JSON_TYPE, '{"a"', ":1}"),
  send("POST", "/form", ENCODED, "a=1&b[]=2&b[]=3"),
  send("POST", "/raw", "application/octet-stream", "\x01\x02raw"),
  send("POST", "/echo", "text/plain", "echo"),
  send("POST", "/echo", "text/plain", "e".repeat(70_000)),
  chunked("/echo", "text/plain", "a", "bc", "def"),
  send("POST", "/koa/stream", "text/plain", "by Koa"),
  send("POST", "/koa/x", "text/plain", "not read"),
  send("POST", "/fastify/echo", JSON_TYPE, '{"b":2}'),
  send("POST", "/fastify/echo", JSON_TYPE, "{"),
  send("POST", "/fastify/echo", "text/x", "x"),
  send("POST", "/proxy/z", "text/plain", "proxied"),
  send("DELETE", "/nowhere", "text/plain", "gone"),
  send("OPTIONS", "/static/x", "text/plain", ""),
  send("POST", "/static/nginx.conf", "text/plain", "x"),
];
const REQUESTS = [...FORMS, ...GETS, ...OTHERS];

interface Answer {
  readonly request: string;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** The answers to all requests, on one connection after another: one each, so that none hides what another one left. */
async function answersOf(address: { host: string; port: number }): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const bytes of REQUESTS) {
    await using wire = await Wire.open(address);
    await wire.send(bytes);
    const { status, headers, body } = await wire.response(bytes.slice(0, bytes.indexOf(" ")));
    const fields = headers.map(([name, value]) =>
      RANDOM.has(name) ? (name === "set-cookie" ? name : "") : `${name}: ${value}`,
    );
    answers.push({
      request: bytes.slice(0, bytes.indexOf("\r\n\r\n")),
      status,
      fields: fields.filter((each) => each !== "").toSorted(),
      body,
    });
  }
  return answers;
}

let reference: Answer[] = [];
let shared: Listener;

beforeAll(async () => {
  shared = await listener();
  const plain = createServer(shared);
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const address = plain.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  reference = await answersOf({ host: "127.0.0.1", port: address.port });
  plain.close();
  plain.closeAllConnections();
}, 30_000);
afterAll(() => {
  for (const clean of cleanups) clean();
});

test("the requests are about a hundred, and most of them are answered with success", () => {
  expect(REQUESTS.length).toBeGreaterThanOrEqual(100);
  expect(reference.filter(({ status }) => status < 400).length).toBeGreaterThan(60);
});

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  test("middleware answers as on node:http", async () => {
    await using server: TestServer = await startServer(fromNode(shared));
    const answers = await answersOf(server);
    const different = answers.flatMap((answer, at) =>
      Bun.deepEquals(answer, reference[at]) ? [] : [{ ours: answer, plain: reference[at] }],
    );
    expect(different).toEqual([]);
  }, 30_000);
});
