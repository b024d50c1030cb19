import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { Installation } from "../support/installation.ts";
import { INDEX, Folder, Program } from "../support/program.ts";
import { eventually, get, request } from "../support/wire.ts";
import { Log, runs } from "../support/workers.ts";

// Where settings come from: flags, environment, files of variables, the configuration file.

/** Answers with variables of its process, and with its mode and folder. */
const APP = `
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(scope.type);
  const { COLOUR = "none", LINES = "none", PAGI_ENV } = process.env;
  const body = [COLOUR, JSON.stringify(LINES), PAGI_ENV, process.cwd().split("/").at(-1)].join(" ");
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
`;

type Files = Readonly<Record<string, string>>;

function folderWith(files: Files): Folder {
  // Folders first, then what is in them.
  const folder = new Folder({ "app.ts": APP });
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(folder.file(name)), { recursive: true });
    fs.writeFileSync(folder.file(name), text);
  }
  return folder;
}

/** The lines of `--print-config` that say no default, without the space between their columns. */
async function printed(folder: Folder, words: string[], environment: Files = {}): Promise<string[]> {
  await using program = Program.serve(folder, ["--print-config", ...words], environment);
  expect([await program.ended(), program.stderr]).toEqual([0, ""]);
  const lines = program.stdout.trimEnd().split("\n");
  return lines.filter((line) => !line.endsWith("  default")).map((line) => line.replace(/ {2,}/g, " | "));
}

async function refusal(folder: Folder, words: string[], environment: Files = {}): Promise<string> {
  await using program = Program.serve(folder, words, environment);
  const code = await program.ended();
  return `${code} ${program.stderr.trimEnd().replace(/^pagi-server: /, "")}`;
}

async function answer(program: Program): Promise<string> {
  return (await request(await program.address(), get("/", "Connection: close"))).body;
}

describe("--config takes data files as well as modules", () => {
  test.each([
    ["settings.json", `{ "app": "app.ts", "port": 81, "maxBodySize": "64k", "reloadInclude": ["*.html"] }`],
    ["settings.toml", `app = "app.ts"\nport = 81\nmaxBodySize = "64k"\nreloadInclude = ["*.html"]\n`],
    ["settings.yaml", `app: app.ts\nport: 81\nmaxBodySize: 64k\nreloadInclude: ["*.html"]\n`],
    ["settings.yml", `app: app.ts\nport: 81\nmaxBodySize: 64k\nreloadInclude: ["*.html"]\n`],
    [
      "settings.mjs",
      `export default { app: "app.ts", port: 81, maxBodySize: "64k", reloadInclude: ["*.html"] };`,
    ],
  ])("%s", async (name, text) => {
    using folder = folderWith({ [name]: text });
    expect(await printed(folder, ["--config", name])).toEqual(
      expect.arrayContaining([
        `application | app.ts | file ${name}`,
        `port | 81 | file ${name}`,
        `maxBodySize | 64k | file ${name}`,
        `reloadInclude | *.html | file ${name}`,
      ]),
    );
  });

  test.each(["settings.json", "settings.toml", "settings.yaml"])("%s that cannot be read", async (name) => {
    using folder = folderWith({ [name]: "{ port = : [" });
    expect(await refusal(folder, ["--config", name])).toMatch(new RegExp(`^[12] .*${name}`));
  });
});

