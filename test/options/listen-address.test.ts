import { describe, expect, test } from "bun:test";

import { formatListenAddress, parseListenAddress } from "../../src/options/listen-address.ts";

describe("parseListenAddress reads", () => {
  test.each([
    ["127.0.0.1:5000", { type: "tcp", host: "127.0.0.1", port: 5000 }],
    ["0.0.0.0:0", { type: "tcp", host: "0.0.0.0", port: 0 }],
    ["localhost:80", { type: "tcp", host: "localhost", port: 80 }],
    ["app.example.org:65535", { type: "tcp", host: "app.example.org", port: 65_535 }],
    ["[::1]:5000", { type: "tcp", host: "::1", port: 5000 }],
    ["[::]:5000", { type: "tcp", host: "::", port: 5000 }],
    ["[::ffff:10.0.0.1]:1", { type: "tcp", host: "::ffff:10.0.0.1", port: 1 }],
    ["[fe80::1%eth0]:1", { type: "tcp", host: "fe80::1%eth0", port: 1 }],
    ["/run/app.sock", { type: "unix", path: "/run/app.sock" }],
    ["/run/app:1", { type: "unix", path: "/run/app:1" }],
    ["./app.sock", { type: "unix", path: "./app.sock" }],
    ["../app.sock", { type: "unix", path: "../app.sock" }],
    ["unix:app.sock", { type: "unix", path: "app.sock" }],
    ["unix:/run/app.sock", { type: "unix", path: "/run/app.sock" }],
    ["app.sock", { type: "unix", path: "app.sock" }],
    ["app", { type: "unix", path: "app" }],
    ["run/app.sock", { type: "unix", path: "run/app.sock" }],
    ["fd:3", { type: "fd", fd: 3 }],
    ["fd:web.socket", { type: "named", name: "web.socket" }],
  ] as const)("%s", (text, address) => expect(parseListenAddress(text)).toEqual(address));
});

describe("parseListenAddress refuses", () => {
  test.each([
    "",
    "5000",
    ":5000",
    "localhost",
    "LocalHost",
    "127.0.0.1",
    "*",
    "a b",
    "localhost:",
    "localhost:x",
    "localhost:65536",
    "localhost:-1",
    "::1:5000",
    "::1",
    "[::1]",
    "[::1]:",
    "[localhost]:80",
    "a b:80",
    "a/b:80",
    "http://localhost:80",
    "unix:",
    "fd:",
    "fd:a b",
    "fd:1:2",
    "/run/\0app",
  ])("%p", (text) => expect(parseListenAddress(text)).toBeUndefined());
});

test("formatListenAddress writes what is read again, and an abstract name with @", () => {
  for (const text of ["127.0.0.1:1", "[::1]:2", "unix:/a b", "fd:3"]) {
    const address = parseListenAddress(text);
    if (address === undefined || address.type === "named") throw new Error(`not read: ${text}`);
    expect(formatListenAddress(address)).toBe(text);
  }
  expect(formatListenAddress({ type: "unix", path: "\0name" })).toBe("unix:@name");
});
