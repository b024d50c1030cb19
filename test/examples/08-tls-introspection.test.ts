import { expect, test } from "bun:test";
import app from "../../examples/08-tls-introspection/app.ts";
import { Certificates } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import { startExample } from "../support/example.ts";
import { httpScope, response, server as fakeServer } from "../support/fake-scope.ts";

test("tells version, cipher suite and client of an encrypted connection", async () => {
  using certificates = new Certificates();
  const { authority } = certificates;
  const own = certificates.issue("/CN=localhost", { names: ["IP:127.0.0.1"] });
  const client = certificates.issue("/O=Acme/CN=zoe");
  const args = ["--ssl-cert", own.cert, "--ssl-key", own.key, "--ssl-ca", authority.cert];
  await using server = await startExample("08-tls-introspection", {
    args: [...args, "--ssl-verify-client", "optional"],
  });
  const url = `https://127.0.0.1:${server.port}/`;
  const { out } = await curl("--cacert", authority.cert, "--cert", client.cert, "--key", client.key, url);
  expect(out.split("\n")).toEqual([
    "TLS version: 0x0304",
    expect.stringMatching(/^cipher suite: 0x130[123]$/),
    "client certificate: CN=zoe,O=Acme",
    "its problem: none",
    "its chain: 1 certificates",
    "",
  ]);
});

test("says that a plain connection is one", async () => {
  await using server = await startExample("08-tls-introspection");
  expect(await (await fetch(server.url)).text()).toBe("This connection is not encrypted by this server.\n");
});

test("works with a server that cannot tell everything", async () => {
  const { receive, send, sent } = fakeServer();
  const tls = {
    server_cert: null,
    client_cert_chain: [],
    client_cert_name: null,
    client_cert_error: null,
    tls_version: null,
    cipher_suite: null,
  };
  await app(httpScope({ scheme: "https", extensions: { tls } }), receive, send);
  expect(response(sent).body).toStartWith("TLS version: unknown\ncipher suite: unknown\n");
});
