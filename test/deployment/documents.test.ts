import { expect, test } from "bun:test";

import { OPTION_NAMES, OPTIONS } from "../../src/options/table.ts";
import manifest from "../../package.json";
import { deploymentFile, programPath } from "../support/front.ts";

// What the files in docs/deployment say of the server is so.

const FLAGS = OPTION_NAMES.map((name) => `--${OPTIONS[name].flag}`);
const VARIABLES: string[] = OPTION_NAMES.map((name) => OPTIONS[name].variable);

test.each(["nginx.conf", "haproxy.cfg", "Caddyfile", "pagi-server.service"])(
  "%s: the command has options that there are",
  (name) => {
    const [, words = ""] = /pagi-server (--.*) app\.ts$/m.exec(deploymentFile(name)) ?? [];
    const flags = words.split(" ").filter((word) => word.startsWith("--"));
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter((flag) => !FLAGS.includes(flag))).toEqual([]);
    // Nobody is to be believed without a word on who.
    expect(flags).toContain("--forwarded-allow-ips");
  },
);

test("the container has Bun as the package asks for it, and variables that there are", () => {
  const text = deploymentFile("Containerfile");
  const images = [...text.matchAll(/^FROM \S+\/bun:([\d.]+)/gm)].map(([, version]) => `>=${version}`);
  expect(new Set(images)).toEqual(new Set([manifest.engines.bun]));
  const variables = [...text.matchAll(/(PAGI_\w+)=/g)].map(([, name]) => name ?? "");
  expect(variables.length).toBeGreaterThan(0);
  expect(variables.filter((name) => !VARIABLES.includes(name))).toEqual([]);
});

test("a program that a test needs and that is not installed is named, with its package", () => {
  expect(() => programPath("no-such-program", "its-package")).toThrow(
    "This test needs no-such-program: install the package its-package.",
  );
});
