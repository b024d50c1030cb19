import { afterEach, describe, expect, test } from "bun:test";

import { OptionError } from "../../src/errors.ts";
import { declarationOf, type GivenOptions, isOptionName, OPTION_NAMES } from "../../src/options/table.ts";
import { accepts } from "../../src/options/value-check.ts";
import { parseOptions } from "../../src/options/schema.ts";
import { defaultOptions, resolveOptions } from "../../src/options/resolve.ts";

const mode = process.env["PAGI_ENV"];

afterEach(() => {
  if (mode === undefined) delete process.env["PAGI_ENV"];
  else process.env["PAGI_ENV"] = mode;
});

async function refusal(given: object, names: Record<string, string> = {}): Promise<OptionError> {
  const error: unknown = await resolveOptions(given, names).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OptionError) return error;
  throw new Error(`expected an OptionError, got ${String(error)}`);
}

describe("the table", () => {
  test("names every flag, short flag and variable once", () => {
    const declarations = OPTION_NAMES.map(declarationOf);
    const names = declarations.flatMap(({ flag, aliases = [] }) => [flag, ...aliases]);
    const shorts = declarations.flatMap(({ short }) => (short === undefined ? [] : [short]));
    const variables = declarations.flatMap(({ variable, weakVariable }) =>
      [variable, weakVariable ?? []].flat(),
    );
    for (const list of [names, [...shorts, "h", "v"], variables])
      expect(new Set(list).size).toBe(list.length);
  });

  test("derives flag and variable from the name of the option", () => {
    for (const name of OPTION_NAMES) {
      const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(declarationOf(name).flag).toBe(kebab);
      expect<string>(declarationOf(name).variable).toBe(`PAGI_${kebab.replaceAll("-", "_").toUpperCase()}`);
    }
  });

  test("has defaults that its own checks accept", () => {
    for (const env of ["development", "production", "none"] as const) {
      const options = defaultOptions(env);
      expect(parseOptions(options)).toEqual(options);
      for (const name of OPTION_NAMES)
        for (const each of [options[name]].flat()) expect(accepts(declarationOf(name), each)).toBe(true);
    }
  });

  test("gives every limit and timer a reason", () => {
    for (const name of OPTION_NAMES) {
      const { group, reason } = declarationOf(name);
      if (group === "Limits" || group === "Timeouts" || group === "Flow control") expect(reason).toBeString();
    }
  });

  test("refers only to options that exist", () => {
    for (const name of OPTION_NAMES) {
      const option = declarationOf(name);
      if ("atMost" in option && option.atMost !== undefined) expect(isOptionName(option.atMost)).toBe(true);
    }
  });
});

describe("defaultOptions", () => {
  test("are frozen", () => {
    expect(Object.isFrozen(defaultOptions())).toBe(true);
  });

  test("validate and log in development only", () => {
    expect(defaultOptions("development")).toMatchObject({
      env: "development",
      validateEvents: true,
      accessLog: true,
    });
    expect(defaultOptions("production")).toMatchObject({ validateEvents: false, accessLog: false });
    expect(defaultOptions("none")).toMatchObject({ env: "none", validateEvents: false, accessLog: false });
    expect(defaultOptions()).toEqual(defaultOptions("production"));
  });

  test("are those that are promised", () => {
    expect(defaultOptions()).toMatchObject({
      host: "127.0.0.1",
      port: 5000,
      maxRequestLine: 8192,
      maxHeaderSize: 16_384,
      maxHeaderCount: 100,
      maxBodySize: 10_000_000,
      maxConnections: 1000,
      headerTimeout: 15,
      timeout: 75,
      bodyTimeout: 30,
      requestTimeout: 0,
      writeTimeout: 60,
      sseIdleTimeout: 0,
      halfCloseGrace: 1,
      shutdownTimeout: 30,
      writeHighWatermark: 65_536,
      writeLowWatermark: 16_384,
    });
  });
});