describe("--env-file", () => {
  test("the real environment wins, then the later file; --print-config says which", async () => {
    using folder = folderWith({
      "a.env": "PAGI_PORT=1\nPAGI_TIMEOUT=7s\nPAGI_ENV=none\nHOST=::1\n",
      "b.env": "PAGI_PORT=2\nPAGI_TIMEOUT=8s\n",
    });
    const words = ["app.ts", "--env-file", "a.env", "--env-file", "b.env", "--timeout", "9s"];
    expect(await printed(folder, words, { PAGI_ENV: "production" })).toEqual([
      "application | app.ts | argument",
      "envFile | a.env, b.env | flag --env-file",
      "host | ::1 | environment HOST in a.env",
      "port | 2 | environment PAGI_PORT in b.env",
      "env | production | environment PAGI_ENV",
      "timeout | 9s | flag --timeout",
    ]);
    expect(await printed(folder, [], { PAGI_ENV_FILE: "b.env,a.env" })).toContain(
      "port | 1 | environment PAGI_PORT in a.env",
    );
  });

  for (const workers of ["1", "2"]) {
    test(`the application sees the variables, quotes read and nothing put in (${workers} worker(s))`, async () => {
      using folder = folderWith({
        "a.env": `# colours\nexport COLOUR='$HOME blue' # a comment\nLINES="one\ntwo\\nthree"\r\n`,
      });
      const words = ["app.ts", "-p", "0", "-w", workers, "-E", "production", "--env-file", "a.env"];
      await using program = Program.serve(folder, words);
      expect(await answer(program)).toStartWith(`$HOME blue "one\\ntwo\\nthree" production`);
    });
  }

  test("a .env that Bun has read by itself gives way to a file that was named", async () => {
    using folder = folderWith({ ".env": "PAGI_PORT=1\nPAGI_TIMEOUT=7s\n", "a.env": "PAGI_PORT=2\n" });
    expect(await printed(folder, ["--env-file", "a.env"])).toEqual(
      expect.arrayContaining([
        "port | 2 | environment PAGI_PORT in a.env",
        "timeout | 7s | environment PAGI_TIMEOUT",
      ]),
    );
  });

  test("one that is not there, or cannot be read, is an error", async () => {
    using folder = folderWith({});
    expect(await refusal(folder, ["--env-file", "no.env", "app.ts"])).toBe(
      "2 --env-file: there is no file 'no.env'.",
    );
    expect(await refusal(folder, [], { PAGI_ENV_FILE: "no.env" })).toBe(
      "2 PAGI_ENV_FILE: there is no file 'no.env'.",
    );
    expect(await refusal(folder, ["--env-file", "."])).toStartWith(
      "2 --env-file: '.' cannot be read: EISDIR",
    );
  });
});

