import { afterAll, describe, expect, test } from "bun:test";
import http2 from "node:http2";

import { Certificates } from "../../support/certificates.ts";
import { curl } from "../../support/curl.ts";
import { programPath } from "../../support/front.ts";
import { Folder } from "../../support/program.ts";
import { startHttp, text } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { get } from "../../support/wire.ts";

// RFC 7301: which protocol is spoken inside of TLS.

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const server = certificates.issue("/CN=localhost", { names: ["DNS:localhost"] });
const second = certificates.issue("/CN=second", { names: ["DNS:second.example"] });
const TLS = { sslCert: [server.cert, second.cert], sslKey: [server.key, second.key] };

/** What `openssl s_client` says of the protocol, and what it gets for a request. */
async function handshake(place: readonly string[], ...words: string[]): Promise<string> {
  const command = [programPath("openssl"), "s_client", "-ign_eof", ...place, ...words];
  const request = new Blob([get("/", "Connection: close")]);
  const child = Bun.spawn(command, { stdin: request, stdout: "pipe", stderr: "pipe" });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  const [alert] = /alert no application protocol/.exec(said.join("\n")) ?? [];
  const protocol = /^(?:ALPN protocol: .*|No ALPN negotiated)$/m.exec(said[0])?.[0];
  const status = /^HTTP\/1\.1 \d+/m.exec(said[0])?.[0];
  return alert ?? `${protocol}, ${status}`;
}

const OFFERS: readonly [offered: string[], outcome: string][] = [
  [["-alpn", "h2"], "alert no application protocol"],
  [["-alpn", "h2", "-tls1_2"], "alert no application protocol"],
  [["-alpn", "h2,h3,spdy/3"], "alert no application protocol"],
  [["-alpn", "http/1.1"], "ALPN protocol: http/1.1, HTTP/1.1 200"],
  [["-alpn", "h2,http/1.1"], "ALPN protocol: http/1.1, HTTP/1.1 200"],
  [["-alpn", "h2,http/1.1", "-tls1_2"], "ALPN protocol: http/1.1, HTTP/1.1 200"],
  [["-alpn", "http/1.0"], "ALPN protocol: http/1.0, HTTP/1.1 200"],
  [[], "No ALPN negotiated, HTTP/1.1 200"],
];

const at = ({ port }: TestServer): string[] => ["-connect", `127.0.0.1:${port}`];

describe("RFC 7301 section 3.2", () => {
  test.each(OFFERS)("a client that offers %j: %s", async (offered, outcome) => {
    using folder = new Folder();
    const socket = folder.file("s");
    await using to = await startHttp(text("hi"), {
      ...TLS,
      port: undefined,
      listen: ["127.0.0.1:0", socket],
    });
    for (const name of ["localhost", "second.example"])
      expect(await handshake(at(to), "-servername", name, ...offered)).toBe(outcome);
    expect(await handshake(["-unix", socket], ...offered)).toBe(outcome);
    // What listens after a change of certificates is made in another way.
    expect(await to.server.reloadCertificates()).toBe(true);
    expect(await handshake(at(to), "-servername", "second.example", ...offered)).toBe(outcome);
  });

  test("clients that can do both go on with HTTP/1.1; one that insists on HTTP/2 gets an error, and no answer to it", async () => {
    await using to = await startHttp(text("hi"), TLS);
    const url = `https://localhost:${to.port}/`;
    expect(await curl("-k", "--http2", "-w", " %{http_version}", url)).toMatchObject({
      code: 0,
      out: "hi 1.1",
    });
    const { promise: failure, resolve } = Promise.withResolvers<unknown>();
    const session = http2.connect(url, { rejectUnauthorized: false });
    session.on("error", resolve).on("connect", () => resolve("connected"));
    expect(await failure).toBeInstanceOf(Error);
    session.destroy();
    expect(to.server.requestCount).toBe(1);
    expect(to.logger.messages("error")).toEqual([]);
  });
});
