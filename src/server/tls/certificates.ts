import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import fs from "node:fs";
import tls from "node:tls";

import { messageOf, OptionError } from "../../errors.ts";
import { danglingLinkProblem } from "../../system/dangling-link.ts";
import type { ServerOptions } from "../../options/resolve.ts";

/** The options of TLS. */
export type TlsOptions = Pick<
  ServerOptions,
  "sslCert" | "sslKey" | "sslKeyPassphraseFile" | "sslCa" | "sslVerifyClient" | "sslMinVersion" | "sslCiphers"
>;

/** What `Bun.listen` takes as `tls`; its types leave the versions and ciphers out. */
export interface TlsListenOptions {
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
  readonly ca?: string;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: number;
  readonly ciphers: string;
  readonly ALPNProtocols: Uint8Array;
}

/** What connections are encrypted with: certificates and keys as they were read from their files. */
export interface TlsMaterial {
  /** The first certificate, shown where no other fits. */
  readonly listenOptions: TlsListenOptions;
  /** DER in hexadecimal of the authorities that clients are checked against. */
  readonly anchors: ReadonlySet<string>;
  readonly verifyClient: ServerOptions["sslVerifyClient"];
  /** The certificate as PEM that every client is shown; `undefined` where there are several. */
  readonly onlyCertificate: string | undefined;
  /** The context of the certificate for a name that a client asks for (SNI); `undefined` is the first one's. */
  contextFor(serverName: string): unknown;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly x509: X509Certificate;
}

const VERSION_NUMBERS = { "1.2": 0x0303, "1.3": 0x0304 } as const;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads certificates and keys, and makes sure that they can be used.
 *
 * @returns `undefined` where TLS is not asked for.
 * @throws OptionError that says which file is wrong, and why.
 */
export function loadTls(options: TlsOptions): TlsMaterial | undefined {
  checkTogether(options);
  if (options.sslCert.length === 0) return undefined;
  const passphrase = readPassphrase(options.sslKeyPassphraseFile);
  const pairs = options.sslCert.map((file, i) => readPair(file, options.sslKey[i] ?? file, passphrase));
  const authorities = readAuthorities(options.sslCa);
  const common = {
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(authorities === undefined ? {} : { ca: authorities.text }),
    requestCert: options.sslVerifyClient !== "off",
    rejectUnauthorized: options.sslVerifyClient === "require",
    ciphers: options.sslCiphers,
  };
  // The checks of one's own say more; this one is sure to find the rest.
  const contexts = pairs.map(({ cert, key }, i) => {
    const context = { cert, key, ...common, minVersion: `TLSv${options.sslMinVersion}` } as const;
    return nativeContext(() => tls.createSecureContext(context), options, options.sslCert[i] ?? "");
  });
  const [first] = pairs;
  if (first === undefined) return undefined;
  return {
    listenOptions: {
      cert: first.cert,
      key: first.key,
      ...common,
      minVersion: VERSION_NUMBERS[options.sslMinVersion],
      ALPNProtocols: alpnList(["http/1.1", "http/1.0"]),
    },
    anchors: authorities?.anchors ?? new Set(),
    verifyClient: options.sslVerifyClient,
    onlyCertificate: pairs.length === 1 ? first.x509.toString() : undefined,
    contextFor(serverName) {
      if (pairs.length === 1) return undefined;
      const at = pairs.findIndex(({ x509 }) => x509.checkHost(serverName) !== undefined);
      return at > 0 ? contexts[at] : undefined;
    },
  };
}

/**
 * The protocols that are spoken here, the preferred one first. A client that offers others only, such as `h2`, is refused
 * with the alert no_application_protocol; one that offers none gets HTTP/1.1. Source: RFC 7301 sections 3.1 and 3.2.
 *
 * @returns what goes over the wire, each name behind its length: Bun takes text for that too, and not for a name.
 */
function alpnList(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.flatMap((name) => [Buffer.from([name.length]), Buffer.from(name)]));
}

