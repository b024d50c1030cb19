import { describe, expect, test } from "bun:test";

import type { NodeListener } from "../../adapters/node.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { Certificates } from "../support/certificates.ts";
import { startServer } from "../support/server.ts";

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  describe("the socket behind TLS", () => {
    const listener: NodeListener = ({ socket }, response) => {
      const ask = (member: string, ...args: unknown[]): unknown =>
        Reflect.apply(Reflect.get(socket, member), socket, args);
      response.end(
        JSON.stringify({
          encrypted: Reflect.get(socket, "encrypted"),
          authorized: Reflect.get(socket, "authorized"),
          authorizationError: Reflect.get(socket, "authorizationError"),
          peer: ask("getPeerCertificate", true),
          hasPeer: ask("getPeerX509Certificate") !== undefined,
          server: ask("getCertificate"),
          protocol: ask("getProtocol"),
          cipher: ask("getCipher"),
        }),
      );
    };

    test.each(["good", "self-signed", "none"] as const)(
      "tells of a client whose certificate is %s",
      async (kind) => {
        using files = new Certificates();
        const own = files.issue("/CN=server", { names: ["IP:127.0.0.1"] });
        const client = kind === "good" ? files.issue("/CN=client") : files.selfSigned("/CN=client");
        await using server = await startServer(fromNode(listener), {
          sslCert: [own.cert],
          sslKey: [own.key],
          sslCa: files.authority.cert,
          sslVerifyClient: "optional",
        });
        const identity = kind === "none" ? {} : { cert: Bun.file(client.cert), key: Bun.file(client.key) };
        const answer = await fetch(server.url, { tls: { rejectUnauthorized: false, ...identity } });
        const { peer, ...rest } = JSON.parse(await answer.text());
        const expected = {
          good: { authorized: true, authorizationError: null, hasPeer: true },
          "self-signed": {
            authorized: false,
            authorizationError: "DEPTH_ZERO_SELF_SIGNED_CERT",
            hasPeer: true,
          },
          none: { authorized: false, authorizationError: null, hasPeer: false },
        }[kind];
        expect(rest).toMatchObject({ encrypted: true, server: { subject: { CN: "server" } }, ...expected });
        expect(peer).toMatchObject(
          kind === "none"
            ? {}
            : { subject: { CN: "client" }, issuer: { CN: kind === "good" ? "Test Authority" : "client" } },
        );
        expect(rest.cipher).toEqual({
          version: rest.protocol,
          name: expect.stringMatching(/^TLS_/),
          standardName: rest.cipher.name,
        });
        expect(rest.protocol).toBe("TLSv1.3");
      },
    );
  });
});
