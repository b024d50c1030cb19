import type { Socket, SocketHandler, TLSOptions } from "bun";

import type { TlsExtension } from "../../spec/scope.ts";
import type { Connection } from "../connection/connection.ts";
import { loadTls } from "./certificates.ts";
import type { TlsMaterial, TlsOptions } from "./certificates.ts";
import { hasGoodCertificate, tlsExtension } from "./extension.ts";

/** What makes a listener's connections encrypted ones, in the shape that `Bun.listen` takes it in. */
export interface TlsGate {
  /** To be spread into the options of `Bun.listen`. */
  readonly listen: { readonly tls: TLSOptions };
  /** Says what the `tls` extension tells of a connection. */
  describe(socket: Socket<Connection>): TlsExtension;
  /** The handlers of a socket that are about TLS; `onHandshake` is told of a problem, or of none. */
  handlers(
    onHandshake: (socket: Socket<Connection>, problem: string | undefined) => void,
  ): Partial<SocketHandler<Connection>>;
}

/** Reads certificates and keys. @returns `undefined` without `--ssl-cert`. @throws OptionError */
export function createTlsGate(options: TlsOptions): TlsGate | undefined {
  const material = loadTls(options);
  return material === undefined ? undefined : gateOf(material);
}

function gateOf(material: TlsMaterial): TlsGate {
  return {
    listen: { tls: material.listenOptions },
    describe: (socket) => tlsExtension(socket, material.anchors, material.onlyCertificate),
    handlers(onHandshake) {
      const handlers = {
        handshake(socket: Socket<Connection>, isDone: boolean, error: Error | null): void {
          if (!isDone) onHandshake(socket, error?.message ?? "the handshake failed");
          // Bun asks for it as well; but what lets people in is checked where it can be seen.
          else if (material.verifyClient === "require" && !hasGoodCertificate(socket))
            onHandshake(socket, "no good client certificate");
          else onHandshake(socket, undefined);
        },
        /** Bun's own, which its types leave out: the context for the name that a client asks for. */
        serverName: (_listener: unknown, name: string) => material.contextFor(name),
      };
      return handlers;
    },
  };
}