describe("resolveOptions", () => {
  test("of nothing are the defaults of the mode, frozen", async () => {
    process.env["PAGI_ENV"] = "none";
    const options = await resolveOptions();
    expect(options).toEqual(defaultOptions("none"));
    expect(Object.isFrozen(options)).toBe(true);
  });

  test("take what is given, numbers and text", async () => {
    const options = await resolveOptions({
      env: "production",
      port: "8080",
      timeout: "2m",
      headerTimeout: 0.5,
      maxBodySize: "64k",
      accessLog: "access.log",
      host: undefined,
    });
    expect(options).toEqual({
      ...defaultOptions("production"),
      port: 8080,
      timeout: 120,
      headerTimeout: 0.5,
      maxBodySize: 65_536,
      accessLog: "access.log",
    });
  });

  test("let the mode decide defaults, and a given value decide over the mode", async () => {
    expect(await resolveOptions({ env: "development", validateEvents: false })).toMatchObject({
      validateEvents: false,
      accessLog: true,
    });
  });

  test("prefer the given mode to PAGI_ENV, and PAGI_ENV to the terminal", async () => {
    process.env["PAGI_ENV"] = "development";
    expect((await resolveOptions()).env).toBe("development");
    expect((await resolveOptions({ env: "production" })).env).toBe("production");
  });

  test("name PAGI_ENV when that is what is wrong", async () => {
    process.env["PAGI_ENV"] = "staging";
    const error = await refusal({});
    expect(error.option).toBe("PAGI_ENV");
    expect(error.message).toBe(`PAGI_ENV: must be one of development, production, none, but is "staging".`);
  });

  test("refuse an unknown name, and name the nearest one", async () => {
    const error = await refusal({ prot: 1 });
    expect(error.option).toBe("prot");
    expect(error.message).toBe("prot: there is no such option. Did you mean port?");
  });

  const refused: [GivenOptions, string][] = [
    [{ port: 65_536 }, "port: must be a port from 0 to 65535, but is 65536."],
    [{ port: -1 }, "port: must be a port from 0 to 65535, but is -1."],
    [{ port: "http" }, 'port: must be a port from 0 to 65535, but is "http".'],
    [{ port: 80.5 }, "port: must be a port from 0 to 65535, but is 80.5."],
    [{ port: null }, "port: must be a port from 0 to 65535, but is null."],
    [{ maxHeaderCount: 0 }, "maxHeaderCount: must be a whole number of at least 1, but is 0."],
    [
      { maxBodySize: "10q" },
      'maxBodySize: must be a size in bytes of at least 0, such as 8192, 64k or 10m, but is "10q".',
    ],
    [
      { maxBodySize: "1.0001k" },
      'maxBodySize: must be a size in bytes of at least 0, such as 8192, 64k or 10m, but is "1.0001k".',
    ],
    [
      { timeout: "soon" },
      'timeout: must be a duration from 0s to 2147483s, such as 30, 500ms or 2m, but is "soon".',
    ],
    [
      { timeout: NaN },
      "timeout: must be a duration from 0s to 2147483s, such as 30, 500ms or 2m, but is NaN.",
    ],
    [
      { timeout: "30d" },
      'timeout: must be a duration from 0s to 2147483s, such as 30, 500ms or 2m, but is "30d".',
    ],
    [{ lifespan: "maybe" }, 'lifespan: must be one of auto, on, off, but is "maybe".'],
    [{ quiet: 3 }, "quiet: must be true or false, but is 3."],
    [{ host: "" }, 'host: must be a host name or an IP address, without brackets, but is "".'],
    [
      { rootPath: "api/" },
      'rootPath: must be empty, or begin with a slash and end without one, but is "api/".',
    ],
    [
      { accessLog: ["a"] },
      "accessLog: must be the path of a file, - for standard error, or off for no log; in a program also true or false, but is a list.",
    ],
    [{ factory: () => true }, "factory: must be true or false, but is a function."],
    [{ host: "[::1]" }, 'host: must be a host name or an IP address, without brackets, but is "[::1]".'],
    [{ host: {} }, "host: must be a host name or an IP address, without brackets, but is an object."],
  ];
  test.each(refused)("refuse %j", async (given, message) => {
    expect((await refusal(given)).message).toBe(message);
  });

  test("name an option as its user wrote it", async () => {
    for (const written of ["--port", "-p", "PAGI_PORT", "PORT"]) {
      const error = await refusal({ port: "x" }, { port: written });
      expect(error.option).toBe(written);
      expect(error.message).toStartWith(`${written}: `);
    }
  });

  test("repeat no more than the beginning of a long value", async () => {
    expect((await refusal({ port: "9".repeat(500) + "x" })).message.length).toBeLessThan(150);
  });

  test("refuse an access log format that cannot be compiled", async () => {
    const { message } = await refusal(
      { accessLogFormat: "%Z" },
      { accessLogFormat: "PAGI_ACCESS_LOG_FORMAT" },
    );
    expect(message).toStartWith("PAGI_ACCESS_LOG_FORMAT: has the unknown atom '%Z'");
  });

  test("refuse what is no object", () => {
    expect(() => parseOptions("port")).toThrow('options: must be an object, but are "port".');
  });
});

describe("the watermarks", () => {
  test("may be equal", async () => {
    expect(await resolveOptions({ writeLowWatermark: 65_536 })).toMatchObject({ writeLowWatermark: 65_536 });
  });

  test("are refused the wrong way round, both by name", async () => {
    const given = { writeLowWatermark: "64k", writeHighWatermark: "32k" };
    const names = {
      writeLowWatermark: "--write-low-watermark",
      writeHighWatermark: "PAGI_WRITE_HIGH_WATERMARK",
    };
    expect((await refusal(given, names)).message).toBe(
      "--write-low-watermark: must not be above PAGI_WRITE_HIGH_WATERMARK (32k); lower this, or raise that.",
    );
  });

  test("are refused when one of them is a default", async () => {
    expect((await refusal({ writeLowWatermark: "1m" })).message).toBe(
      "writeLowWatermark: must not be above writeHighWatermark (by default 64k); lower this, or raise that.",
    );
    expect((await refusal({ writeHighWatermark: "8k" })).message).toBe(
      "writeHighWatermark: must not be below writeLowWatermark (by default 16k); lower that as well, or raise this.",
    );
  });
});

describe("the short way past the schema", () => {
  test("does without zod", () => {
    const script = `
      const { resolveOptions } = await import("./src/options/resolve.ts");
      await resolveOptions({ port: "0", timeout: "30s", lifespan: "off", quiet: true });
      console.log(Object.keys(require.cache).some((file) => file.includes("/zod/")));
    `;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { cwd: `${import.meta.dir}/../..` });
    expect(stdout.toString().trim()).toBe("false");
  });
});
