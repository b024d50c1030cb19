import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import tls from "node:tls";

import { OptionError } from "../../../src/errors.ts";
import { dispatch } from "../../../index.ts";
import type { HttpHandler, TlsExtension } from "../../../index.ts";
import type { PartialOptions } from "../../../src/options/resolve.ts";
import { tlsExtension } from "../../../src/server/tls/extension.ts";
import { CIPHER_SUITES } from "../../../src/spec/tls-cipher-suites.ts";
import { Certificates, pemOf } from "../../support/certificates.ts";
import type { CertificateFiles } from "../../support/certificates.ts";
import { curl } from "../../support/curl.ts";
import { Folder } from "../../support/program.ts";
import { random } from "../../support/http1-rows.ts";
import { echo, startHttp, startServer, text } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { eventually, get, Wire } from "../../support/wire.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const { authority } = certificates;
const server = certificates.issue("/CN=localhost", { names: ["DNS:localhost", "IP:127.0.0.1"] });
const second = certificates.issue("/CN=second", { names: ["DNS:second.example", "DNS:*.wild.example"] });
const client = certificates.issue("/C=DE/O=Acme, Inc./CN=client");
const rsa = certificates.selfSigned("/CN=rsa", "rsa");
const stranger = certificates.selfSigned("/CN=stranger");

const ONE = { sslCert: [server.cert], sslKey: [server.key] } satisfies PartialOptions;
const TWO = {
  sslCert: [server.cert, second.cert],
  sslKey: [server.key, second.key],
} satisfies PartialOptions;

/** Answers with scheme and `tls` extension. */
const tell: HttpHandler = async (scope, _receive, send) => {
  const body = JSON.stringify({ scheme: scope.scheme, tls: scope.extensions.tls });
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body });
};

/** What an application is told of a connection that curl makes with these words. */
async function told(to: TestServer, ...words: string[]): Promise<TlsExtension> {
  const { code, out, err } = await curl(
    "--cacert",
    authority.cert,
    ...words,
    `https://localhost:${to.port}/`,
  );
  if (code !== 0) throw new Error(`curl ended with ${code}: ${err}`);
  return (JSON.parse(out) as { tls: TlsExtension }).tls;
}

const asClient = ({ cert, key }: CertificateFiles): string[] => ["--cert", cert, "--key", key];
const at = (name: string, { port }: TestServer): string[] => ["--resolve", `${name}:${port}:127.0.0.1`];

/** A TLS connection for bytes. */
async function openTls({ port }: TestServer, options: tls.ConnectionOptions = {}): Promise<Wire> {
  const socket = tls.connect({
    ...{ host: "127.0.0.1", port, servername: "localhost", ca: fs.readFileSync(authority.cert) },
    ...options,
  });
  const wire = new Wire(socket);
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return wire;
}

