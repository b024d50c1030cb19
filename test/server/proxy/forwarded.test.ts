import { describe, expect, test } from "bun:test";

import { OptionError } from "../../../src/errors.ts";
import { readForwarded } from "../../../src/server/proxy/forwarded.ts";
import type { Forwarded, ForwardedFields } from "../../../src/server/proxy/forwarded.ts";
import { parseTrustedProxies } from "../../../src/options/trusted-proxies.ts";
import type { HeaderPair } from "../../../src/spec/index.ts";

const PROXIES = parseTrustedProxies("127.0.0.1,::1,10.0.0.0/8,fd00::/8");
const EVERYBODY = parseTrustedProxies("*");

const read = (headers: HeaderPair[], fields: ForwardedFields = "on", proxies = PROXIES) =>
  readForwarded(headers, proxies, fields);
const xff = (...values: string[]) => values.map((value): HeaderPair => ["x-forwarded-for", value]);
const forwarded = (...values: string[]) => values.map((value): HeaderPair => ["forwarded", value]);

type Client = Forwarded["client"];

describe("X-Forwarded-For, from the right to the first address that is not trusted", () => {
  test.each<[value: string | string[], client: Client]>([
    ["192.0.2.1", ["192.0.2.1", 0]],
    ["  192.0.2.1\t", ["192.0.2.1", 0]],
    ["192.0.2.1:4711", ["192.0.2.1", 4711]],
    ["2001:db8::1", ["2001:db8::1", 0]],
    ["2001:DB8:0:0::0001", ["2001:db8::1", 0]],
    ["[2001:db8::1]", ["2001:db8::1", 0]],
    ["[2001:db8::1]:4711", ["2001:db8::1", 4711]],
    ["::ffff:192.0.2.1", ["192.0.2.1", 0]],
    ["[::FFFF:c000:201]:80", ["192.0.2.1", 80]],
    ["198.51.100.9, 192.0.2.1", ["192.0.2.1", 0]],
    ["192.0.2.1, 10.1.2.3", ["192.0.2.1", 0]],
    ["192.0.2.1, ::ffff:10.1.2.3, fd00::7, 127.0.0.1", ["192.0.2.1", 0]],
    [
      ["192.0.2.1", "10.1.2.3"],
      ["192.0.2.1", 0],
    ],
    [
      ["198.51.100.9", "192.0.2.1, 10.0.0.1", "10.0.0.2"],
      ["192.0.2.1", 0],
    ],
    ["192.0.2.1,, ,10.1.2.3,", ["192.0.2.1", 0]],
    // All are trusted: the outermost is the client.
    ["10.0.0.1, 10.0.0.2", ["10.0.0.1", 0]],
    // What a client claims left of itself is not read, whatever it is.
    ["garbage, 192.0.2.1", ["192.0.2.1", 0]],
    ['" , 192.0.2.1', ["192.0.2.1", 0]],
    [Array(4000).fill("x").join(",") + ",192.0.2.1", ["192.0.2.1", 0]],
    // A trusted proxy that hides its client.
    ["unknown, 10.0.0.2", ["10.0.0.2", 0]],
    ["192.0.2.1, _hidden, 10.0.0.2", ["10.0.0.2", 0]],
    ["unknown", undefined],
    // Malformed in the part that is read: ignored as a whole.
    ["garbage", undefined],
    ["192.0.2.1, garbage, 10.0.0.2", undefined],
    ["", undefined],
    [" , ,", undefined],
    ["192.0.2.256", undefined],
    ["192.0.2", undefined],
    ["0300.0.2.1", undefined],
    ["0x7f000001", undefined],
    ["192.0.2.1:0", undefined],
    ["192.0.2.1:65536", undefined],
    ["192.0.2.1:", undefined],
    ["192.0.2.1:8x", undefined],
    ["192.0.2.1:-1", undefined],
    ["192.0.2.1 10.0.0.1", undefined],
    ["[192.0.2.1]", undefined],
    ["[2001:db8::1", undefined],
    ["2001:db8::1]", undefined],
    ["[2001:db8::1]80", undefined],
    ["[2001:db8::1]:65536", undefined],
    ["fe80::1%eth0", undefined],
    ["[fe80::1%25eth0]:80", undefined],
    ['"192.0.2.1"', undefined],
    ["host.example", undefined],
    ["localhost", undefined],
    ["<script>", undefined],
  ])("%j: %j", (value, client) => {
    expect(read(xff(...[value].flat()))).toEqual(client === undefined ? {} : { client });
  });

  test("a chain of trusted proxies is followed for 64 hops, and a longer one is ignored as a whole", () => {
    const chain = (length: number) => xff(["192.0.2.1", ...Array(length).fill("10.0.0.1")].join(", "));
    expect(read(chain(63))).toEqual({ client: ["192.0.2.1", 0] });
    expect(read(chain(64))).toEqual({});
    expect(read(chain(3000))).toEqual({});
  });

  test("with everybody trusted, the leftmost is the client", () => {
    expect(read(xff("192.0.2.1, 198.51.100.9", "203.0.113.5"), "on", EVERYBODY)).toEqual({
      client: ["192.0.2.1", 0],
    });
  });
});

