import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { readArguments } from "../../cli/arguments.ts";
import { allFlags, isNegatable, takesValue } from "../../cli/flags.ts";
import { SYNONYMS, synonymOf } from "../../cli/synonyms.ts";
import { misspeltVariables } from "../../cli/variables.ts";
import { OptionError } from "../../src/errors.ts";
import { declarationOf, OPTION_NAMES } from "../../src/options/table.ts";
import { Folder, Program } from "../support/program.ts";

// Words that other servers and the reference implementation have, slips, and values that are empty.

setDefaultTimeout(20_000);

async function refusal(...argv: string[]): Promise<string> {
  const error: unknown = await readArguments(argv).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OptionError) return error.message;
  throw new Error(`expected an OptionError, got ${String(error)}`);
}

describe("flags of the reference implementation", () => {
  test.each([
    [["-a", "app.ts"], "app.ts"],
    [["--app", "app.ts:x", "-q"], "app.ts:x"],
    [["--app=app.ts"], "app.ts"],
    [["-aapp.ts"], "app.ts"],
  ])("%j names the application", async (argv, application) => {
    expect(await readArguments(argv)).toMatchObject({ application });
  });

  test("--app beside FILE is one too many", async () => {
    expect(await refusal("--app", "a.ts", "b.ts")).toContain("only one application");
    expect(await refusal("-a", "a.ts", "--app", "b.ts")).toBe(
      "--app: contradicts an earlier -a a.ts. Give it once.",
    );
    expect(await refusal("--app", "")).toContain("empty");
  });

  test("-b and --listener-backlog are --backlog", async () => {
    for (const argv of [["-b", "7"], ["-b7"], ["--listener-backlog", "7"], ["--backlog", "7"]]) {
      const { options } = await readArguments(argv);
      expect(options.get("backlog")?.value).toBe("7");
    }
  });

  test("-s takes this server, and no other", async () => {
    for (const name of ["PAGI::Server", "pagi-server"])
      expect(await readArguments(["-s", name, "a.ts"])).toMatchObject({ application: "a.ts", notices: [] });
    expect(await refusal("--server", "Starman")).toBe(
      "--server: there is one server, pagi-server, and not 'Starman'. Leave it out.",
    );
  });

  test("-l has no effect, which is a warning", async () => {
    expect(await readArguments(["-l", "EV", "a.ts"])).toMatchObject({
      application: "a.ts",
      notices: ["-l EV is ignored: Bun has one event loop"],
    });
    using folder = new Folder({ "app.ts": "export default async () => {};" });
    await using program = Program.serve(folder, ["-p", "0", "-w", "2", "--loop", "EV", "app.ts"]);
    await program.address();
    expect(program.stderr.match(/warn --loop EV is ignored/g)).toHaveLength(1);
  });

  test("a bare name for --listen is a Unix socket", async () => {
    using folder = new Folder({
      "app.ts": `export default async (scope, receive, send) => {
        if (scope.type !== "http") throw new Error(scope.type);
        await send({ type: "http.response.start", status: 204 });
        await send({ type: "http.response.body", body: "" });
      };`,
    });
    await using program = Program.serve(folder, ["app.ts", "--listen", "app.sock"]);
    await program.prints(/Serving app\.ts at unix:/);
    expect(fs.statSync(folder.file("app.sock")).isSocket()).toBe(true);
    expect((await fetch("http://a/", { unix: folder.file("app.sock") })).status).toBe(204);
  });
});

