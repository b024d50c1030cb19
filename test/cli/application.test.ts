import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { Folder, Program } from "../support/program.ts";

// Which application is served where FILE is missing, or names a directory.

setDefaultTimeout(20_000);

/** An application whose answer is `text`. */
function answering(text: string): string {
  return `export default async (scope, receive, send) => {
    if (scope.type !== "http") throw new Error("no " + scope.type);
    const body = ${JSON.stringify(text)};
    await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
    await send({ type: "http.response.body", body });
  };`;
}

/** A folder whose files have these names; each is an application that answers with its own. */
function folderOf(...names: string[]): Folder {
  const folder = new Folder();
  for (const name of names) {
    fs.mkdirSync(path.dirname(folder.file(name)), { recursive: true });
    fs.writeFileSync(folder.file(name), answering(name));
  }
  return folder;
}

/** The answer to a path, and the banner. */
async function served(
  folder: Folder,
  words: readonly string[],
  target = "",
): Promise<{ body: string; status: number; banner: string }> {
  await using program = Program.serve(folder, ["-p", "0", ...words]);
  const { url } = await program.address();
  const response = await fetch(new URL(target, url));
  const [banner] = await program.prints(/Serving .*\n/);
  return { body: await response.text(), status: response.status, banner };
}

async function refused(
  folder: Folder,
  words: readonly string[],
): Promise<{ code: number | null; err: string }> {
  await using program = Program.serve(folder, ["-p", "0", ...words]);
  return { code: await program.ended(), err: program.stderr };
}

const ELSEWHERE = "src/other.ts lib/app.ts app.txt app.json index.html server.ts apps.ts".split(" ");

describe("without FILE", () => {
  const names = ["app", "src/app", "index"].flatMap((name) =>
    ["ts", "js", "mjs", "tsx"].map((extension) => `${name}.${extension}`),
  );
  test.each(names)("%s is served, and the banner says so", async (name) => {
    using folder = folderOf(name, ...ELSEWHERE);
    const { body, banner } = await served(folder, []);
    expect(body).toBe(name);
    expect(banner).toStartWith(`Serving ${name}, found here, at http://`);
  });

  test("with workers, and what --check-config and --print-config say", async () => {
    using folder = folderOf("src/app.ts");
    expect(await served(folder, ["-w", "2"])).toMatchObject({ body: "src/app.ts" });
    await using check = Program.serve(folder, ["--check-config"]);
    expect(await check.ended()).toBe(0);
    expect(check.stdout).toBe("ok: the options are good and src/app.ts can be served.\n");
    await using print = Program.serve(folder, ["--print-config"]);
    expect(await print.ended()).toBe(0);
    expect(print.stdout).toMatch(/^application +src\/app\.ts +default\n/);
  });

  test.each([
    [["app.ts", "index.ts"], "app.ts and index.ts"],
    [["app.ts", "app.js"], "app.ts and app.js"],
    [["src/app.mjs", "app.tsx", "index.js"], "app.tsx, src/app.mjs and index.js"],
  ])("several are named, and none is served: %j", async (files, list) => {
    using folder = folderOf(...files);
    for (const words of [[], ["-w", "2"], ["--check-config"]])
      expect(await refused(folder, words)).toEqual({
        code: 2,
        err: `pagi-server: FILE: is missing, and ${list} could each be the application. Name one: pagi-server ${list.split(/,? /)[0]}\n`,
      });
    await using print = Program.serve(folder, ["--print-config"]);
    expect(await print.ended()).toBe(0);
    expect(print.stdout).toMatch(/^application +no application +default\n/);
  });

  test("none: what to type, and no file of the directory is served", async () => {
    using folder = folderOf(...ELSEWHERE);
    fs.mkdirSync(folder.file("app.ts")); // not a file
    for (const words of [[], ["-w", "2"], ["--check-config"], ["--preload", "server.ts"]]) {
      const { code, err } = await refused(folder, words);
      expect(code).toBe(2);
      expect(err).toStartWith(
        "pagi-server: FILE: is missing, and there is no app.ts, src/app.ts or index.ts",
      );
      expect(err).toContain("pagi-server FILE");
      expect(err).toEndWith("pagi-server directory\n");
    }
  });

  test("the value of an option is never taken for FILE", async () => {
    using folder = folderOf("before.ts", "app.ts");
    for (const words of [
      ["--preload", "before.ts"],
      ["--preload=before.ts"],
      ["--pid", "pid", "--access-log", "log", "--env-file", "before.ts"],
    ])
      expect(await served(folder, words)).toMatchObject({ body: "app.ts" });
    expect(await served(folder, ["--preload", "app.ts"])).toMatchObject({ body: "app.ts" });
  });

  test("an application that was named in another way is not looked for", async () => {
    using folder = folderOf("app.ts", "index.ts", "named.ts");
    const code = answering("eval").replace("export default ", "").replace(/;$/, "");
    expect(await served(folder, ["-e", code])).toMatchObject({ body: "eval" });
    fs.writeFileSync(folder.file("pagi.config.ts"), `export default { app: "named.ts" };`);
    expect(await served(folder, [])).toMatchObject({ body: "named.ts" });
    expect(await served(folder, ["index.ts"])).toMatchObject({ body: "index.ts" });
  });

  test("it is looked for where --chdir leads", async () => {
    using folder = folderOf("inner/app.ts", "index.ts");
    expect(await served(folder, ["--chdir", "inner"])).toMatchObject({
      body: "inner/app.ts",
    });
  });

  test("a reload serves the same file", async () => {
    using folder = folderOf("index.ts");
    await using program = Program.serve(folder, ["-p", "0", "-E", "production"]);
    await program.address();
    program.kill("SIGHUP");
    await program.prints(/(?:Serving index\.ts, found here[^]*){2}/);
  });
});

