import { describe, expect, test } from "bun:test";

import { createLogger, type LogLevel, type LogOutput } from "../../src/logging/logger.ts";
import { printable } from "../../src/system/escape-controls.ts";

function recorder(isTerminal = false): LogOutput & { written: string[] } {
  const written: string[] = [];
  return { written, isTerminal, write: (text) => written.push(text) };
}

function logAll(level: LogLevel, quiet = false): string[] {
  const output = recorder();
  const logger = createLogger(level, quiet, output);
  for (const type of ["debug", "info", "warn", "error"] as const) logger[type](type);
  return output.written.map((line) => line.slice(line.indexOf(" ") + 1));
}

describe("createLogger", () => {
  test("writes what is as important as its level", () => {
    expect(logAll("debug")).toEqual(["debug debug", "info info", "warn warn", "error error"]);
    expect(logAll("info")).toEqual(["info info", "warn warn", "error error"]);
    expect(logAll("warn")).toEqual(["warn warn", "error error"]);
    expect(logAll("error")).toEqual(["error error"]);
  });

  test("writes only errors when quiet", () => {
    expect(logAll("debug", true)).toEqual(["error error"]);
    expect(createLogger("debug", true).level).toBe("error");
  });

  test("begins a line with the time and the level", () => {
    const output = recorder();
    createLogger("info", false, output).info("hello");
    expect(output.written[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info hello$/);
  });

  test("writes a coloured level and no time in a terminal", () => {
    const output = recorder(true);
    createLogger("info", false, output).warn("hello");
    expect(output.written).toEqual(["\u001b[33mwarn \u001b[39m hello"]);
  });

  test("shows an error behind the message, its stack and its causes below", () => {
    const output = recorder();
    const cause = new Error("disk full");
    createLogger("info", false, output).error("GET /", new TypeError("bad", { cause }));
    const [first, ...below] = (output.written[0] ?? "").split("\n");
    expect(first).toEndWith("error GET /: TypeError: bad");
    expect(below[0]).toMatch(/^ {4}at .*logger\.test\.ts:\d+:\d+\)?$/);
    expect(below).toContain("    caused by Error: disk full");
    expect(below.every((line) => line.startsWith("    "))).toBe(true);
  });

  test("shows what is no Error", () => {
    const output = recorder();
    const { error } = createLogger("info", false, output);
    for (const thrown of ["text", null, 5, { code: 7 }, Object.create(null)]) error("threw", thrown);
    expect(output.written.map((line) => line.split("error ")[1])).toEqual([
      "threw: text",
      "threw: null",
      "threw: 5",
      "threw: { code: 7 }",
      "threw: [Object: null prototype] {}",
    ]);
  });

  test("shows the errors that an AggregateError gathers", () => {
    const output = recorder();
    createLogger("info", false, output).error("GET /", new AggregateError([new TypeError("one"), "two"]));
    const [first, ...below] = (output.written[0] ?? "").split("\n");
    expect(first).toEndWith("error GET /: AggregateError");
    expect(below.find((line) => line.startsWith("    gathers TypeError"))).toMatch(
      /^ {4}gathers TypeError: one at .*logger\.test/,
    );
    expect(below).toContain("    gathers two");
  });

  test("writes the message of what throws when it is looked at", () => {
    const output = recorder();
    const refuse = (): never => {
      throw new Error("do not look");
    };
    const withGetter = Object.defineProperty(new Error("x"), "stack", { get: refuse });
    const { error } = createLogger("info", false, output);
    for (const thrown of [withGetter, new Proxy({}, { getPrototypeOf: refuse, get: refuse })])
      error("threw", thrown);
    expect(output.written).toHaveLength(2);
    for (const line of output.written) expect(line).toEndWith("error threw: something that cannot be shown");
  });

  test("lets no message or error forge a line or steer a terminal", () => {
    const output = recorder();
    const forged = "x\n2026-01-01T00:00:00.000Z info forged\u001b[2J";
    createLogger("info", false, output).error(
      `GET /${forged}`,
      new Error(`${forged}\n    at forged (file:1:1)`),
    );
    const lines = (output.written[0] ?? "").split("\n");
    expect(lines.slice(1).every((line) => /^ {4}at (?!forged)/.test(line))).toBe(true);
    expect(output.written[0]).not.toContain("\u001b");
  });

  test("names the worker that logs", () => {
    const output = recorder();
    createLogger("info", false, output, { format: "text", worker: 3 }).info("hello");
    expect(output.written[0]).toEndWith(" info worker 3: hello");
  });

  test("json: one object a line, the stack in one key, in ASCII", () => {
    const output = recorder(true);
    const cause = new Error("disk\nfull");
    const logger = createLogger("info", false, output, { format: "json", worker: 3 });
    logger.error("GET /ä\n\u001b[2J", new TypeError("bad", { cause }));
    logger.warn("plain");
    logger.error("threw", "text");
    createLogger("info", false, output, { format: "json" }).info("in a supervisor");
    for (const line of output.written) expect(line).toMatch(/^\{[\x20-\x7e]*\}$/);
    const [withError, plain, thrown, other] = output.written.map((line): unknown => JSON.parse(line));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { pid } = process;
    expect(withError).toEqual({
      ...{ time, level: "error", pid, worker: 3, message: "GET /ä\n\u001b[2J", error: "TypeError: bad" },
      stack: expect.stringMatching(/^at [^]*logger\.test\.ts:\d+[^]*\ncaused by Error: disk\nfull\nat /),
    });
    expect(plain).toEqual({ time, level: "warn", pid, worker: 3, message: "plain" });
    expect(thrown).toEqual({ time, level: "error", pid, worker: 3, message: "threw", error: "text" });
    expect(other).toEqual({ time, level: "info", pid, message: "in a supervisor" });
  });

  test("writes equal messages each time", () => {
    const output = recorder();
    const logger = createLogger("info", false, output);
    for (let count = 0; count < 20; count++) logger.info("again");
    expect(output.written).toHaveLength(20);
  });
});

test("printable escapes control characters, separators and turns of direction", () => {
  expect(printable("a\tb\r\n\0\u007f\u009b\u2028\u202e é ☃")).toBe(
    "a\\tb\\r\\n\\x00\\x7f\\x9b\\u2028\\u202e é ☃",
  );
});
