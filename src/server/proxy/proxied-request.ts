import type { ConnectionInfo } from "../../exchange/transport.ts";
import type { HeaderPair } from "../../spec/values.ts";
import { ForwardedCache } from "./forwarded-cache.ts";
import type { Forwarded } from "./forwarded.ts";
import type { ServerOptions } from "../../options/resolve.ts";
import { parseTrustedProxies } from "../../options/trusted-proxies.ts";

/** A request as the client has sent it to the outermost proxy. */
export interface ProxiedRequest {
  readonly connection: ConnectionInfo;
  /** As they came, but for `host`. */
  readonly headers: HeaderPair[];
}

/** Sees through the proxies in front of the server; undefined is a request that stands as it came. */
export type ProxyReader = (connection: ConnectionInfo, headers: HeaderPair[]) => ProxiedRequest | undefined;

/**
 * Makes what reads the fields of proxies, by the options.
 *
 * @returns undefined where no proxy is to be believed.
 * @throws OptionError for a list of proxies that is none.
 */
export function createProxyReader(
  options: Pick<ServerOptions, "proxyHeaders" | "forwardedAllowIps">,
): ProxyReader | undefined {
  const { proxyHeaders: fields } = options;
  if (fields === "off") return undefined;
  const proxies = parseTrustedProxies(options.forwardedAllowIps);
  const cache = new ForwardedCache(proxies, fields);
  return (connection, headers) => {
    if (!proxies.trusts(connection.client?.[0])) return undefined;
    const said = cache.read(headers);
    if (said === undefined) return undefined;
    const secure = said.secure ?? connection.secure;
    const { server, tls } = connection;
    // A pair for each application: what was said is remembered.
    const client: ConnectionInfo["client"] =
      said.client === undefined ? connection.client : [said.client[0], said.client[1]];
    return {
      connection:
        said.prefix === undefined
          ? { secure, client, server, tls }
          : { secure, client, server, tls, rootPath: said.prefix },
      headers: withHost(headers, said, secure),
    };
  };
}

/** The headers with the host that the client has asked for, in the place of the one that the proxy has. */
function withHost(headers: HeaderPair[], { host, port }: Forwarded, secure: boolean): HeaderPair[] {
  if (host === undefined && port === undefined) return headers;
  const at = headers.findIndex(([name]) => name === "host");
  const known = host ?? headers[at]?.[1];
  if (known === undefined || known === "") return headers;
  const hasPort = known.lastIndexOf(":") > known.lastIndexOf("]");
  const needsPort = port !== undefined && !hasPort && port !== (secure ? 443 : 80);
  const field: HeaderPair = ["host", needsPort ? `${known}:${port}` : known];
  return at === -1 ? [field, ...headers] : headers.with(at, field);
}
