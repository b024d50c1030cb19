import { afterAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import fs from "node:fs";

import { subjectName } from "../../../src/server/tls/distinguished-name.ts";
import { Certificates, run } from "../../support/certificates.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const derOf = (file: string): Buffer => new X509Certificate(fs.readFileSync(file)).raw;

describe("RFC 4514: the name of a subject, as openssl writes it too", () => {
  test.each([
    ["/CN=client", "CN=client"],
    ["/C=DE/ST=Berlin/L=Mitte/O=Acme/OU=Tea/CN=client", "CN=client,OU=Tea,O=Acme,L=Mitte,ST=Berlin,C=DE"],
    ["/CN=a\\+b", String.raw`CN=a\+b`],
    ["/O=Acme, Inc.", String.raw`O=Acme\, Inc.`],
    ['/CN=say "tea"; <now>', String.raw`CN=say \"tea\"\; \<now\>`],
    ["/CN=back\\\\slash", String.raw`CN=back\\slash`],
    ["/CN= both ", String.raw`CN=\ both\ `],
    ["/CN=#hash", String.raw`CN=\#hash`],
    ["/CN=a=b", "CN=a=b"],
    ["/CN=Zoë Tee 茶", "CN=Zoë Tee 茶"],
    ["/DC=org/DC=example/UID=zoe", "UID=zoe,DC=example,DC=org"],
    ["/emailAddress=tea@example.org/CN=x", "CN=x,emailAddress=tea@example.org"],
    ["/CN=one+OU=two/O=three", "O=three,OU=two+CN=one"],
  ])("%s", (subject, name) => {
    const { cert } = certificates.issue(subject);
    const options = ["-nameopt", "rfc2253,-esc_msb,utf8", "-noout"];
    const theirs = run("x509", "-in", cert, "-subject", ...options)
      .replace(/\n$/, "")
      .replace(/^subject=/, "");
    expect(subjectName(derOf(cert))).toBe(theirs);
    expect(subjectName(derOf(cert))).toBe(name);
  });

  test("an attribute without a short name is its number and its DER", () => {
    const { cert } = certificates.issue("/2.5.4.97=VATDE-1/CN=x");
    expect(subjectName(derOf(cert))).toBe(`CN=x,2.5.4.97=#0c07${Buffer.from("VATDE-1").toString("hex")}`);
  });

  test("control characters are escaped, so that a name is one line", () => {
    const { cert } = certificates.issue("/CN=a\nb\u2028c");
    expect(subjectName(derOf(cert))).toBe(String.raw`CN=a\0Ab\E2\80\A8c`);
  });
});

describe("what is no certificate", () => {
  test("any cut and any changed byte gives a name or a RangeError, and nothing else", () => {
    const der = derOf(certificates.authority.cert);
    const attempt = (bytes: Buffer): void => {
      try {
        expect(subjectName(bytes)).toBeString();
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    };
    for (let end = 0; end < der.length; end++) attempt(der.subarray(0, end));
    for (let at = 0; at < Math.min(der.length, 200); at++) {
      for (const value of [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff]) {
        const changed = Buffer.from(der);
        changed[at] = value;
        attempt(changed);
      }
    }
    expect(() => subjectName(Buffer.alloc(0))).toThrow(RangeError);
  });
});
