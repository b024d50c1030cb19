import type { OptionDeclaration } from "./option-values.ts";

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
    doc: "Believe what trusted proxies say of a request: its client, scheme, host and root path. on reads X-Forwarded-For, -Proto, -Host, -Port and -Prefix, and Forwarded (RFC 7239) where there are none of these; x-forwarded and forwarded read one kind only",
  },
  forwardedAllowIps: {
    group: "Proxy and monitoring",
    type: "string",
    default: "127.0.0.1,::1",
    placeholder: "LIST",
    flag: "forwarded-allow-ips",
    variable: "PAGI_FORWARDED_ALLOW_IPS",
    doc: "Proxies that --proxy-headers trusts: IP addresses and networks (10.0.0.0/8, fd00::/8), unix for whoever connects to a Unix socket, or * for everybody, with commas between them",
  },
  metrics: {
    group: "Proxy and monitoring",
    type: "string",
    default: "",
    placeholder: "ADDRESS",
    flag: "metrics",
    variable: "PAGI_METRICS",
    doc: "Address of a listener of its own, HOST:PORT, [IPV6]:PORT or a path, for /metrics (Prometheus), /healthz and /readyz; for all workers together",
  },
} as const satisfies Record<string, OptionDeclaration>;