describe("the other X-Forwarded fields", () => {
  test.each<[name: string, value: string, said: Forwarded]>([
    ["proto", "https", { secure: true }],
    ["proto", "HTTP", { secure: false }],
    ["proto", "wss", { secure: true }],
    ["proto", "ws", { secure: false }],
    ["proto", "ftp", {}],
    ["proto", "https://", {}],
    ["proto", "constructor", {}],
    ["proto", "", {}],
    ["host", "shop.example", { host: "shop.example" }],
    ["host", "shop.example:8443", { host: "shop.example:8443" }],
    ["host", "[2001:db8::1]:8443", { host: "[2001:db8::1]:8443" }],
    ["host", "shop.example:", {}],
    ["host", "shop.example:65536", {}],
    ["host", "user@shop.example", {}],
    ["host", "shop.example/path", {}],
    ["host", "shop example", {}],
    ["host", "<b>", {}],
    ["host", "x".repeat(262), {}],
    ["port", "8443", { port: 8443 }],
    ["port", "0", {}],
    ["port", "65536", {}],
    ["port", "443x", {}],
    ["port", "0x1bb", {}],
    ["port", "99999999999999999999", {}],
    ["prefix", "/shop", { prefix: "/shop" }],
    ["prefix", "/a/b-c_d.e~f/", { prefix: "/a/b-c_d.e~f" }],
    ["prefix", "/", { prefix: "" }],
    ["prefix", "shop", {}],
    ["prefix", "//evil.example", {}],
    ["prefix", "/\\evil.example", {}],
    ["prefix", "/a//b", {}],
    ["prefix", "/a/../b", {}],
    ["prefix", "/..", {}],
    ["prefix", "/./a", {}],
    ["prefix", "/.well-known", { prefix: "/.well-known" }],
    ["prefix", "/%2e%2e", {}],
    ["prefix", "/a?b", {}],
    ["prefix", "/a b", {}],
    ["prefix", '/"><script>', {}],
    ["prefix", "/" + "a".repeat(8000) + "!", {}],
  ])("-%s: %s", (name, value, said) => {
    expect(read([[`x-forwarded-${name}`, value]])).toEqual(said);
  });

  test("each counts by itself: a bad one takes nothing from the others", () => {
    expect(
      read([
        ["x-forwarded-for", "192.0.2.1"],
        ["x-forwarded-proto", "gopher"],
        ["x-forwarded-host", "a b"],
        ["x-forwarded-port", "8443"],
        ["x-forwarded-prefix", "/x"],
      ]),
    ).toEqual({ client: ["192.0.2.1", 0], port: 8443, prefix: "/x" });
  });

  test.each<[list: string, addresses: string, secure: boolean]>([
    // The entry as far from the right as the client's.
    ["https, http", "192.0.2.1, 10.0.0.1", true],
    ["http, https", "192.0.2.1", true],
    // Forged on the left, behind the client's own.
    ["https, http", "198.51.100.9, 192.0.2.1", false],
    ["https, http, http", "198.51.100.9, 192.0.2.1, 10.0.0.1", false],
    // Proxies that replace the list.
    ["https", "192.0.2.1, 10.0.0.1, 10.0.0.2", true],
    // Without addresses to follow, what the nearest proxy says.
    ["https, http", "", false],
    ["https, http", "garbage", false],
  ])("lists: proto %j with for %j is https: %p", (list, addresses, secure) => {
    expect(read([...xff(addresses), ["x-forwarded-proto", list]])?.secure).toBe(secure);
  });
});

