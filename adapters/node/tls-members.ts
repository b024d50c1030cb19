import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { PeerCertificate } from "node:tls";

import type { TlsExtension } from "../../src/spec/scope.ts";
import { CIPHER_SUITES, TLS_VERSIONS } from "../../src/spec/tls-cipher-suites.ts";

/** The code of OpenSSL at the end of `client_cert_error`. */
const ERROR_CODE = /\(([A-Z0-9_]+)\)$/;

/**
 * Gives a socket the members of a `tls.TLSSocket` that the `tls` extension can answer for. They are absent on other
 * sockets, as in Node.js, where `socket.getPeerCertificate` is how libraries recognize a TLS connection.
 */
export function addTlsMembers(socket: Socket, tls: TlsExtension): void {
  const chain = tls.client_cert_chain;
  const error = tls.client_cert_error;
  Object.assign(socket, {
    authorized: chain.length > 0 && error === null,
    authorizationError: error === null ? null : (ERROR_CODE.exec(error)?.[1] ?? error),
    alpnProtocol: false,
    getPeerCertificate: (detailed = false) => peerCertificate(chain, detailed),
    getPeerX509Certificate: () => certificateOf(chain[0]),
    getCertificate: () => certificateOf(tls.server_cert)?.toLegacyObject() ?? {},
    getX509Certificate: () => certificateOf(tls.server_cert),
    getProtocol: () => nameOf(TLS_VERSIONS, tls.tls_version) ?? null,
    getCipher: () => cipherOf(tls),
  });
}

function certificateOf(pem: string | null | undefined): X509Certificate | undefined {
  return pem == null ? undefined : new X509Certificate(pem);
}

/** The client's certificate; an empty object where it has none. `detailed` adds its issuers, as `issuerCertificate`. */
function peerCertificate(
  chain: readonly string[],
  detailed: boolean,
): PeerCertificate | Record<string, never> {
  const [own, ...issuers] = chain.map((pem): PeerCertificate => new X509Certificate(pem).toLegacyObject());
  if (own === undefined) return {};
  if (detailed) {
    let last = own;
    for (const issuer of issuers) {
      Object.assign(last, { issuerCertificate: issuer });
      last = issuer;
    }
  }
  return own;
}

function cipherOf(tls: TlsExtension): { name: string; standardName: string; version: string } | undefined {
  const standardName = nameOf(CIPHER_SUITES, tls.cipher_suite);
  const version = nameOf(TLS_VERSIONS, tls.tls_version);
  if (standardName === undefined || version === undefined) return undefined;
  return { name: standardName, standardName, version };
}

function nameOf(numbers: Readonly<Record<string, number>>, wanted: number | null): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === wanted);
}
