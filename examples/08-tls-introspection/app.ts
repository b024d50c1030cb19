import { dispatch } from "pagi-server";
import type { TlsExtension } from "pagi-server";

/** Tells its client what the server knows of the encryption between them. */
export default dispatch({
  async http(scope, _receive, send) {
    // Only encrypted connections have the extension. Behind a proxy that speaks TLS, the server itself does not.
    const { tls } = scope.extensions;
    const text = tls === undefined ? "This connection is not encrypted by this server.\n" : report(tls);
    await send({
      type: "http.response.start",
      status: 200,
      headers: [["content-type", "text/plain; charset=utf-8"]],
    });
    await send({ type: "http.response.body", body: text });
  },
});

function report(tls: TlsExtension): string {
  const lines = {
    "TLS version": hex(tls.tls_version),
    "cipher suite": hex(tls.cipher_suite),
    "client certificate": tls.client_cert_name ?? "none",
    "its problem": tls.client_cert_error ?? "none",
    "its chain": `${tls.client_cert_chain.length} certificates`,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

/** The numbers are those of the TLS registry at IANA, where they are written like this. */
function hex(number: number | null): string {
  return number === null ? "unknown" : `0x${number.toString(16).padStart(4, "0")}`;
}