describe("the configuration file", () => {
  const CONFIG = `
    import { defineConfig } from ${JSON.stringify(INDEX)};
    export default defineConfig({ app: "app.ts", port: 1, timeout: "2m", maxBodySize: "64k", env: "none", preload: ["./a.ts"] });
  `;

  test("flags beat the environment, and that beats the file; --print-config says which", async () => {
    using folder = folderWith({ "pagi.config.ts": CONFIG });
    expect(await printed(folder, ["-p", "3"], { PAGI_PORT: "2", PAGI_TIMEOUT: "3m" })).toEqual([
      "application | app.ts | file pagi.config.ts",
      "preload | ./a.ts | file pagi.config.ts",
      "port | 3 | flag -p",
      "env | none | file pagi.config.ts",
      "maxBodySize | 64k | file pagi.config.ts",
      "timeout | 3m | environment PAGI_TIMEOUT",
    ]);
  });

  test("another one, or none", async () => {
    using folder = folderWith({ "pagi.config.ts": CONFIG, "other.js": "export default { port: 7 };" });
    expect(await printed(folder, ["--config", "other.js"])).toEqual([
      "config | other.js | flag --config",
      "port | 7 | file other.js",
    ]);
    expect(await printed(folder, [], { PAGI_CONFIG: "other.js" })).toContain("port | 7 | file other.js");
    expect(await printed(folder, ["--no-config"])).toEqual(["config | off | flag --no-config"]);
    expect(await printed(folder, [], { PAGI_CONFIG: "off" })).toEqual([
      "config | off | environment PAGI_CONFIG",
    ]);
  });

  test("the application: argument, flag and environment win over the file", async () => {
    using folder = folderWith({
      "pagi.config.ts": "export default { app: 'app.ts' };",
      "eval.ts": "export default { eval: 'x', port: 5 };",
    });
    expect(await printed(folder, ["b.ts:x"])).toEqual(["application | b.ts:x | argument"]);
    expect(await printed(folder, ["-e", "y"])).toEqual([
      "application | the code of --eval | flag -e",
      "eval | y | flag -e",
    ]);
    expect((await printed(folder, [], { PAGI_EVAL: "y" }))[0]).toBe(
      "application | the code of --eval | environment PAGI_EVAL",
    );
    const config = ["--config", "eval.ts"];
    expect((await printed(folder, config))[0]).toBe("application | the code of --eval | file eval.ts");
    expect(await printed(folder, [...config, "b.ts"])).toEqual([
      "application | b.ts | argument",
      "config | eval.ts | flag --config",
      "port | 5 | file eval.ts",
    ]);
  });

  test("what excludes a value of the file leaves it out; within the file it is refused", async () => {
    using folder = folderWith({
      "pagi.config.ts": "export default { listen: ['127.0.0.1:1'], timeout: 5 };",
    });
    expect(await printed(folder, ["-p", "3"])).toEqual([
      "port | 3 | flag -p",
      "timeout | 5s | file pagi.config.ts",
    ]);
    fs.writeFileSync(folder.file("pagi.config.ts"), "export default { listen: ['127.0.0.1:1'], port: 5 };");
    expect(await refusal(folder, [])).toMatch(
      /^2 pagi\.config\.ts: \w+: cannot be given together with pagi\.config\.ts: \w+; both say where to listen/,
    );
  });

  const refused: [text: string, message: string | RegExp][] = [
    ["export default { prot: 80 };", "2 pagi.config.ts: prot: there is no such option. Did you mean port?"],
    ["export default { ap: 'x.ts' };", "2 pagi.config.ts: ap: there is no such option. Did you mean app?"],
    [
      "export default { 'max-body-size': 1 };",
      /^2 pagi\.config\.ts: max-body-size: there is no such option\. Did you mean maxBodySize\?$/,
    ],
    [
      "export default { config: 'x' };",
      "2 pagi.config.ts: config: cannot be set in the configuration file itself.",
    ],
    [
      "export default { port: 'http' };",
      '2 pagi.config.ts: port: must be a port from 0 to 65535, but is "http".',
    ],
    ["export default { envFile: 'a.env' };", '2 pagi.config.ts: envFile: must be a list, but is "a.env".'],
    ["export default { envFile: ['a.env'] };", "2 pagi.config.ts: envFile: there is no file 'a.env'."],
    ["export default { chdir: 'nowhere' };", /^2 --chdir: cannot go to 'nowhere'/],
    ["export default { app: () => {} };", /^2 pagi\.config\.ts: app: must name a file, such as "app\.ts"/],
    [
      "export default { app: 'app.ts', eval: 'x' };",
      "2 pagi.config.ts: app: cannot be given together with eval; both name the application.",
    ],
    [
      "export default { eval: ' ' };",
      "2 pagi.config.ts: eval: needs the code of an application, and there is none.",
    ],
    [
      "export default { writeLowWatermark: '1m' };",
      "2 pagi.config.ts: writeLowWatermark: must not be above writeHighWatermark (by default 64k); lower this, or raise that.",
    ],
    [
      "export const port = 80;",
      /^2 pagi\.config\.ts: must have an object with options as its default export/,
    ],
    ["export default [];", /^2 pagi\.config\.ts: must have an object/],
    ["export default { port: 80 ", /^1 'pagi\.config\.ts' cannot be compiled: .* at pagi\.config\.ts:1:\d+$/],
    ["throw new Error('no vault');", /^1 'pagi\.config\.ts' threw while it was imported: Error: no vault/],
  ];
  test.each(refused)("%s is refused", async (text, message) => {
    using folder = folderWith({ "pagi.config.ts": text });
    const said = await refusal(folder, ["--check-config"]);
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  test("a file that was asked for must be there", async () => {
    using folder = folderWith({});
    const message = "2 --config: there is no file 'no.ts'. Check its path; --no-config reads none.";
    expect(await refusal(folder, ["--config", "no.ts"])).toBe(message);
    expect(await refusal(folder, [], { PAGI_CONFIG: "no.ts" })).toBe(message);
  });
});

describe("files and the folder", () => {
  const CONFIG = "export default { app: 'app.ts', envFile: ['a.env'], env: 'production', port: 0 };";
  const inner = { "inner/app.ts": APP, "inner/a.env": "COLOUR=blue", "inner/pagi.config.ts": CONFIG };

  test("--chdir goes first: both files are found there", async () => {
    using folder = folderWith(inner);
    await using program = Program.serve(folder, ["--chdir", "inner"]);
    expect(await answer(program)).toBe(`blue "none" production inner`);
    // And when it is started once more, from where it was.
    program.kill("SIGHUP");
    await program.prints(/(?:Serving[^]*){2}/);
    expect(await answer(program)).toBe(`blue "none" production inner`);
  });

  test("a folder that a file of variables names is gone to before the configuration file is looked for", async () => {
    using folder = folderWith({ ...inner, "outer.env": "PAGI_CHDIR=inner\nLINES=1" });
    await using program = Program.serve(folder, ["--env-file", "outer.env"]);
    // The flag wins over the list of the file.
    expect(await answer(program)).toBe(`none "1" production inner`);
  });

  for (const workers of [1, 2]) {
    test(`a folder and permissions that the configuration file names (${workers} worker(s))`, async () => {
      using folder = folderWith({
        "inner/app.ts": APP,
        "a.env": "COLOUR=blue",
        "pagi.config.ts": `export default {
          app: "app.ts", chdir: "inner", umask: "027", pid: "pid", accessLog: "log", envFile: ["a.env"], port: 0,
          env: "production", workers: ${workers},
        };`,
      });
      await using program = Program.serve(folder, []);
      expect(await answer(program)).toBe(`blue "none" production inner`);
      await eventually("it is logged", () => folder.lines("inner/log").length === 1);
      expect(fs.statSync(folder.file("inner/log")).mode & 0o777).toBe(0o640);
      expect(folder.lines("inner/pid")).toEqual([String(program.pid)]);
    });
  }

  test.if(process.getuid?.() === 0)("a user that the configuration file names", async () => {
    using installation = new Installation();
    using folder = folderWith({
      "pagi.config.ts": `export default { app: "app.ts", port: 0, user: "nobody", workers: 2, env: "production" };`,
    });
    fs.chmodSync(folder.path, 0o755);
    await using program = installation.serve(folder, []);
    expect(await answer(program)).toStartWith("none");
    expect(fs.readFileSync(`/proc/${program.pid}/status`, "utf8")).toMatch(/^Uid:\s+65534\s+65534/m);
  });
});

describe("a new start reads everything again", () => {
  const config = (env: string): string =>
    `export default { app: "app.ts", port: 0, envFile: ["a.env"], env: "${env}" };`;

  test("SIGHUP: what the files say now, and not what they said before", async () => {
    using folder = folderWith({ "pagi.config.ts": config("production"), "a.env": "COLOUR=blue\nLINES=1" });
    await using program = Program.serve(folder, []);
    expect(await answer(program)).toStartWith(`blue "1" production`);
    fs.writeFileSync(folder.file("pagi.config.ts"), config("none"));
    fs.writeFileSync(folder.file("a.env"), "COLOUR=red");
    program.kill("SIGHUP");
    await program.prints(/(?:Serving[^]*){2}/);
    expect(await answer(program)).toStartWith(`red "none" none`);
  });

  test("SIGUSR2 with workers, too; SIGHUP has their supervisor's variables", async () => {
    using folder = folderWith({ "pagi.config.ts": config("production"), "a.env": "COLOUR=blue" });
    await using program = Program.serve(folder, ["-w", "2", "--pid", "pid"]);
    const log = new Log(program);
    await log.until(/Serving/);
    fs.writeFileSync(folder.file("a.env"), "COLOUR=red");
    program.kill("SIGHUP");
    await log.until(/Reloaded/);
    expect(await answer(program)).toStartWith("blue");
    program.kill("SIGUSR2");
    await eventually("the old one has ended", () => !program.isRunning);
    const successor = Number(folder.lines("pid")[0]);
    try {
      expect(await answer(program)).toStartWith("red");
    } finally {
      process.kill(successor, "SIGTERM");
    }
    await eventually("it has ended", () => !runs(successor));
  });

  test("in the background", async () => {
    using folder = folderWith({
      "pagi.config.ts": `export default { app: "app.ts", socket: "s", daemonize: true, pid: "pid", envFile: ["a.env"] };`,
      "a.env": "COLOUR=blue\nPAGI_ENV=production",
    });
    await using program = Program.serve(folder, []);
    expect(await program.ended()).toBe(0);
    const pid = Number(folder.lines("pid")[0]);
    try {
      const response = await fetch("http://localhost/", { unix: folder.file("s") });
      expect(await response.text()).toStartWith(`blue "none" production`);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    await eventually("it has ended", () => !runs(pid));
  });
});