describe("Forwarded: RFC 7239", () => {
  test.each<[value: string | string[], said: Forwarded | undefined]>([
    ["for=192.0.2.1", { client: ["192.0.2.1", 0] }],
    ["For=192.0.2.1", { client: ["192.0.2.1", 0] }],
    ['for="192.0.2.1:47011"', { client: ["192.0.2.1", 47011] }],
    ['for="[2001:db8:cafe::17]:4711"', { client: ["2001:db8:cafe::17", 4711] }],
    ['for="[2001:db8:cafe::17]"', { client: ["2001:db8:cafe::17", 0] }],
    ['for="192.0.2.1:_port"', { client: ["192.0.2.1", 0] }],
    [
      "for=192.0.2.60;proto=http;by=203.0.113.43;host=shop.example",
      { client: ["192.0.2.60", 0], secure: false, host: "shop.example" },
    ],
    [
      'for=192.0.2.60 ; proto=HTTPS ;host="shop.example:8443"',
      { client: ["192.0.2.60", 0], secure: true, host: "shop.example:8443" },
    ],
    ['for=192.0.2.1;secret="a, b; c=d"', { client: ["192.0.2.1", 0] }],
    ["for=192.0.2.1;", { client: ["192.0.2.1", 0] }],
    // From the right to the first that is not trusted; what its element says is what counts.
    [
      "for=198.51.100.9;proto=https, for=192.0.2.43;proto=http, for=10.0.0.1;proto=https",
      { client: ["192.0.2.43", 0], secure: false },
    ],
    [["for=198.51.100.9", "for=192.0.2.43", "for=10.0.0.1, for=10.0.0.2"], { client: ["192.0.2.43", 0] }],
    ["for=10.0.0.1;host=a, for=10.0.0.2;host=b", { client: ["10.0.0.1", 0], host: "a" }],
    // A proxy that says nothing of its client, or hides it.
    ["proto=https;host=shop.example", { secure: true, host: "shop.example" }],
    ["for=unknown;proto=https", { secure: true }],
    ["for=192.0.2.1, for=_gazonk;proto=https, for=10.0.0.1", { client: ["10.0.0.1", 0], secure: true }],
    // Whatever a client puts before it.
    ["garbage, for=192.0.2.1", { client: ["192.0.2.1", 0] }],
    ['for=", for=192.0.2.1', { client: ["192.0.2.1", 0] }],
    ['for=", for="[2001:db8::1]"', { client: ["2001:db8::1", 0] }],
    ['for="x\\", for=192.0.2.1', { client: ["192.0.2.1", 0] }],
    [['for="', "for=192.0.2.1"], { client: ["192.0.2.1", 0] }],
    [Array(3000).fill("for=x").join(",") + ",for=192.0.2.1", { client: ["192.0.2.1", 0] }],
    // Quoted pairs mean the char behind the backslash (RFC 9110 section 5.6.4).
    ['for="192.0.2\\.1";host="\\shop.example"', { client: ["192.0.2.1", 0], host: "shop.example" }],
    ['for=192.0.2.1;x="a\\", for=192.0.2.2;y=\\\\"', { client: ["192.0.2.1", 0] }],
    ['for=192.0.2.9, for=192.0.2.1;x="a, \\", for=192.0.2.2"', { client: ["192.0.2.1", 0] }],
    ['for=192.0.2.9, for=192.0.2.1;x="a\\\\"', { client: ["192.0.2.1", 0] }],
    ['for=192.0.2.1;;proto=https; ;host="a"', { client: ["192.0.2.1", 0], secure: true, host: "a" }],
    // Malformed, or no sense in it: ignored as a whole.
    ["garbage", undefined],
    ['for="192.0.2.1\\"', undefined],
    ['for=192.0.2.9, for="192.0.2.1"x', undefined],
    ["for=192.0.2.1, garbage, for=10.0.0.1", undefined],
    ["for=2001:db8::1", undefined],
    ["for=[2001:db8::1]", undefined],
    ['for="[fe80::1%eth0]"', undefined],
    ['for="192.0.2.1:65536"', undefined],
    ['for="192.0.2.1:0"', undefined],
    ["for=192.0.2.256", undefined],
    ["for=host.example", undefined],
    ["for=", undefined],
    ['for=""', undefined],
    ['for="192.0.2.1', undefined],
    ["for = 192.0.2.1", undefined],
    ["for=192.0.2.1 proto=https", undefined],
    ["for=192.0.2.1;for=192.0.2.2", undefined],
    ["for=192.0.2.1;FOR=192.0.2.1", undefined],
    ["for=192.0.2.1;proto=gopher", undefined],
    ["for=192.0.2.1;proto=constructor", undefined],
    ['for=192.0.2.1;host="a b"', undefined],
    ['for=192.0.2.1;host="a/b"', undefined],
    ["", undefined],
    [", ,", undefined],
    [Array(65).fill("for=10.0.0.1").join(","), undefined],
  ])("%j", (value, said) => {
    expect(read(forwarded(...[value].flat()))).toEqual(said);
  });

  const both: HeaderPair[] = [
    ["forwarded", "for=192.0.2.2;proto=https;host=standard.example"],
    ["x-forwarded-for", "192.0.2.1"],
  ];
  test.each<[fields: ForwardedFields, headers: HeaderPair[], said: Forwarded | undefined]>([
    ["on", both, { client: ["192.0.2.1", 0] }],
    ["x-forwarded", both, { client: ["192.0.2.1", 0] }],
    ["forwarded", both, { client: ["192.0.2.2", 0], secure: true, host: "standard.example" }],
    ["on", both.slice(0, 1), { client: ["192.0.2.2", 0], secure: true, host: "standard.example" }],
    ["on", [["x-forwarded-for", "garbage"], ...both.slice(0, 1)], {}],
    ["x-forwarded", both.slice(0, 1), undefined],
    ["forwarded", both.slice(1), undefined],
    ["on", [], undefined],
  ])("--proxy-headers %s never mixes the two kinds: %j", (fields, headers, said) => {
    expect(read(headers, fields)).toEqual(said);
  });
});

