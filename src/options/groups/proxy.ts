import type { OptionDeclaration } from "../declaration.ts";

/** What a proxy in front says is believed, and what monitoring is told. A part of the table of options. */
export const PROXY_OPTIONS = {
  proxyHeaders: {
    group: "Proxy and monitoring",
    type: "choice",
    choices: ["off", "on", "x-forwarded", "forwarded"],
    default: "off",
    bare: "on",
    flag: "proxy-headers",
    variable: "PAGI_PROXY_HEADERS",
    doc: "Use headers from trusted proxies for client address, scheme, host and root path. on reads X-Forwarded-For, -Proto, -Host, -Port and -Prefix, and Forwarded (RFC 7239) if none of these is present; x-forwarded and forwarded read only that kind",
  },
  forwardedAllowIps: {
    group: "Proxy and monitoring",
    type: "string",
    default: "127.0.0.1,::1",
    placeholder: "LIST",
    flag: "forwarded-allow-ips",
    variable: "PAGI_FORWARDED_ALLOW_IPS",
    doc: "Proxies that --proxy-headers trusts: IP addresses and networks (10.0.0.0/8, fd00::/8), unix for any client of a Unix socket, or * for every client, separated by commas",
  },
  metrics: {
    group: "Proxy and monitoring",
    type: "string",
    default: "",
    placeholder: "ADDRESS",
    flag: "metrics",
    variable: "PAGI_METRICS",
    doc: "Address of a separate listener, HOST:PORT, [IPV6]:PORT or a path, for /metrics (Prometheus), /healthz and /readyz; for all workers together",
  },
} as const satisfies Record<string, OptionDeclaration>;