describe("flags of other servers", () => {
  test.each([
    ["--bind", "Use --listen instead."],
    ["--uds", "Use --socket instead."],
    ["--fd", "Use --listen fd:NUMBER instead."],
    ["--graceful-timeout", "Use --shutdown-timeout instead."],
    ["--timeout-graceful-shutdown", "Use --shutdown-timeout instead."],
    ["--reload-dir", "Use --reload-include instead. The application's directory is watched by itself."],
    ["--worker-class", "Bun has one event loop, one HTTP parser and one kind of worker; leave it out."],
    ["--ssl-certfile", "Use --ssl-cert instead."],
    ["--limit-concurrency", "Use --max-connections instead."],
    ["--no-server-header", "No Server header is sent unless the application sets one."],
    ["--no-default-middleware", "Use --no-validate-events instead."],
    ["--no-ws-per-message-deflate", "Use --no-ws-compression instead."],
    ["--no-watch", "Use --no-reload instead."],
    ["--no-trust-proxy", "Leave it out, or use --proxy-headers."],
    ["--no-keep-alive", "Leave it out, or use --timeout."],
    ["--no-debug", "Leave it out."],
    ["--header", "Response headers are set by the application, or by a middleware around it."],
    ["--no-sendfile", "Files are always sent without blocking; leave it out."],
    ["--Bind", "Use --listen instead."],
    ["-c", "Use --config instead."],
    ["-k", "Bun has one event loop, one HTTP parser and one kind of worker; leave it out."],
    ["-M", "Use --preload instead."],
  ])("%s", async (written, advice) => {
    expect(await refusal(written, "x")).toBe(`${written}: there is no such flag. ${advice}`);
    if (written.startsWith("--"))
      expect(await refusal(`${written}=x`)).toBe(`${written}: there is no such flag. ${advice}`);
  });

  test("what they are told to use exists, and none of them does", () => {
    const flags = allFlags();
    const names = flags.flatMap((flag) => {
      const own = [flag.name, ...flag.aliases];
      return isNegatable(flag) ? [...own, ...own.map((name) => `no-${name}`)] : own;
    });
    for (const [name, { flag, note }] of Object.entries(SYNONYMS)) {
      expect(names).not.toContain(name);
      expect(flag ?? note).toBeString();
      if (flag === undefined) continue;
      const [ours = "", value] = flag.split(" ");
      expect(names).toContain(ours);
      const found = flags.find((each) => each.name === ours);
      if (value !== undefined && found !== undefined) expect(takesValue(found)).toBe(true);
    }
  });

  test("what nobody has is no synonym", () => {
    for (const written of ["--nonsense", "--constructor", "--no-", "-z", "--toString"])
      expect(synonymOf(written, () => false)).toBeUndefined();
  });

  test.each([
    [
      ["-b", "0.0.0.0:8000"],
      "-b: does not take '0.0.0.0:8000'. An address to listen at is given with --listen.",
    ],
    [
      ["-b", "unix:/run/x"],
      "-b: does not take 'unix:/run/x'. An address to listen at is given with --listen.",
    ],
    [["-p", "/run/x.pid"], "-p: does not take '/run/x.pid'. A file for the process id is given with --pid."],
    [["-p./x.pid"], "-p: does not take './x.pid'. A file for the process id is given with --pid."],
  ])("a value that belongs to theirs: %j", async (argv, message) => {
    expect(await refusal(...argv)).toBe(message);
  });
});

describe("empty and zero values", () => {
  test("an empty value is refused by every flag that does not say itself that it takes one", async () => {
    const accepted: string[] = [];
    for (const flag of allFlags().filter(takesValue)) {
      for (const argv of [[`--${flag.name}`, ""], [`--${flag.name}=`]]) {
        const message = await refusal(...argv).catch(() => "");
        if (message === "") accepted.push(flag.name);
        // What follows a flag that needs no value is a file.
        else expect(message).toMatch(/^--[\w-]+: needs a value|^'': an empty file name/);
      }
    }
    expect([...new Set(accepted)].sort()).toEqual(["root-path"]);
  });

  test.each([
    [
      ["--socket", ""],
      {},
      "--socket: needs a value, and this one is empty. Leave the flag out, or give one.",
    ],
    [["--workers", "0"], {}, '--workers: must be a whole number from 1 to 1024, or auto, but is "0".'],
    [["-w", "00"], {}, '-w: must be a whole number from 1 to 1024, or auto, but is "00".'],
    [[], { PAGI_WORKERS: "0" }, 'PAGI_WORKERS: must be a whole number from 1 to 1024, or auto, but is "0".'],
    [[], { PAGI_SSL_CERT: "a.pem,,b.pem" }, 'PAGI_SSL_CERT: must be text that is not empty, but is "".'],
  ])("%j %j is refused", async (words, environment, message) => {
    using folder = new Folder({ "app.ts": "" });
    await using program = Program.serve(folder, ["app.ts", ...words], environment);
    expect([await program.ended(), program.stderr]).toEqual([2, `pagi-server: ${message}\n`]);
  });

  test("so is 0 in a configuration file; auto is one worker for each CPU", async () => {
    using folder = new Folder({ "pagi.config.ts": "export default { workers: 0 };" });
    await using zero = Program.serve(folder, ["--print-config"]);
    expect(await zero.ended()).toBe(2);
    expect(zero.stderr).toContain("workers: must be a whole number from 1 to 1024, or auto, but is 0.");
    fs.writeFileSync(
      folder.file("app.ts"),
      "export default async (scope) => { throw new Error(scope.type); };",
    );
    fs.writeFileSync(folder.file("pagi.config.ts"), `export default { workers: "auto" };`);
    await using auto = Program.serve(folder, ["app.ts", "-p", "0"]);
    await auto.address();
    expect(auto.stderr.match(/worker \d+ \(pid \d+\) is ready/g)).toHaveLength(navigator.hardwareConcurrency);
  });
});

