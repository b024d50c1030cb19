import { expect, test } from "bun:test";
import fs from "node:fs";
import { connect } from "node:tls";

import { Certificates } from "../../support/certificates.ts";
import type { CertificateFiles } from "../../support/certificates.ts";
import { Load } from "../../support/load.ts";
import { INDEX, Program } from "../../support/program.ts";
import { eventually } from "../../support/wire.ts";
import { Log, start, workersFolder } from "../../support/workers.ts";

// SIGHUP with TLS: new connections get the certificate that the files hold by then.

/** The name in the certificate that a new connection is shown. */
async function shownAt(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  try {
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

const PROGRAM = `
import app from "./app.ts";
import { serve } from ${JSON.stringify(INDEX)};
const server = await serve(app, { port: 0, env: "production", sslCert: ["live.pem"], sslKey: ["live.key"] });
console.error("Serving app.ts", server.url);
`;

const KINDS = {
  "two workers": {
    words: ["-w", "2"],
    isReloaded: /Reloaded: every worker is a new one/,
    goesOn: /reload is canceled/,
  },
  "one process": { words: [], isReloaded: /Serving app\.ts/, goesOn: /Keeping the current one/ },
  "a program that calls serve()": {
    words: undefined,
    isReloaded: /Serving app\.ts/,
    goesOn: /Keeping the current one/,
  },
} as const;

for (const [kind, { words, isReloaded, goesOn }] of Object.entries(KINDS))
  test(`${kind}: certificates are rotated under load, and no request is lost`, async () => {
    using folder = workersFolder();
    using certificates = new Certificates();
    const install = ({ cert, key }: CertificateFiles): void => {
      fs.copyFileSync(cert, folder.file("live.pem"));
      fs.copyFileSync(key, folder.file("live.key"));
    };
    install(certificates.selfSigned("/CN=one"));
    fs.writeFileSync(folder.file("program.ts"), PROGRAM);
    const tls = ["--ssl-cert", "live.pem", "--ssl-key", "live.key"];
    await using program =
      words === undefined ? new Program(folder, ["program.ts"]) : start(folder, [...words, ...tls]);
    const log = new Log(program);
    await log.until(/Serving app\.ts/);
    const [, port = ""] = await program.prints(/https?:\/\/127\.0\.0\.1:(\d+)\//);
    const where = { host: "127.0.0.1", port: Number(port), isTls: true };
    expect(await shownAt(where.port)).toBe("one");
    await using load = new Load(where, 4);
    for (const name of ["two", "three"]) {
      const seen = load.answered;
      await eventually("there is load", () => load.answered > seen + 200);
      install(certificates.selfSigned(`/CN=${name}`));
      program.kill("SIGHUP");
      await log.until(isReloaded);
      expect(await shownAt(where.port)).toBe(name);
    }
    // A key that does not fit ends nothing.
    fs.copyFileSync(certificates.authority.key, folder.file("live.key"));
    program.kill("SIGHUP");
    await log.until(goesOn);
    expect(await shownAt(where.port)).toBe("three");
    const seen = load.answered;
    await eventually("it goes on", () => load.answered > seen + 100);
    await load.stop();
    expect(load.lost).toEqual([]);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  }, 20_000);