test("whatever it is given, it throws nothing and says only what is safe", () => {
  const alphabet = '192.0,;:="[]_ab\\/%\t fortphs\x80';
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const names = [
    "forwarded",
    ...["for", "proto", "host", "port", "prefix"].map((each) => `x-forwarded-${each}`),
  ];
  let read = 0;
  for (let round = 0; round < 20_000; round++) {
    const headers = names.map((name): HeaderPair => {
      const text = Array.from({ length: random(24) }, () => alphabet[random(alphabet.length)]).join("");
      return [name, random(3) === 0 ? `for=${text}` : text];
    });
    for (const fields of ["on", "forwarded"] as const) {
      const said = readForwarded(headers, random(2) === 0 ? PROXIES : EVERYBODY, fields);
      if (said !== undefined) read++;
      expect(said?.client?.[0] ?? "1").toMatch(/^[\da-f.:]+$/);
      expect(said?.prefix ?? "").toMatch(/^(?:\/[\w.~-]+)*$/);
      expect(said?.host ?? "").not.toMatch(/[\s/@"\\<>]/);
    }
  }
  expect(read).toBeGreaterThan(100);
});

describe("--forwarded-allow-ips", () => {
  test.each<[list: string, address: string | undefined, trusted: boolean]>([
    ["127.0.0.1,::1", "127.0.0.1", true],
    ["127.0.0.1,::1", "::1", true],
    ["127.0.0.1,::1", "127.0.0.2", false],
    ["127.0.0.1,::1", undefined, false],
    [" 10.0.0.0/8 , 192.168.1.1 ", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "2001:db8::1", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["0.0.0.0/0", "203.0.113.1", true],
    ["0.0.0.0/0", undefined, false],
    ["unix", undefined, true],
    ["unix", "127.0.0.1", false],
    ["*", "203.0.113.1", true],
    ["*", undefined, true],
    ["127.0.0.1", "-", false],
  ])("%j trusts %j: %p", (list, address, trusted) => {
    expect(parseTrustedProxies(list).trusts(address)).toBe(trusted);
  });

  test.each<[list: string, problem: RegExp]>([
    ["", /names nobody/],
    [" , ", /names nobody/],
    ["localhost", /"localhost" is none of these/],
    ["127.0.0.1, proxy.example", /"proxy.example" is none of these/],
    ["10.0.0/8", /"10.0.0\/8" is none of these/],
    ["10.0.0.0/33", /10.0.0.0\/33, but a prefix of IPv4 has 32 bits at most/],
    ["::/129", /prefix of IPv6 has 128 bits/],
    ["10.0.0.0/", /none of these/],
    ["10.0.0.0/8/8", /none of these/],
    ["10.0.0.0/-1", /none of these/],
    ["fe80::1%eth0", /none of these/],
    ["127.0.0.1 ::1", /none of these/],
  ])("%j is refused", (list, problem) => {
    expect(() => parseTrustedProxies(list, "--forwarded-allow-ips")).toThrow(OptionError);
    expect(() => parseTrustedProxies(list, "--forwarded-allow-ips")).toThrow(problem);
  });
});
