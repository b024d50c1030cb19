import { describe, expect, test } from "bun:test";

import { readArguments } from "../../cli/arguments.ts";
import { allFlags } from "../../cli/flags.ts";
import { gather } from "../../cli/option-sources.ts";
import { helpText } from "../../cli/help.ts";
import { OptionError } from "../../src/errors.ts";

async function valuesOf(line: string): Promise<Record<string, unknown>> {
  const { application, options, commands } = await readArguments(line === "" ? [] : line.split(" "));
  return {
    ...Object.fromEntries([...options].map(([name, { value }]) => [name, value])),
    ...(application === undefined ? {} : { application }),
    ...(commands.size === 0 ? {} : { commands: [...commands] }),
  };
}

async function refusal(...argv: string[]): Promise<string> {
  const error: unknown = await readArguments(argv).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OptionError) return error.message;
  throw new Error(`expected an OptionError, got ${String(error)}`);
}

describe("readArguments reads", () => {
  const rows: [string, Record<string, unknown>][] = [
    ["", {}],
    ["app.ts", { application: "app.ts" }],
    ["--port 8080", { port: "8080" }],
    ["--port=8080", { port: "8080" }],
    ["-p 8080", { port: "8080" }],
    ["-p8080", { port: "8080" }],
    ["-p=8080", { port: "8080" }],
    ["--port -1", { port: "-1" }],
    ["-qp 80 app.ts", { quiet: true, port: "80", application: "app.ts" }],
    ["-qEnone", { quiet: true, env: "none" }],
    ["app.ts --quiet -p 1", { application: "app.ts", quiet: true, port: "1" }],
    ["--root-path=", { rootPath: "" }],
    ["--root-path=--x=y", { rootPath: "--x=y" }],
    ["--access-log -", { accessLog: "-" }],
    ["--access-log=a.log", { accessLog: "a.log" }],
    ["--no-access-log", { accessLog: false }],
    ["--no-config", { config: "off" }],
    ["--config a.ts --env-file a --env-file=b -e x", { config: "a.ts", envFile: ["a", "b"], eval: "x" }],
    ["--validate-events", { validateEvents: true }],
    ["--no-validate-events", { validateEvents: false }],
    ["--factory=false", { factory: false }],
    ["--quiet=on", { quiet: true }],
    ["-q=no", { quiet: false }],
    ["-q --quiet", { quiet: true }],
    ["-p 1 --port=1", { port: "1" }],
    ["-- --port", { application: "--port" }],
    ["-q -- -x", { quiet: true, application: "-x" }],
    ["--max-body-size 64k --write-high-watermark 1m", { maxBodySize: "64k", writeHighWatermark: "1m" }],
    ["-vh", { commands: ["version", "help"] }],
    ["--ssl-verify-client app.ts", { application: "app.ts", sslVerifyClient: "require" }],
    ["--ssl-verify-client optional app.ts", { application: "app.ts", sslVerifyClient: "optional" }],
    ["--ssl-verify-client", { sslVerifyClient: "require" }],
    ["--listen a:1 --listen ./b", { listen: ["a:1", "./b"] }],
    ["--check-config app.ts:x", { application: "app.ts:x", commands: ["checkConfig"] }],
  ];
  test.each(rows)("%p", async (line, values) => expect(await valuesOf(line)).toEqual(values));

  test("every flag of the table", async () => {
    for (const flag of allFlags()) {
      if (flag.kind !== "option") continue;
      const values = await valuesOf(
        flag.declaration.type === "boolean" ? `--${flag.name}` : `--${flag.name}=x`,
      );
      const value = flag.declaration.type === "boolean" ? true : "x";
      expect(values).toEqual({ [flag.option]: flag.declaration.repeatable ? [value] : value });
    }
  });

  test("how a flag was written", async () => {
    const { options } = await readArguments(["-p", "1", "--no-access-log"]);
    expect(options.get("port")?.written).toBe("-p");
    expect(options.get("accessLog")?.written).toBe("--no-access-log");
  });
});