function checkTogether(options: TlsOptions): void {
  const { sslCert, sslKey, sslCa, sslVerifyClient } = options;
  if (sslCert.length === 0) {
    const [alone] = [
      sslKey.length > 0 ? "--ssl-key" : [],
      sslVerifyClient === "off" ? [] : "--ssl-verify-client",
    ].flat();
    if (alone !== undefined) throw new OptionError(alone, "needs a certificate as well: give --ssl-cert.");
    return;
  }
  if (sslKey.length > 0 && sslKey.length !== sslCert.length)
    throw new OptionError(
      "--ssl-key",
      `there are ${sslCert.length} certificates and ${sslKey.length} keys. Give one key for each certificate, in the same order.`,
    );
  if (sslVerifyClient !== "off" && sslCa === "")
    throw new OptionError(
      "--ssl-verify-client",
      "needs to know whose certificates are good: give their authorities with --ssl-ca.",
    );
}

function readPair(certFile: string, keyFile: string, passphrase: string | undefined): Pair {
  const cert = readText("--ssl-cert", certFile);
  const [leaf] = cert.match(PEM_CERTIFICATE) ?? [];
  if (leaf === undefined)
    throw new OptionError(
      "--ssl-cert",
      `${certFile} holds no certificate. It has to be PEM, with a line "BEGIN CERTIFICATE".`,
    );
  const x509 = parseCertificate("--ssl-cert", certFile, leaf);
  const key = keyFile === certFile ? cert : readText("--ssl-key", keyFile);
  const keyObject = readKey(keyFile, key, passphrase);
  if (!x509.checkPrivateKey(keyObject))
    throw new OptionError(
      "--ssl-key",
      `the key in ${keyFile} is not that of the certificate in ${certFile}.`,
    );
  return { cert, key, x509 };
}

function readKey(file: string, text: string, passphrase: string | undefined): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new OptionError(
      "--ssl-key",
      `${file} holds no private key. It has to be PEM, with a line "BEGIN PRIVATE KEY".`,
    );
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (isEncrypted && passphrase === undefined)
    throw new OptionError(
      "--ssl-key",
      `the key in ${file} is encrypted. Give its passphrase with --ssl-key-passphrase-file.`,
    );
  try {
    return createPrivateKey(isEncrypted ? { key: text, passphrase } : { key: text });
  } catch (error) {
    const problem = isEncrypted
      ? "cannot be decrypted; the passphrase is wrong"
      : `cannot be used: ${messageOf(error)}`;
    throw new OptionError("--ssl-key", `the key in ${file} ${problem}.`, { cause: error });
  }
}

function readAuthorities(file: string): { text: string; anchors: ReadonlySet<string> } | undefined {
  if (file === "") return undefined;
  const text = readText("--ssl-ca", file);
  const found = text.match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0)
    throw new OptionError(
      "--ssl-ca",
      `${file} holds no certificate. It has to be PEM, with lines "BEGIN CERTIFICATE".`,
    );
  const anchors = new Set(found.map((each) => parseCertificate("--ssl-ca", file, each).raw.toString("hex")));
  return { text: found.join("\n"), anchors };
}

function parseCertificate(option: string, file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new OptionError(option, `a certificate in ${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function readPassphrase(file: string): string | undefined {
  return file === "" ? undefined : readText("--ssl-key-passphrase-file", file, "utf8").split(/\r?\n/, 1)[0];
}

function readText(option: string, file: string, encoding: "latin1" | "utf8" = "latin1"): string {
  try {
    return fs.readFileSync(file, encoding);
  } catch (error) {
    throw new OptionError(option, `${file} cannot be read: ${advice(file, error)}`, { cause: error });
  }
}

function advice(file: string, error: unknown): string {
  const dangling = danglingLinkProblem(file);
  if (dangling !== undefined) return `${dangling}.`;
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
    case "ENOTDIR":
      return "there is no such file.";
    case "EACCES":
    case "EPERM":
      return "this user may not read it.";
    case "EISDIR":
      return "it is a directory.";
    default:
      return `${messageOf(error)}.`;
  }
}

/** The object that Bun's sockets know; Node's types leave it opaque. */
function nativeContext(make: () => tls.SecureContext, options: TlsOptions, file: string): unknown {
  try {
    return make().context;
  } catch (error) {
    const isCipher = error instanceof Error && "code" in error && error.code === "ERR_SSL_NO_CIPHER_MATCH";
    throw isCipher
      ? new OptionError("--ssl-ciphers", `there is no cipher suite in '${options.sslCiphers}'.`, {
          cause: error,
        })
      : new OptionError("--ssl-cert", `${file} cannot be used: ${messageOf(error)}.`, { cause: error });
  }
}