describe("a directory", () => {
  test.each([
    [["directory"], "public/a.txt"],
    [["directory", "public"], "a.txt"],
    [["directory", "./public/", "-q", "-q"], undefined],
    [["-w", "2", "directory", "public"], "a.txt"],
    [["."], "public/a.txt"],
    [["./public"], "a.txt"],
    [["public"], "a.txt"],
    [["--app", "public"], "a.txt"],
  ])("%j is served", async (words, file) => {
    using folder = folderOf("app.ts", "index.ts");
    fs.mkdirSync(folder.file("public"));
    fs.writeFileSync(folder.file("public/a.txt"), "a file");
    if (file === undefined) {
      await using check = Program.serve(folder, [...words, "--check-config"]);
      expect(await check.ended()).toBe(0);
      return;
    }
    expect(await served(folder, words, file)).toMatchObject({ body: "a file", status: 200 });
  });

  test("the banner names it", async () => {
    using folder = folderOf("public/a.txt");
    expect((await served(folder, ["directory"])).banner).toStartWith("Serving the current directory at ");
    expect((await served(folder, ["public"])).banner).toStartWith("Serving the directory public at ");
  });

  test("the configuration file may ask for one", async () => {
    using folder = folderOf("public/a.txt");
    fs.writeFileSync(folder.file("pagi.config.ts"), `export default { app: "public" };`);
    expect(await served(folder, [], "a.txt")).toMatchObject({ status: 200 });
  });

  test.each([
    [["directory", "nowhere"], "directory: there is no directory 'nowhere'."],
    [
      ["directory", "app.ts"],
      "directory: 'app.ts' is not a directory. To serve the application in it: pagi-server app.ts",
    ],
    [["directory", "a", "b"], "b: only one application can be served at a time."],
    [["--", "directory"], "There is no file 'directory'."],
  ])("%j is refused", async (words, message) => {
    using folder = folderOf("app.ts");
    const { code, err } = await refused(folder, words);
    expect(err).toStartWith(`pagi-server: ${message}`);
    expect(code).toBe(words[0] === "--" ? 1 : 2);
  });

  test("a file or directory called directory is served by its path", async () => {
    using folder = folderOf("directory");
    fs.renameSync(folder.file("directory"), folder.file("directory.ts"));
    fs.mkdirSync(folder.file("directory"));
    fs.writeFileSync(folder.file("directory/a.txt"), "inside");
    expect(await served(folder, ["./directory"], "a.txt")).toMatchObject({ body: "inside" });
    expect(await served(folder, ["directory.ts"])).toMatchObject({ body: "directory" });
  });
});

