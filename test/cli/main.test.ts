import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const main = path.resolve(import.meta.dir, "../../cli/main.ts");

const files: Readonly<Record<string, string>> = {
  "app.ts": `
    export default async (scope, receive, send) => {
      if (scope.type !== "http") throw new Error("no " + scope.type);
      if (scope.path === "/leak") void Promise.reject(new Error("left behind"));
      await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
      await send({ type: "http.response.body", body: process.env.PAGI_ENV + " " + scope.root_path });
    };`,
  "factory.ts": "export default async () => async () => {};",
  "broken.ts": "throw new Error('no database');",
  "failing.ts": `
    export default async (scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.failed", message: "no database" });
    };`,
};

let folder = "";

beforeAll(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cli-")));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

type Environment = Readonly<Record<string, string>>;

function start(argv: readonly string[], environment: Environment = {}) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:PAGI_.*|PORT|HOST|NO_COLOR)$/.test(name),
  );
  return Bun.spawn([process.execPath, main, ...argv], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(argv: readonly string[], environment: Environment = {}) {
  const child = start(argv, environment);
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

describe("usage errors end with code 2 and one line", () => {
  const rows: [string[], Environment, string][] = [
    [["--prot", "80"], {}, "--prot: there is no such flag. Did you mean --port? See --help for all of them."],
    [["--port"], {}, "--port: needs a value."],
    [["--port", "http"], {}, '--port: must be a port from 0 to 65535, but is "http".'],
    [["-p-1"], {}, '-p: must be a port from 0 to 65535, but is "-1".'],
    [[], { PAGI_PORT: "http" }, 'PAGI_PORT: must be a port from 0 to 65535, but is "http".'],
    [[], { PORT: "http" }, 'PORT: must be a port from 0 to 65535, but is "http".'],
    [
      [],
      { PAGI_ENV: "staging" },
      'PAGI_ENV: must be one of development, production, none, but is "staging".',
    ],
    [["-E", "dev"], {}, '-E: must be one of development, production, none, but is "dev".'],
    [
      ["--write-low-watermark", "1m"],
      {},
      "--write-low-watermark: must not be above --write-high-watermark (by default 64k); lower this, or raise that.",
    ],
    [["app.ts", "other.ts"], {}, "other.ts: only one application can be served at a time."],
    [["--port\n\u001b[31m"], {}, "--port\\n\\x1b[31m: there is no such flag. See --help for all of them."],
  ];
  test.each(rows)("%j %j", async (argv, environment, message) => {
    const { code, out, err } = await run(argv, environment);
    expect(err).toBe(`pagi-server: ${message}\n`);
    expect(out).toBe("");
    expect(code).toBe(2);
  });
});

describe("failures to start end with code 1 and one line", () => {
  test("a file that does not exist", async () => {
    const { code, err } = await run(["ap.ts"]);
    expect(err).toBe("pagi-server: There is no file 'ap.ts'. Did you mean 'app.ts'?\n");
    expect(code).toBe(1);
  });

  test("a file that throws", async () => {
    const { code, err } = await run(["broken.ts"]);
    expect(err).toMatch(
      /^pagi-server: 'broken\.ts' threw while it was imported: Error: no database \(at broken\.ts:1:\d+\)\n$/,
    );
    expect(code).toBe(1);
  });

  test("an application that refuses to start", async () => {
    const { code, err } = await run(["-p0", "failing.ts"]);
    expect(err.split("\n")).toHaveLength(2);
    expect(err).toContain("no database");
    expect(code).toBe(1);
  });

  test("a port in use", async () => {
    using other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { code, err } = await run(["--lifespan", "off", "--port", String(other.port), "app.ts"]);
    expect(err).toBe(
      `pagi-server: Port ${other.port} on 127.0.0.1 is in use. Choose another with --port, or stop what listens there.\n`,
    );
    expect(code).toBe(1);
  });

  test("with the stack only at --log-level debug", async () => {
    const { code, err } = await run(["--log-level", "debug", "broken.ts"]);
    expect(err).toStartWith("pagi-server: 'broken.ts' threw");
    expect(err.split("\n").length).toBeGreaterThan(3);
    expect(err).toContain("load-application.ts");
    expect(code).toBe(1);
  });
});

describe("instead of serving", () => {
  test("--help prints the flags", async () => {
    const { code, out, err } = await run(["--help"]);
    expect(out).toStartWith("Usage: pagi-server [options] [FILE[:EXPORT]]\n");
    expect(err).toBe("");
    expect(code).toBe(0);
  });

  test("-v prints the version", async () => {
    const { version }: { version: string } = await Bun.file(
      new URL("../../package.json", import.meta.url),
    ).json();
    const { code, out } = await run(["-v"]);
    expect(out).toBe(`pagi-server ${version} (PAGI 0.3, Bun ${Bun.version})\n`);
    expect(code).toBe(0);
  });

  test("--print-config prints each option with its origin", async () => {
    const { code, out } = await run(["--print-config", "-p", "8080", "--timeout=2m", "app.ts:x"], {
      PAGI_MAX_BODY_SIZE: "64k",
      HOST: "::1",
    });
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual(["application", "app.ts:x", "argument"]);
    expect(rows).toContainEqual(["host", "::1", "environment HOST"]);
    expect(rows).toContainEqual(["port", "8080", "flag -p"]);
    expect(rows).toContainEqual(["timeout", "2m", "flag --timeout"]);
    expect(rows).toContainEqual(["maxBodySize", "64k", "environment PAGI_MAX_BODY_SIZE"]);
    expect(rows).toContainEqual(["env", "production", "default"]);
    expect(rows.every((row) => row.length === 3)).toBe(true);
    expect(code).toBe(0);
  });

  test("--check-config loads the application", async () => {
    expect(await run(["--check-config", "app.ts"])).toEqual({
      code: 0,
      out: "ok: the options are good and app.ts can be served.\n",
      err: "",
    });
    expect(await run(["--check-config", "--factory", "factory.ts"])).toMatchObject({ code: 0 });
    expect(await run(["--check-config", "."])).toMatchObject({
      code: 0,
      out: "ok: the options are good and the current directory can be served.\n",
    });
  });

  test("--check-config ends with 1 for an application that cannot be loaded, with 2 for an option", async () => {
    expect(await run(["--check-config", "broken.ts"])).toMatchObject({ code: 1, out: "" });
    expect(await run(["--check-config", "--timeout", "soon", "app.ts"])).toMatchObject({ code: 2, out: "" });
    expect(await run(["--check-config", "--access-log-format", "%Z", "app.ts"])).toMatchObject({
      code: 2,
      out: "",
    });
    expect(await run(["--check-config", "--ssl-cert", "app.ts", "app.ts"])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("--ssl-"),
    });
  });
});

describe("serving", () => {
  /** Reads standard error until the banner has come; gives the address and what was read. */
  async function banner(
    stream: ReadableStream<Uint8Array>,
  ): Promise<{ url: string; text: string; rest: Promise<string> }> {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`the server ended before it served: ${text}`);
      text += decoder.decode(value, { stream: true });
      const [, url] = /at (http:\S+) .*\n/.exec(text) ?? [];
      if (url === undefined) continue;
      const drain = async (): Promise<string> => {
        let rest = "";
        for (let next = await reader.read(); !next.done; next = await reader.read())
          rest += decoder.decode(next.value, { stream: true });
        return rest;
      };
      return { url, text, rest: drain() };
    }
  }

  test.each(["SIGTERM", "SIGINT"] as const)("answers until %s and ends with 0", async (signal) => {
    await using child = start(["-p0", "--root-path", "/api", "app.ts"]);
    const { url, text, rest } = await banner(child.stderr);
    expect(text).toContain(
      `Serving app.ts at ${url} (production, because there is no terminal; -E development changes it)\n`,
    );
    expect(await (await fetch(url)).text()).toBe("production /api");
    child.kill(signal);
    expect(await child.exited).toBe(0);
    await rest;
  });

  test("sets PAGI_ENV, says that only this machine can connect, and logs requests in development", async () => {
    await using child = start(["-E", "development", "app.ts"], { PORT: "0" });
    const { url, text, rest } = await banner(child.stderr);
    expect(text).toContain("Serving app.ts at http://127.0.0.1:");
    expect(await (await fetch(url)).text()).toBe("development ");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    const log = text + (await rest);
    expect(log).toContain("Only this machine can connect; --host 0.0.0.0 lets others in.");
    expect(log).toContain('"GET /" 200');
  });

  test("goes on when the application leaves a rejected promise", async () => {
    await using child = start(["-p0", "app.ts"]);
    const { url, rest } = await banner(child.stderr);
    expect((await fetch(new URL("leak", url))).status).toBe(200);
    expect((await fetch(url)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await rest).toContain("left behind");
  });

  test("serves the current directory when asked to", async () => {
    await using child = start(["-p0", "directory"]);
    const { url, text, rest } = await banner(child.stderr);
    expect(text).toContain("Serving the current directory at ");
    expect(await (await fetch(new URL("factory.ts", url))).text()).toBe(files["factory.ts"] ?? "");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await rest;
  });
});