describe("the tls extension", () => {
  test("without a client certificate: all six keys, over TLS 1.3 and 1.2", async () => {
    await using to = await startHttp(tell, ONE);
    expect(to.url).toStartWith("https://127.0.0.1:");
    const whole = await told(to);
    expect(whole).toEqual({
      server_cert: expect.any(String),
      client_cert_chain: [],
      client_cert_name: null,
      client_cert_error: null,
      tls_version: 0x0304,
      cipher_suite: expect.any(Number),
    });
    expect(whole.server_cert?.trim()).toBe(pemOf(server.cert));
    expect([0x1301, 0x1302, 0x1303]).toContain(whole.cipher_suite ?? 0);
    const older = await told(to, "--tls-max", "1.2");
    expect(older).toMatchObject({ tls_version: 0x0303, client_cert_chain: [], client_cert_error: null });
  });

  test("is one frozen object for all requests of a connection, and is not there on plain ones", async () => {
    const seen: unknown[] = [];
    const handler: HttpHandler = async (scope, _receive, send) => {
      const { extensions } = scope;
      seen.push(extensions.tls);
      expect("tls" in extensions).toBe(scope.scheme === "https");
      expect(Object.isFrozen(extensions)).toBe(true);
      if (extensions.tls !== undefined) {
        expect(Object.isFrozen(extensions.tls)).toBe(true);
        expect(Object.isFrozen(extensions.tls.client_cert_chain)).toBe(true);
      }
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
    };
    await using to = await startHttp(handler, ONE);
    await using wire = await openTls(to);
    for (let i = 0; i < 2; i++) {
      await wire.send(get("/"));
      expect((await wire.response()).status).toBe(200);
    }
    expect(seen[0]).toBeObject();
    expect(seen[1]).toBe(seen[0]);
    await using plain = await startHttp(handler);
    expect((await fetch(plain.url)).status).toBe(200);
    expect(seen[2]).toBeUndefined();
  });

  test("event streams have it too", async () => {
    const app = dispatch({
      sse: async (scope, _receive, send) => {
        await send({ type: "sse.start" });
        await send({ type: "sse.send", data: `${scope.scheme} ${scope.extensions.tls?.tls_version}` });
      },
    });
    await using to = await startServer(app, ONE);
    const { out } = await curl("-k", "-H", "Accept: text/event-stream", to.url);
    expect(out).toBe("data: https 772\n\n");
  });

  test.each([
    ["ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b],
    ["ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c],
    ["ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9],
    ["ECDHE-RSA-AES128-GCM-SHA256", 0xc02f],
    ["ECDHE-RSA-AES256-GCM-SHA384", 0xc030],
    ["ECDHE-RSA-CHACHA20-POLY1305", 0xcca8],
    ["ECDHE-RSA-AES128-SHA", 0xc013],
    ["ECDHE-RSA-AES256-SHA", 0xc014],
    ["AES128-GCM-SHA256", 0x009c],
    ["AES256-GCM-SHA384", 0x009d],
    ["AES128-SHA", 0x002f],
    ["AES256-SHA", 0x0035],
  ])("the number of %s", async (name, number) => {
    const { cert, key } = name.includes("ECDSA") ? server : rsa;
    const options = { sslCert: [cert], sslKey: [key], sslCiphers: name };
    await using to = await startHttp(tell, options);
    const words = ["--tls-max", "1.2", "--ciphers", `${name}:@SECLEVEL=0`];
    const { out } = await curl("-k", ...words, to.url);
    expect(JSON.parse(out)).toMatchObject({ tls: { cipher_suite: number, tls_version: 0x0303 } });
  });

  test("of a socket that is closed nothing is known, and nothing is thrown", async () => {
    const described = Promise.withResolvers<TlsExtension>();
    const [cert, key] = [fs.readFileSync(server.cert), fs.readFileSync(server.key)];
    using listener = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0, tls: { cert, key } },
      socket: {
        data(socket) {
          socket.terminate();
          described.resolve(tlsExtension(socket, new Set()));
        },
      },
    });
    await curl("-k", `https://127.0.0.1:${listener.port}/`);
    expect(await described.promise).toEqual({
      server_cert: null,
      client_cert_chain: [],
      client_cert_name: null,
      client_cert_error: null,
      tls_version: null,
      cipher_suite: null,
    });
  });

  test("each number of the table stands there once", () => {
    const numbers = Object.values(CIPHER_SUITES);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe("client certificates", () => {
  const optional = { ...ONE, sslCa: authority.cert, sslVerifyClient: "optional" } as const;
  const require = { ...TWO, sslCa: authority.cert, sslVerifyClient: "require" } as const;

  test("optional: a good one is shown, with the chain that the client has sent, its own first", async () => {
    const intermediate = certificates.issue("/CN=Intermediate", { isAuthority: true });
    const leaf = certificates.issue("/CN=leaf", { issuer: intermediate });
    await using to = await startHttp(tell, optional);
    expect(await told(to)).toMatchObject({ client_cert_chain: [], client_cert_name: null });
    const one = await told(to, ...asClient(client));
    expect(one.client_cert_chain.map((each) => each.trim())).toEqual([pemOf(client.cert)]);
    expect(one).toMatchObject({
      client_cert_name: String.raw`CN=client,O=Acme\, Inc.,C=DE`,
      client_cert_error: null,
    });
    const chained = { cert: certificates.bundle(leaf, intermediate), key: leaf.key };
    for (const version of [[], ["--tls-max", "1.2"]]) {
      const both = await told(to, ...version, ...asClient(chained));
      expect(both.client_cert_chain.map((each) => each.trim())).toEqual(
        [leaf, intermediate].map(({ cert }) => pemOf(cert)),
      );
      expect(both).toMatchObject({ client_cert_name: "CN=leaf", client_cert_error: null });
    }
  });

  test("optional: one that is not good is shown with what is wrong, also when its session is resumed", async () => {
    await using to = await startHttp(tell, optional);
    const shown = await told(to, ...asClient(stranger));
    expect(shown.client_cert_chain.map((each) => each.trim())).toEqual([pemOf(stranger.cert)]);
    expect(shown.client_cert_name).toBe("CN=stranger");
    expect(shown.client_cert_error).toMatch(/self.signed certificate/);
    for (const each of await resume(to, stranger)) {
      expect(each.tls.client_cert_error).toMatch(/self.signed certificate/);
      expect(each.tls.client_cert_chain).toHaveLength(1);
    }
    const [, good] = await resume(to, client);
    expect(good?.tls).toMatchObject({
      client_cert_name: String.raw`CN=client,O=Acme\, Inc.,C=DE`,
      client_cert_error: null,
    });
  });

  /** Two connections with one client certificate, the second of which resumes the session of the first. */
  async function resume(to: TestServer, { cert, key }: CertificateFiles): Promise<{ tls: TlsExtension }[]> {
    const session = certificates.file(`session-${Math.random()}`);
    const answers: { tls: TlsExtension }[] = [];
    for (const how of ["-sess_out", "-sess_in"]) {
      const child = Bun.spawn(
        [
          ...["openssl", "s_client", "-connect", `127.0.0.1:${to.port}`, "-servername", "localhost"],
          ...["-tls1_2", "-cert", cert, "-key", key, how, session, "-ign_eof"],
        ],
        { stdin: new Blob([get("/", "Connection: close")]), stdout: "pipe", stderr: "ignore" },
      );
      const out = await child.stdout.text();
      expect(out).toContain(how === "-sess_in" ? "Reused, TLSv1.2" : "New, TLSv1.2");
      answers.push(JSON.parse(/^\{.*"tls".*\}$/m.exec(out)?.[0] ?? "") as { tls: TlsExtension });
    }
    return answers;
  }

  const versions = [["--tlsv1.3"], ["--tls-max", "1.2"]];
  for (const version of versions) {
    test.each([
      ["the first certificate", "localhost"],
      ["another one by SNI", "second.example"],
      ["no SNI", "127.0.0.1"],
    ])(`require, ${version.join(" ")}, %s: only a good one gets in`, async (_case, name) => {
      const requests: string[] = [];
      await using to = await startHttp(async (scope, receive, send) => {
        requests.push(scope.path);
        await tell(scope, receive, send);
      }, require);
      const ask = (...words: string[]) =>
        curl("-k", ...version, ...at(name, to), ...words, `https://${name}:${to.port}/`);
      const good = await ask(...asClient(client));
      expect(good.code).toBe(0);
      expect(JSON.parse(good.out)).toMatchObject({ tls: { client_cert_error: null } });
      expect((await ask()).code).not.toBe(0);
      expect((await ask(...asClient(stranger))).code).not.toBe(0);
      expect(requests).toEqual(["/"]);
      await eventually("none is left", () => to.server.connectionCount === 0);
      expect(to.logger.messages("error")).toEqual([]);
    });
  }

  test("require: a resumed session of somebody who was not let in does not let him in", async () => {
    await using to = await startHttp(tell, require);
    let session: Buffer | undefined;
    for (let i = 0; i < 3; i++) {
      const socket = tls.connect({
        ...{ host: "127.0.0.1", port: to.port, rejectUnauthorized: false },
        ...(session === undefined ? {} : { session }),
        cert: fs.readFileSync(stranger.cert),
        key: fs.readFileSync(stranger.key),
      });
      socket.on("session", (ticket) => (session = ticket));
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (bytes) => (received += bytes.toString()));
      socket.write(get("/"));
      await new Promise((resolve) => socket.once("close", resolve));
      expect(received).toBe("");
    }
  });
});

describe("several certificates", () => {
  test("the one that fits the name is shown, else the first", async () => {
    await using to = await startHttp(tell, TWO);
    const shown = async (name: string) => {
      const { out } = await curl("-k", ...at(name, to), `https://${name}:${to.port}/`);
      return (JSON.parse(out) as { tls: TlsExtension }).tls.server_cert?.trim();
    };
    expect(await shown("second.example")).toBe(pemOf(second.cert));
    expect(await shown("a.wild.example")).toBe(pemOf(second.cert));
    expect(await shown("localhost")).toBe(pemOf(server.cert));
    expect(await shown("unknown.example")).toBe(pemOf(server.cert));
    expect(await shown("127.0.0.1")).toBe(pemOf(server.cert));
  });

  test("a key in the file of its certificate, and an encrypted one", async () => {
    const both = certificates.file("both.pem");
    fs.writeFileSync(both, fs.readFileSync(server.cert, "utf8") + fs.readFileSync(server.key, "utf8"));
    await using one = await startHttp(tell, { sslCert: [both] });
    expect((await told(one)).tls_version).toBe(0x0304);
    const passphrase = certificates.file("passphrase");
    fs.writeFileSync(passphrase, "sécret\n");
    await using other = await startHttp(tell, {
      sslCert: [server.cert],
      sslKey: [certificates.encrypted(server, "sécret")],
      sslKeyPassphraseFile: passphrase,
    });
    expect((await told(other)).tls_version).toBe(0x0304);
  });

  test("intermediate certificates are sent along", async () => {
    const intermediate = certificates.issue("/CN=Intermediate", { isAuthority: true });
    const leaf = certificates.issue("/CN=leaf", { issuer: intermediate, names: ["DNS:localhost"] });
    await using to = await startHttp(tell, {
      sslCert: [certificates.bundle(leaf, intermediate)],
      sslKey: [leaf.key],
    });
    expect((await told(to)).server_cert?.trim()).toBe(pemOf(leaf.cert));
  });
});

describe("versions", () => {
  test("1.2 is the oldest by default, 1.3 when asked for", async () => {
    const old = ["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"];
    await using to = await startHttp(tell, ONE);
    expect((await curl("-k", ...old, to.url)).code).toBe(35);
    expect((await curl("-k", "--tls-max", "1.2", to.url)).code).toBe(0);
    await using newer = await startHttp(tell, { ...TWO, sslMinVersion: "1.3" });
    for (const name of ["localhost", "second.example"]) {
      const url = `https://${name}:${newer.port}/`;
      expect((await curl("-k", ...at(name, newer), "--tls-max", "1.2", url)).code).toBe(35);
      expect((await curl("-k", ...at(name, newer), url)).code).toBe(0);
    }
  });
});

describe("connections", () => {
  test("bodies of some megabytes go both ways, also to a client that reads late", async () => {
    await using to = await startHttp(echo, ONE);
    const size = 3_000_000;
    await using wire = await openTls(to);
    wire.pause();
    await wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    wire.resume();
    const { status, body } = await wire.response();
    expect(status).toBe(200);
    expect((JSON.parse(body) as { body: string }).body).toBe("x".repeat(size));
  });

  test("a Unix socket speaks it too", async () => {
    using folder = new Folder();
    await using _to = await startHttp(tell, { ...ONE, port: undefined, listen: [folder.file("s")] });
    const { out } = await curl("-k", "--unix-socket", folder.file("s"), "https://localhost/");
    expect(JSON.parse(out)).toMatchObject({ scheme: "https", tls: { tls_version: 0x0304 } });
  });

  test("plain HTTP on a TLS port is closed, TLS on a plain port answered with 400; both servers go on", async () => {
    await using secure = await startHttp(text("secure"), ONE);
    await using plain = await startHttp(text("plain"));
    await using wire = await Wire.open(secure);
    await wire.send(get("/"));
    expect(await wire.readToEnd()).toBe("");
    expect((await curl("-k", `https://127.0.0.1:${plain.port}/`)).code).toBe(35);
    expect((await curl("-k", secure.url)).out).toBe("secure");
    expect((await curl(plain.url)).out).toBe("plain");
    await eventually(
      "none is left",
      () => secure.server.connectionCount + plain.server.connectionCount === 0,
    );
    expect([...secure.logger.messages("error"), ...plain.logger.messages("error")]).toEqual([]);
  });

  test("a handshake that does not come is given up after the header timeout", async () => {
    await using to = await startHttp(text("hi"), { ...ONE, headerTimeout: 0.1 });
    await using wire = await Wire.open(to);
    expect(await wire.readToEnd()).toBe("");
    await using half = await Wire.open(to);
    await half.send("\x16\x03\x01\x02\x00\x01");
    expect(await half.readToEnd()).toBe("");
    await eventually("none is left", () => to.server.connectionCount === 0);
  });

  test("hundreds of broken handshakes leave nothing behind, and harm nobody", async () => {
    await using to = await startHttp(text("hi"), { ...ONE, headerTimeout: 1 });
    // A real ClientHello, to be cut and bent; the numbers are the same in every run.
    const hello = await clientHello();
    const next = random(20_261_121);
    const attempts = Array.from({ length: 300 }, async (_, i) => {
      await using wire = await Wire.open(to);
      const bytes = Buffer.from(hello);
      if (i % 3 === 0) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      const end = i % 3 === 1 ? Math.floor(next() * bytes.length) : bytes.length;
      await wire.send(bytes.subarray(0, end)).catch(() => {});
      if (i % 2 === 0) wire.reset();
      else wire.halfClose();
      await wire.readToEnd().catch(() => {});
    });
    await Promise.all(attempts);
    expect((await curl("-k", to.url)).out).toBe("hi");
    await eventually("none is left", () => to.server.connectionCount === 0);
    expect(to.logger.messages("error")).toEqual([]);
  });

  /** The first bytes of a client that begins a handshake. */
  async function clientHello(): Promise<Buffer> {
    const seen = Promise.withResolvers<Buffer>();
    using listener = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: {
        data(socket, bytes) {
          seen.resolve(bytes);
          socket.terminate();
        },
      },
    });
    const socket = tls.connect({ host: "127.0.0.1", port: listener.port, servername: "localhost" });
    socket.on("error", () => {});
    return await seen.promise;
  }

  test("one that is too many gets its 503 inside of TLS", async () => {
    await using to = await startHttp(text("hi"), { ...ONE, maxConnections: 1 });
    await using first = await openTls(to);
    await first.send(get("/"));
    expect((await first.response()).status).toBe(200);
    await using other = await openTls(to);
    expect((await other.response()).status).toBe(503);
  });

  test("a stop finishes what runs, and closes what has not shaken hands", async () => {
    let go = (): void => {};
    const to = await startHttp(async (scope, receive, send) => {
      await new Promise<void>((resolve) => (go = resolve));
      await text("done")(scope, receive, send);
    }, ONE);
    await using busy = await openTls(to);
    await busy.send(get("/"));
    await using silent = await Wire.open(to);
    await eventually("both are open", () => to.server.connectionCount === 2);
    const stopped = to.server.stop();
    expect(await silent.readToEnd()).toBe("");
    go();
    expect((await busy.response()).body).toBe("done");
    expect(await busy.readToEnd()).toBe("");
    expect(await stopped).toBe(true);
  });
});

describe("new certificates", () => {
  test("new connections get them, for every name; open ones go on with the old", async () => {
    const files = { cert: certificates.file("live.pem"), key: certificates.file("live.key") };
    const install = (from: CertificateFiles): void => {
      fs.copyFileSync(from.cert, files.cert);
      fs.copyFileSync(from.key, files.key);
    };
    install(server);
    const sslCert = [server.cert, files.cert];
    const sslKey = [server.key, files.key];
    const renewed = certificates.issue("/CN=renewed", { names: ["DNS:live.example"] });
    install(certificates.issue("/CN=live", { names: ["DNS:live.example"] }));
    using folder = new Folder();
    await using to = await startHttp(tell, {
      ...{ sslCert, sslKey, port: undefined },
      listen: ["127.0.0.1:0", folder.file("s")],
    });
    const shown = async (...words: string[]) => {
      const { out } = await curl("-k", ...at("live.example", to), ...words);
      return (JSON.parse(out) as { tls: TlsExtension }).tls.server_cert?.trim();
    };
    await using open = await openTls(to, { servername: "live.example", rejectUnauthorized: false });
    const before = pemOf(files.cert);
    const viaTcp = [`https://live.example:${to.port}/`];
    const viaUnix = ["--unix-socket", folder.file("s"), "https://live.example/"];
    expect(await shown(...viaTcp)).toBe(before);

    install(renewed);
    expect(await to.server.reloadCertificates()).toBe(true);
    expect(await shown(...viaTcp)).toBe(pemOf(renewed.cert));
    expect(await shown(...viaUnix)).toBe(pemOf(renewed.cert));
    await open.send(get("/"));
    const { body } = await open.response();
    expect((JSON.parse(body) as { tls: TlsExtension }).tls.server_cert?.trim()).toBe(before);

    fs.writeFileSync(files.key, "nonsense");
    expect(await to.server.reloadCertificates()).toBe(false);
    expect(to.logger.messages("error")).toEqual([
      expect.stringMatching(
        /^The certificates stay as they were: --ssl-key: .*live\.key holds no private key/,
      ),
    ]);
    expect(await shown(...viaTcp)).toBe(pemOf(renewed.cert));
    await to.server.stop();
    expect(fs.existsSync(folder.file("s"))).toBe(false);
    expect(await to.server.reloadCertificates()).toBe(false);
  });

  test("the first certificate as well; no connection is refused while it happens, no descriptor is left", async () => {
    const descriptors = (): number => fs.readdirSync("/proc/self/fd").length;
    await using to = await startHttp(text("hi"), ONE);
    expect((await curl("-k", to.url)).out).toBe("hi");
    const before = descriptors();
    let isOver = false;
    const asked = (async () => {
      let answers = 0;
      while (!isOver) {
        expect((await curl("-k", to.url)).out).toBe("hi");
        answers++;
      }
      return answers;
    })();
    for (let i = 0; i < 20; i++) {
      expect(await to.server.reloadCertificates()).toBe(true);
      await Bun.sleep(2);
    }
    isOver = true;
    expect(await asked).toBeGreaterThan(0);
    await eventually("all descriptors are closed", () => descriptors() <= before);
  });

  test("without TLS there is nothing to do", async () => {
    await using to = await startHttp(text("hi"));
    expect(await to.server.reloadCertificates()).toBe(false);
    expect((await fetch(to.url)).status).toBe(200);
  });
});

describe("what cannot be used is one clear line at start", () => {
  const none = certificates.file("none.pem");
  const nonsense = certificates.file("nonsense.pem");
  fs.writeFileSync(nonsense, "nonsense\n");
  const broken = certificates.file("broken.pem");
  fs.writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const brokenKey = certificates.file("broken.key");
  fs.writeFileSync(brokenKey, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  const encrypted = certificates.encrypted(server, "right");
  const wrong = certificates.file("wrong");
  fs.writeFileSync(wrong, "wrong\n");
  const rows: [what: string, options: PartialOptions, message: string][] = [
    [
      "no such certificate",
      { ...ONE, sslCert: [none] },
      `--ssl-cert: ${none} cannot be read: there is no such file.`,
    ],
    ["a folder", { ...ONE, sslCert: ["/"] }, "--ssl-cert: / cannot be read: it is a directory."],
    ["no PEM", { ...ONE, sslCert: [nonsense] }, `--ssl-cert: ${nonsense} holds no certificate.`],
    ["broken PEM", { ...ONE, sslCert: [broken] }, `--ssl-cert: a certificate in ${broken} cannot be read`],
    ["no such key", { ...ONE, sslKey: [none] }, `--ssl-key: ${none} cannot be read: there is no such file.`],
    ["no key in it", { ...ONE, sslKey: [server.cert] }, `--ssl-key: ${server.cert} holds no private key.`],
    [
      "no key in the certificate's file",
      { sslCert: [server.cert] },
      `--ssl-key: ${server.cert} holds no private key.`,
    ],
    ["a broken key", { ...ONE, sslKey: [brokenKey] }, `--ssl-key: the key in ${brokenKey} cannot be used`],
    [
      "another's key",
      { ...ONE, sslKey: [second.key] },
      `--ssl-key: the key in ${second.key} is not that of the certificate in ${server.cert}.`,
    ],
    [
      "an encrypted key",
      { ...ONE, sslKey: [encrypted] },
      "is encrypted. Give its passphrase with --ssl-key-passphrase-file.",
    ],
    [
      "a wrong passphrase",
      { ...ONE, sslKey: [encrypted], sslKeyPassphraseFile: wrong },
      "cannot be decrypted; the passphrase is wrong.",
    ],
    [
      "no passphrase file",
      { ...ONE, sslKeyPassphraseFile: none },
      `--ssl-key-passphrase-file: ${none} cannot be read`,
    ],
    ["too few keys", { ...TWO, sslKey: [server.key] }, "--ssl-key: there are 2 certificates and 1 keys."],
    ["a key alone", { sslKey: [server.key] }, "--ssl-key: needs a certificate as well: give --ssl-cert."],
    [
      "clients to verify, and no authority",
      { ...ONE, sslVerifyClient: "require" },
      "give their authorities with --ssl-ca.",
    ],
    [
      "clients to verify without TLS",
      { sslVerifyClient: "require" },
      "--ssl-verify-client: needs a certificate as well",
    ],
    ["no such authorities", { ...ONE, sslCa: none }, `--ssl-ca: ${none} cannot be read`],
    ["no authorities in it", { ...ONE, sslCa: nonsense }, `--ssl-ca: ${nonsense} holds no certificate.`],
    [
      "no such ciphers",
      { ...ONE, sslCiphers: "NONE-OF-THESE" },
      "--ssl-ciphers: there is no cipher suite in 'NONE-OF-THESE'.",
    ],
    ["an old version", { ...ONE, sslMinVersion: "1.1" as "1.2" }, "sslMinVersion: must be one of 1.2, 1.3"],
  ];
  test.each(rows)("%s", async (_what, options, message) => {
    const failed = startHttp(text("hi"), options);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(OptionError);
    expect(failed).rejects.toThrow(message);
  });
});