describe("variables", () => {
  test.each([
    ["PAGI_PROT", "PAGI_PORT"],
    ["PAGI_PORTS", "PAGI_PORT"],
    ["PAGI_WORKER", "PAGI_WORKERS"],
    ["PAGI_MAXBODYSIZE", "PAGI_MAX_BODY_SIZE"],
    ["PAGI_ACCES_LOG", "PAGI_ACCESS_LOG"],
    ["PAGI_LOGLEVEL", "PAGI_LOG_LEVEL"],
    ["PAGI_SHUTDOWN_TIMOUT", "PAGI_SHUTDOWN_TIMEOUT"],
    ["pagi_port", "PAGI_PORT"],
    ["PAGI-PORT", "PAGI_PORT"],
    // Words of other servers.
    ["PAGI_BIND", "PAGI_LISTEN"],
    ["PAGI_UDS", "PAGI_SOCKET"],
    ["PAGI_KEEP_ALIVE", "PAGI_TIMEOUT"],
    ["PAGI_GRACEFUL_TIMEOUT", "PAGI_SHUTDOWN_TIMEOUT"],
    ["pagi_ssl_certfile", "PAGI_SSL_CERT"],
  ])("%s is probably %s", (name, meant) => {
    expect(misspeltVariables({ [name]: "1" })).toEqual([
      `${name} sets nothing; there is no such variable. Did you mean ${meant}?`,
    ]);
  });

  test("ours, and an application's own, are no slips", () => {
    const own = [
      "PAGI_SECRET",
      "PAGI_DATABASE_URL",
      "PAGI_SERVER_PROCESS",
      "PAGI_ARGV",
      "PAGI_KEY",
      "PAGI_LOG",
      "PAGI_DEBUG",
      "PAGI_WATCH",
      "PAGI_NAME",
      "PORT",
      "PATH",
      "PAGI",
    ];
    const ours = OPTION_NAMES.map((name) => declarationOf(name).variable);
    expect(misspeltVariables(Object.fromEntries([...own, ...ours].map((name) => [name, "1"])))).toEqual([]);
  });

  test.each([[["-w", "1"]], [["-w", "2"]]])("%j: a warning, once", async (words) => {
    using folder = new Folder({ "app.ts": "export default async () => {};", ".env": "PAGI_TIMEOT=3\n" });
    await using program = Program.serve(folder, ["app.ts", "-p", "0", ...words], { PAGI_PROT: "80" });
    await program.address();
    for (const [name, meant] of [
      ["PAGI_PROT", "PAGI_PORT"],
      ["PAGI_TIMEOT", "PAGI_TIMEOUT"],
    ])
      expect(
        program.stderr.match(new RegExp(`warn ${name} sets nothing.* Did you mean ${meant}\\?`, "g")),
      ).toHaveLength(1);
    await using quiet = Program.serve(folder, ["app.ts", "-q", "--check-config"], { PAGI_PROT: "80" });
    expect([await quiet.ended(), quiet.stderr]).toEqual([0, ""]);
  });
});

test("warnings have the format of the log", async () => {
  using folder = new Folder({ "app.ts": "export default () => async () => {};" });
  for (const workers of ["1", "2"]) {
    const words = ["app.ts", "-p", "0", "--loop", "EV", "--log-format", "json", "-w", workers];
    await using program = Program.serve(folder, words, { PAGI_PROT: "80" });
    await program.address();
    const lines = program.stderr.trimEnd().split("\n");
    const messages = lines.map((line): unknown => JSON.parse(line));
    expect(messages).toContainEqual(
      expect.objectContaining({ level: "warn", message: expect.stringContaining("PAGI_PROT") }),
    );
    expect(messages).toContainEqual(
      expect.objectContaining({ level: "error", message: expect.stringContaining("--factory") }),
    );
  }
});