describe("readArguments refuses", () => {
  const rows: [string, string][] = [
    ["--prot 80", "--prot: there is no such flag. Did you mean --port? See --help for all of them."],
    [
      "--maxBodySize=1",
      "--maxBodySize: there is no such flag. Did you mean --max-body-size? See --help for all of them.",
    ],
    [
      "--no-acess-log",
      "--no-acess-log: there is no such flag. Did you mean --no-access-log? See --help for all of them.",
    ],
    ["--port", "--port: needs a value."],
    ["-p", "-p: needs a value."],
    ["--port --quiet", "--port: needs a value. If it really begins with a dash: --port=--quiet."],
    ["--port -q", "--port: needs a value. If it really begins with a dash: --port=-q."],
    ["--no-port", "--no-port: there is no such flag. Leave --port out instead."],
    ["--no-help", "--no-help: there is no such flag. Leave --help out instead."],
    ["--no-proxy-headers", "--no-proxy-headers: there is no such flag. Use --proxy-headers off instead."],
    ["--no-lifespan", "--no-lifespan: there is no such flag. Use --lifespan off instead."],
    ["--no-access-log=x", "--no-access-log: takes no value."],
    ["--factory=maybe", "--factory: takes no value but true or false."],
    ["--help=yes", "--help: takes no value."],
    ["-p 1 --port 2", "--port: contradicts an earlier -p 1. Give it once."],
    [
      "--access-log a --no-access-log",
      "--no-access-log: contradicts an earlier --access-log a. Give it once.",
    ],
    ["--factory --no-factory", "--no-factory: contradicts an earlier --factory. Give it once."],
    ["a.ts b.ts", "b.ts: only one application can be served at a time."],
  ];
  test.each(rows)("%p", async (line, message) => {
    expect(await refusal(...line.split(" "))).toBe(message);
  });

  test("an unknown short flag", async () => {
    expect(await refusal("-x")).toStartWith("-x: there is no such flag.");
    expect(await refusal("-qx")).toStartWith("-x: there is no such flag.");
    expect(await refusal("-xyz")).toStartWith("-xyz: there is no such flag.");
  });

  test("an empty file name", async () => {
    expect(await refusal("")).toBe("'': an empty file name names no application.");
  });
});

describe("gather", () => {
  const none = new Map();

  test("puts flags before PAGI_ variables, and these before shared ones", () => {
    const flags = new Map([["port", { value: "1", written: "-p" }]] as const);
    const environment = { PAGI_PORT: "2", PORT: "3", HOST: "::", PAGI_TIMEOUT: "5s" };
    expect(gather(flags, environment)).toEqual({
      values: { host: "::", port: "1", timeout: "5s" },
      names: { host: "HOST", port: "-p", timeout: "PAGI_TIMEOUT" },
      origins: { host: "environment", port: "flag", timeout: "environment" },
    });
    expect(gather(none, environment)).toMatchObject({ values: { port: "2" }, names: { port: "PAGI_PORT" } });
    expect(gather(none, { PORT: "3" })).toMatchObject({ values: { port: "3" }, names: { port: "PORT" } });
  });

  test("takes an empty variable for none", () => {
    expect(gather(none, { PAGI_PORT: "", PORT: "3" }).values).toEqual({ port: "3" });
    expect(gather(none, { PAGI_PORT: "" }).values).toEqual({});
  });
});

describe("helpText", () => {
  test("has every flag, with its default and what 0 does", () => {
    const text = helpText().replace(/\s+/g, " ");
    for (const flag of allFlags()) expect(text).toMatch(new RegExp(`--(\\[no-\\])?${flag.name}[ ,]`));
    expect(text).toContain("-p, --port PORT TCP port to listen on; 0 takes a free port (default: 5000)");
    expect(text).toContain("--access-log FILE, --no-access-log");
    expect(text).toContain("--[no-]validate-events");
  });

  test("is at most 100 columns wide", () => {
    expect(
      Math.max(
        ...helpText()
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });
});
