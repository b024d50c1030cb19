import { expect, test } from "bun:test";

import { defineConfig, OptionError, serve } from "../../index.ts";
import type { Config } from "../../index.ts";
import { COMMAND_LINE_OPTIONS } from "../../src/options/groups/command-line.ts";

test("defineConfig returns what it is given, and its type knows the options", () => {
  const config: Config = {
    app: "app.ts",
    port: 8080,
    workers: "auto",
    timeout: "2m",
    reloadInclude: ["*.md"],
  };
  expect(defineConfig(config)).toBe(config);
  // @ts-expect-error a key that is no option
  defineConfig({ prot: 8080 });
  // @ts-expect-error a configuration file names no other one
  defineConfig({ config: "other.ts" });
  // @ts-expect-error a list is not given as text
  defineConfig({ preload: "./trace.ts" });
});

test.each(Object.keys(COMMAND_LINE_OPTIONS))(
  "serve refuses %s, which is for the command line",
  async (name) => {
    const refused = serve(async () => {}, { port: 0, signals: false, [name]: undefined });
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(`${name}: is for the command line; a program does this itself.`);
  },
);
