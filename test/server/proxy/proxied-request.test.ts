import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";

import type { RequestScope } from "../../../index.ts";
import { OptionError } from "../../../src/errors.ts";
import { resolveOptions } from "../../../src/options/resolve.ts";
import type { PartialOptions } from "../../../src/options/resolve.ts";
import { dispatch } from "../../../src/spec/index.ts";
import { Certificates } from "../../support/certificates.ts";
import { Folder, Program } from "../../support/program.ts";
import { startServer } from "../../support/server.ts";
import { upgradeRequest } from "../../support/websocket.ts";
import { eventually, get, request, Wire } from "../../support/wire.ts";

/** A server whose application answers every request, and keeps its scope. */
async function recording(options: PartialOptions) {
  const scopes: RequestScope[] = [];
  const headers: [string, string][] = [["content-length", "2"]];
  const app = dispatch({
    http: async (scope, _receive, send) => {
      scopes.push(scope);
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body: "ok" });
    },
    sse: async (scope, _receive, send) => {
      scopes.push(scope);
      await send({ type: "sse.http.response.start", status: 200, headers });
      await send({ type: "sse.http.response.body", body: "ok" });
    },
    websocket: async (scope, receive, send) => {
      scopes.push(scope);
      await receive();
      await send({ type: "websocket.close" });
    },
  });
  const server = await startServer(app, options);
  return { scopes, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const facts = (scope: RequestScope | undefined) => ({
  type: scope?.type,
  client: scope?.client,
  scheme: scope?.scheme,
  root: scope?.root_path,
  host: scope?.headers.filter(([name]) => name === "host").map(([, value]) => value),
});

const FIELDS = [
  "X-Forwarded-For: 198.51.100.9, 192.0.2.1",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: shop.example",
  "X-Forwarded-Port: 8443",
  "X-Forwarded-Prefix: /shop",
];
const SEEN = {
  client: ["192.0.2.1", 0] as const,
  root: "/shop",
  host: ["shop.example:8443"],
};
const HANDSHAKE = upgradeRequest(
  "/",
  Object.fromEntries(FIELDS.map((line) => line.split(": ") as [string, string])),
);
const REQUESTS: readonly [type: RequestScope["type"], bytes: string, scheme: "https" | "wss"][] = [
  ["http", get("/", ...FIELDS), "https"],
  ["sse", get("/", "Accept: text/event-stream", ...FIELDS), "https"],
  ["websocket", HANDSHAKE, "wss"],
];

describe("--proxy-headers", () => {
  test.each(REQUESTS)("%s over TCP", async (type, bytes, scheme) => {
    await using on = await recording({ proxyHeaders: "on" });
    await request(on.server, bytes);
    expect(facts(on.scopes[0])).toEqual({ type, scheme, ...SEEN });
    expect(on.scopes[0]?.server).toEqual([on.server.host, on.server.port]);
    for (const line of FIELDS) {
      const [name = "", value = ""] = line.split(": ");
      expect(on.scopes[0]?.headers).toContainEqual([name.toLowerCase(), value]);
    }
  });

  test.each(REQUESTS)(
    "%s: off is the default, and a proxy that is not trusted is not believed",
    async (type, bytes) => {
      for (const options of [{}, { proxyHeaders: "on", forwardedAllowIps: "192.0.2.0/24,unix" }] as const) {
        await using off = await recording(options);
        await request(off.server, bytes);
        expect(facts(off.scopes[0])).toMatchObject({
          type,
          client: ["127.0.0.1", expect.any(Number)],
          scheme: type === "websocket" ? "ws" : "http",
          root: "",
        });
        expect(facts(off.scopes[0]).host).not.toEqual(SEEN.host);
      }
    },
  );

  test.each(REQUESTS)(
    "%s over a Unix socket, whose other end is trusted by the word unix",
    async (type, bytes, scheme) => {
      using folder = new Folder();
      const path = folder.file("s");
      for (const forwardedAllowIps of ["unix", "127.0.0.1,::1"]) {
        await using running = await recording({
          ...{ port: undefined, listen: [path] },
          ...{ proxyHeaders: "on", forwardedAllowIps },
        });
        await using wire = new Wire(net.connect({ path, allowHalfOpen: true }));
        await wire.send(bytes);
        await wire.response();
        const [scope] = running.scopes;
        expect(scope?.server).toEqual([path, null]);
        if (forwardedAllowIps === "unix") expect(facts(scope)).toEqual({ type, scheme, ...SEEN });
        else expect(facts(scope)).toMatchObject({ type, client: undefined, root: "" });
      }
    },
  );

  const certificates = new Certificates();
  afterAll(() => certificates[Symbol.dispose]());
  const { cert, key } = certificates.issue("/CN=localhost", { names: ["DNS:localhost"] });
  test.each(REQUESTS)(
    "%s over TLS: the scheme is the client's, the tls extension that of the connection",
    async (type, bytes, scheme) => {
      await using running = await recording({ proxyHeaders: "on", sslCert: [cert], sslKey: [key] });
      const socket = tls.connect({
        ...{ host: "127.0.0.1", port: running.server.port, servername: "localhost" },
        ca: fs.readFileSync(certificates.authority.cert),
      });
      await new Promise<void>((resolve, reject) =>
        socket.once("secureConnect", resolve).once("error", reject),
      );
      await using wire = new Wire(socket);
      const plain = bytes.replace("Proto: https", "Proto: http");
      await wire.send(plain);
      await wire.response();
      const [scope] = running.scopes;
      expect(facts(scope)).toEqual({ type, scheme: scheme === "wss" ? "ws" : "http", ...SEEN });
      expect(scope?.extensions).toHaveProperty("tls");
    },
  );

  test.each<[fields: string[], host: string]>([
    [["X-Forwarded-Host: b.example"], "b.example"],
    [["X-Forwarded-Host: b.example:81", "X-Forwarded-Port: 82"], "b.example:81"],
    [["X-Forwarded-Host: b.example", "X-Forwarded-Port: 80"], "b.example"],
    [["X-Forwarded-Host: b.example", "X-Forwarded-Port: 443"], "b.example:443"],
    [["X-Forwarded-Host: b.example", "X-Forwarded-Port: 443", "X-Forwarded-Proto: https"], "b.example"],
    [["X-Forwarded-Host: [2001:db8::1]", "X-Forwarded-Port: 81"], "[2001:db8::1]:81"],
    [["X-Forwarded-Port: 81"], "a:81"],
    [["X-Forwarded-Host: b c"], "a"],
    [["X-Forwarded-For: 192.0.2.1"], "a"],
    [['Forwarded: host="b.example:81"'], "b.example:81"],
  ])("%j: the host is %s", async (fields, host) => {
    await using running = await recording({ proxyHeaders: "on" });
    await request(running.server, get("/", "First: 1", ...fields));
    expect(facts(running.scopes[0]).host).toEqual([host]);
    expect(running.scopes[0]?.headers.slice(0, 2)).toEqual([
      ["host", host],
      ["first", "1"],
    ]);
  });

  test("each request of a connection is read by itself", async () => {
    await using running = await recording({ proxyHeaders: "on" });
    await using wire = await Wire.open(running.server);
    const clients = ["192.0.2.1", "192.0.2.2", undefined];
    await wire.send(clients.map((each) => get("/", ...(each ? [`X-Forwarded-For: ${each}`] : []))).join(""));
    for (const _ of clients) await wire.response();
    expect(running.scopes.map(({ client }) => client?.[0])).toEqual(["192.0.2.1", "192.0.2.2", "127.0.0.1"]);
  });

  test("the prefix takes the place of --root-path, which holds without it", async () => {
    await using running = await recording({ proxyHeaders: "on", rootPath: "/own" });
    await request(running.server, get("/", "X-Forwarded-Prefix: /proxy"));
    await request(running.server, get("/", "X-Forwarded-Prefix: //proxy"));
    expect(running.scopes.map(({ root_path }) => root_path)).toEqual(["/proxy", "/own"]);
  });

  test("the access log has the client and its host", async () => {
    using folder = new Folder();
    const accessLog = folder.file("log");
    const accessLogFormat = "%h %{Host}i %s";
    await using running = await recording({ proxyHeaders: "on", accessLog, accessLogFormat });
    for (const [, bytes] of REQUESTS) await request(running.server, bytes);
    await eventually("all is logged", () => folder.lines("log").length === REQUESTS.length);
    expect(folder.lines("log")).toEqual(
      [200, 200, 403].map((status) => `192.0.2.1 shop.example:8443 ${status}`),
    );
  });
});

describe("the command line", () => {
  test("a list that is none ends the start, with the flag's name", async () => {
    using folder = new Folder();
    await using program = Program.serve(folder, ["--proxy-headers", "--forwarded-allow-ips", "10.0.0.0/40"]);
    expect(await program.ended()).toBe(2);
    expect(program.stderr).toContain("--forwarded-allow-ips");
    expect(program.stderr).toContain("a prefix of IPv4 has 32 bits at most");
  });

  test("--proxy-headers stands alone, and before a file", async () => {
    using folder = new Folder({ "app.ts": "export default () => {}" });
    await using program = Program.serve(folder, ["--print-config", "--proxy-headers", "app.ts"]);
    expect(await program.ended()).toBe(0);
    expect(program.stdout).toMatch(/proxyHeaders +on +flag --proxy-headers\n/);
  });

  test("in a program too", async () => {
    const wrong = resolveOptions({ forwardedAllowIps: "me" });
    await expect(wrong).rejects.toThrow(OptionError);
    await expect(wrong).rejects.toThrow(/^forwardedAllowIps/);
  });
});
