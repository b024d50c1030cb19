import { expect, test } from "bun:test";
import { isIP } from "node:net";
import { ipVersion } from "../../src/spec/ip-address.ts";

test.each([
  ["127.0.0.1", 4],
  ["255.255.255.255", 4],
  ["256.0.0.1", 0],
  ["1.2.3", 0],
  ["1.2.3.4.", 0],
  ["01.2.3.4", 0],
  ["", 0],
  [" 1.2.3.4", 0],
  ["1.2.3.4\n", 0],
  ["::", 6],
  ["::1", 6],
  ["1::", 6],
  ["2001:db8::A:b", 6],
  ["1:2:3:4:5:6:7:8", 6],
  ["1:2:3:4:5:6:7", 0],
  ["1:2:3:4:5:6:7::", 6],
  ["::2:3:4:5:6:7:8", 6],
  ["1:2:3:4::5:6:7:8", 0],
  ["1::2::3", 0],
  [":::", 0],
  [":1", 0],
  ["1:", 0],
  ["12345::", 0],
  ["::ffff:192.0.2.1", 6],
  ["1:2:3:4:5:6:192.0.2.1", 6],
  ["1:2:3:4:5:6:7:192.0.2.1", 0],
  ["192.0.2.1::", 0],
  ["::192.0.2.256", 0],
  ["::192.0.2.1:1", 0],
  ["[::1]", 0],
  ["::g", 0],
  ["::1\n", 0],
] as const)("%p is %d", (text, version) => {
  expect(ipVersion(text)).toBe(version);
  expect<number>(isIP(text)).toBe(version);
});

test("20,000 texts: as node:net says", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (seed >>> 8) % below;
  };
  const parts = [
    "",
    ":",
    "::",
    ".",
    "0",
    "1",
    "ff",
    "db8",
    "2001",
    "12345",
    "g",
    "1.2.3.4",
    "255",
    "256",
    "01",
  ];
  const versions = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const separator = random(3) === 0 ? "" : ":";
    const text = Array.from({ length: 1 + random(9) }, () => parts[random(parts.length)]).join(separator);
    const version = ipVersion(text);
    versions.add(version);
    if (version !== isIP(text)) expect(`${text} is ${version}`).toBe(`${text} is ${isIP(text)}`);
  }
  expect([...versions].sort()).toEqual([0, 4, 6]);
});
