import { expect, test } from "bun:test";
import { parseTrustedProxies } from "../../../src/options/trusted-proxies.ts";
import { ForwardedCache } from "../../../src/server/proxy/forwarded-cache.ts";
import { readForwarded } from "../../../src/server/proxy/forwarded.ts";
import { createProxyReader } from "../../../src/server/proxy/proxied-request.ts";
import type { HeaderPair, Headers } from "../../../src/spec/values.ts";
import { random } from "../../support/http1-rows.ts";

const SEED = 7239;

const NAMES = [
  ...["x-forwarded-for", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"],
  ...["x-forwarded-prefix", "forwarded", "x-forwarded", "x-real-ip", "from", "host"],
];
const VALUES = [
  ...[
    "192.0.2.1",
    "192.0.2.1, 10.0.0.1",
    "203.0.113.9, 192.0.2.1",
    "2001:db8::1",
    "unknown",
    "https",
    "http",
    "8443",
  ],
  ...[
    "example.com",
    "example.com:80",
    "/app",
    "for=192.0.2.1;proto=https",
    "for=192.0.2.1, for=10.0.0.1",
    "",
    "?",
  ],
  // Alike to a hash of the ends.
  ...["192.0.2.1, 198.51.100.100, 10.0.0.1, 10.0.0.2", "192.0.2.3, 198.51.100.100, 10.0.0.1, 10.0.0.2"],
];

test(`what is remembered is what would be read (seed ${SEED})`, () => {
  const next = random(SEED);
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(next() * items.length)];
  const proxies = parseTrustedProxies("10.0.0.0/8");
  for (const fields of ["on", "x-forwarded", "forwarded"] as const) {
    const cache = new ForwardedCache(proxies, fields);
    const usual: Headers[] = [];
    for (let round = 0; round < 20_000; round++) {
      let headers = next() < 0.6 ? pick(usual) : undefined;
      headers ??= Array.from({ length: Math.floor(next() * 5) }, (): HeaderPair => [
        pick(NAMES) ?? "",
        pick(VALUES) ?? "",
      ]);
      if (next() < 0.1) usual[round % 50] = headers;
      else if (next() < 0.05) for (const pair of headers) if (next() < 0.3) pair[1] = pick(VALUES) ?? "";
      const wanted = readForwarded(headers, proxies, fields);
      const read = cache.read(headers);
      if (!Bun.deepEquals(read, wanted, true))
        expect({ fields, headers, read }).toEqual({ fields, headers, read: wanted });
    }
  }
});

test("an application that changes its client changes no other request's", () => {
  const read = createProxyReader({ proxyHeaders: "on", forwardedAllowIps: "127.0.0.1" });
  const connection = {
    secure: false,
    client: ["127.0.0.1", 1],
    server: ["127.0.0.1", 2],
    tls: undefined,
  } as const;
  for (let i = 0; i < 4; i++) {
    const client = read?.(connection, [["x-forwarded-for", "192.0.2.1"]])?.connection.client;
    expect(client).toEqual(["192.0.2.1", 0]);
    Reflect.set(client ?? [], 0, "changed");
  }
});