describe("a word that is no command", () => {
  test.each([
    ["biuld", "Did you mean pagi-server build?"],
    ["buidl", "Did you mean pagi-server build?"],
    ["Build", "Did you mean pagi-server build?"],
    ["direcotry", "Did you mean pagi-server directory?"],
    ["dir", "Did you mean pagi-server directory?"],
    ["serve", "pagi-server serves without one: pagi-server app.ts"],
    ["start", "pagi-server serves without one: pagi-server app.ts"],
  ])("%s", async (word, advice) => {
    using folder = folderOf("app.ts");
    for (const words of [[word], [word, "app.ts"], [word, "app.ts", "--asset", "x"]]) {
      await using program = Program.serve(folder, words);
      expect([await program.ended(), program.stderr]).toEqual([
        2,
        `pagi-server: ${word}: there is no such command, and no file of that name. ${advice}\n`,
      ]);
    }
  });

  test("a file of that name is served", async () => {
    using folder = folderOf("serve", "biuld.ts");
    const { code, err } = await refused(folder, ["biuld"]);
    expect([code, err]).toEqual([1, "pagi-server: There is no file 'biuld'. Did you mean 'biuld.ts'?\n"]);
    await using check = Program.serve(folder, ["biuld.ts", "--check-config"]);
    expect(await check.ended()).toBe(0);
    fs.rmSync(folder.file("serve"));
    fs.mkdirSync(folder.file("serve"));
    await using directory = Program.serve(folder, ["serve", "--check-config"]);
    expect(await directory.ended()).toBe(0);
  });
});

describe("a factory that was exported without --factory", () => {
  const FACTORY = answering("made").replace("export default", "export default async () =>");
  const MESSAGE =
    /error (?:worker 1: )?The default export of 'app\.ts' is a function that returns the application, and not the application itself: start the server with --factory\n/g;

  test.each([
    [["-w", "1"]],
    [["-w", "1", "--lifespan", "off"]],
    [["-w", "2"]],
    [["-w", "2", "--no-supervisor-lifespan"]],
  ])("%j: it is said once, with the flag", async (words) => {
    using folder = new Folder({ "app.ts": FACTORY });
    await using program = Program.serve(folder, ["-p", "0", "-E", "production", ...words]);
    const { url } = await program.address();
    for (let n = 0; n < 4; n++)
      expect((await fetch(url, { headers: { connection: "close" } })).status).toBe(500);
    program.kill("SIGTERM");
    await program.ended();
    expect(program.stderr.match(MESSAGE)).toHaveLength(1);
  });

  test.each([
    ["a router", "export default () => ({ toApp: () => async () => {} });"],
    ["an object with fetch", "export default () => ({ fetch: () => new Response('x') });"],
    ["a named export", "export const app = () => async () => {};"],
  ])("which makes %s", async (_, text) => {
    using folder = new Folder({ "app.ts": text });
    await using program = Program.serve(folder, ["-p", "0", "-E", "production"]);
    await program.address();
    expect(program.stderr).toContain("start the server with --factory");
  });

  test("an application that returns a function after it has answered is none", async () => {
    using folder = new Folder({
      "app.ts": answering("answered").replace(/\};$/, "return () => {}; };"),
    });
    await using program = Program.serve(folder, ["-p", "0", "--lifespan", "off"]);
    const { url } = await program.address();
    expect(await (await fetch(url)).text()).toBe("answered");
    expect(program.stderr).not.toContain("--factory");
  });
});

describe("an application without lifespan", () => {
  test.each([[["-w", "1"]], [["-w", "3"]], [["-w", "3", "--no-supervisor-lifespan"]]])(
    "%j: nothing at info, one line at debug",
    async (words) => {
      using folder = folderOf("app.ts");
      const log = async (level: string): Promise<string> => {
        await using program = Program.serve(folder, ["-p", "0", "--log-level", level, ...words]);
        await program.address();
        program.kill("SIGTERM");
        expect(await program.ended()).toBe(0);
        return program.stderr;
      };
      expect(await log("info")).not.toMatch(/lifespan/i);
      expect((await log("debug")).match(/.*lifespan.*/gi)).toEqual([
        expect.stringMatching(
          / debug (?:worker 1: )?The application does not handle lifespan events; they are left out \(it threw: no lifespan\)$/,
        ),
      ]);
    },
  );
});
