import type { Socket } from "bun";

import type { TlsExtension } from "../../spec/scope.ts";
import { subjectName } from "./distinguished-name.ts";
import { CIPHER_SUITES, TLS_VERSIONS } from "../../spec/tls-cipher-suites.ts";

/** Certificates in a chain beyond which nobody looks. */
const LONGEST_CHAIN = 16;

/** A certificate as Bun's sockets show it, with the one that has issued it. */
interface PeerCertificate {
  readonly raw?: unknown;
  readonly issuerCertificate?: unknown;
}

/**
 * What the `tls` extension says of a connection. Source: PAGI Tls, "TLS Connection Scope".
 *
 * @param anchors the authorities of `--ssl-ca`, as DER in hexadecimal. Bun's chain goes on to the one that it was
 *   verified with, which the server has and the client has not sent.
 * @param serverCertificate as PEM, where it is known; otherwise the socket is asked, which takes a tenth of a handshake.
 */
export function tlsExtension(
  socket: Socket<unknown>,
  anchors: ReadonlySet<string>,
  serverCertificate?: string,
): TlsExtension {
  const chain = clientChain(socket, anchors);
  const [leaf] = chain;
  // The types say that there always is one; a socket that is closed has none.
  const cipher: { standardName: string } | undefined = socket.getCipher();
  return Object.freeze({
    server_cert: serverCertificate ?? socket.getX509Certificate()?.toString() ?? null,
    client_cert_chain: Object.freeze(chain.map(pem)),
    client_cert_name: leaf === undefined ? null : nameOf(leaf),
    client_cert_error: leaf === undefined ? null : errorOf(socket),
    tls_version: TLS_VERSIONS[socket.getTLSVersion()] ?? null,
    cipher_suite: CIPHER_SUITES[cipher?.standardName ?? ""] ?? null,
  });
}

/** Whether the client has shown a certificate that is good. */
export function hasGoodCertificate(socket: Socket<unknown>): boolean {
  return socket.getAuthorizationError() === null && peerCertificate(socket) !== undefined;
}

/** DER, the client's own certificate first. */
function clientChain(socket: Socket<unknown>, anchors: ReadonlySet<string>): Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let each = peerCertificate(socket); each !== undefined && chain.length < LONGEST_CHAIN;) {
    if (!(each.raw instanceof Uint8Array)) break;
    const raw = Buffer.from(each.raw);
    // A root is its own issuer.
    if (chain.length > 0 && raw.equals(chain.at(-1) ?? raw)) break;
    chain.push(raw);
    each = isCertificate(each.issuerCertificate) ? each.issuerCertificate : undefined;
  }
  while (chain.length > 1 && anchors.has(hex(chain.at(-1)))) chain.pop();
  return chain;
}

function peerCertificate(socket: Socket<unknown>): PeerCertificate | undefined {
  // Node's meaning of the parameter (true: with its issuers) is the other way round here, and the types have none.
  const found: unknown = Reflect.apply(socket.getPeerCertificate, socket, [false]);
  return isCertificate(found) ? found : undefined;
}

function isCertificate(value: unknown): value is PeerCertificate {
  return typeof value === "object" && value !== null && "raw" in value;
}

function errorOf(socket: Socket<unknown>): string | null {
  const error = socket.getAuthorizationError();
  if (error === null) return null;
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return `${error.message}${code}`;
}

function nameOf(certificate: Uint8Array): string | null {
  try {
    return subjectName(certificate);
  } catch {
    return null; // accepted by the library, and yet not understood here
  }
}

function pem(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes).toString("hex");
}
