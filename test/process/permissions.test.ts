import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { Installation } from "../support/installation.ts";
import type { Folder, Program } from "../support/program.ts";
import { Log, whoServes, workersFolder } from "../support/workers.ts";

// What the user of --user and --group must be allowed to do: the start, --check-config and reloads ask the kernel, and name
// what is in the way.

setDefaultTimeout(20_000);

const isRoot = process.getuid?.() === 0;

describe.if(isRoot)("the user that a server is to become", () => {
  let open: Installation;

  beforeAll(() => {
    open = new Installation();
  });
  afterAll(() => open[Symbol.dispose]());

  /** An application that everybody may read, in a folder in which everybody may create files. */
  function publicFolder(): Folder {
    const folder = workersFolder();
    fs.chmodSync(folder.path, 0o777);
    return folder;
  }

  /** What it prints when it ends: the check, and the start itself with one process and with workers. */
  async function refusals(
    installation: Installation,
    folder: Folder,
    words: readonly string[],
  ): Promise<{ code: number | null; text: string }[]> {
    const common = ["app.ts", "-p", "0", "-E", "production", ...words];
    const kinds = [["--check-config"], ["--check-config", "-w", "2"], [], ["-w", "2"]];
    return await Promise.all(
      kinds.map(async (kind) => {
        await using program = installation.serve(folder, [...common, ...kind]);
        return { code: await program.ended(), text: program.stdout + program.stderr };
      }),
    );
  }

  /** All of them end with exit code 2 and this text. */
  async function expectRefused(
    installation: Installation,
    folder: Folder,
    words: readonly string[],
    text: string,
  ): Promise<void> {
    const found = await refusals(installation, folder, words);
    expect(found).toHaveLength(4);
    for (const each of found) expect(each).toEqual({ code: 2, text: expect.stringContaining(text) });
  }

  test("a Bun that only root can execute: the folder and its permissions are named", async () => {
    using closed = new Installation(0o700);
    using folder = publicFolder();
    await expectRefused(
      closed,
      folder,
      ["--user", "nobody"],
      `--user: nobody cannot run Bun (${closed.bun}): it may not enter ${closed.path} (drwx------ root:root). ` +
        `Workers and reloads start Bun again as this user. Allow it: chmod o+x ${closed.path}\n`,
    );
    // The user counts, not the option by which it was named.
    await expectRefused(closed, folder, ["--user", "65534", "--group", "nogroup"], "may not enter");
    await expectRefused(closed, folder, ["--group", "nogroup", "--user", "nobody"], "may not enter");
  });

  test("the advice for a Bun of which only the file is closed", async () => {
    using closed = new Installation();
    fs.rmSync(closed.bun);
    fs.copyFileSync(process.execPath, closed.bun);
    fs.chmodSync(closed.bun, 0o744);
    using folder = publicFolder();
    await expectRefused(
      closed,
      folder,
      ["--user", "nobody"],
      `it may not run ${closed.bun} (-rwxr--r-- root:root)`,
    );
  });

  const rows: {
    name: string;
    words?: readonly string[];
    prepare(folder: Folder): void;
    text: string;
  }[] = [
    {
      name: "an application whose folder is closed",
      prepare: (folder) => fs.chmodSync(folder.path, 0o700),
      text: "nobody cannot start in FOLDER: it may not enter FOLDER (drwx------ root:root)",
    },
    {
      name: "an application that it may not read",
      prepare: (folder) => fs.chmodSync(folder.file("app.ts"), 0o600),
      text: "nobody cannot read the application app.ts: it may not read FOLDER/app.ts (-rw------- root:root). Allow it to its group: chgrp nogroup FOLDER/app.ts && chmod g+r FOLDER/app.ts",
    },
    {
      name: "an application behind a symbolic link into a closed folder",
      prepare(folder) {
        fs.mkdirSync(folder.file("inner"), { mode: 0o700 });
        fs.renameSync(folder.file("app.ts"), folder.file("inner/app.ts"));
        fs.symlinkSync("inner/app.ts", folder.file("app.ts"));
      },
      text: "it may not enter FOLDER/inner (drwx------ root:root)",
    },
    {
      name: "a group that is not its own",
      prepare(folder) {
        fs.chownSync(folder.file("app.ts"), 0, 4);
        fs.chmodSync(folder.file("app.ts"), 0o640);
      },
      text: "it may not read FOLDER/app.ts (-rw-r----- root:adm)",
    },
    {
      name: "a user that is named by the configuration file",
      words: [],
      prepare(folder) {
        fs.writeFileSync(folder.file("pagi.config.ts"), `export default { user: "nobody" };`);
        fs.chmodSync(folder.file("app.ts"), 0o600);
      },
      text: "nobody cannot read the application app.ts",
    },
    {
      name: "an access log in a directory in which it may not create files",
      words: ["--user", "nobody", "--access-log", "logs/access.log"],
      prepare: (folder) => fs.mkdirSync(folder.file("logs"), { mode: 0o755 }),
      text: "nobody cannot write the access log logs/access.log: it may not create files in FOLDER/logs (drwxr-xr-x root:root)",
    },
    {
      name: "an access log of another user",
      words: ["--user", "nobody", "--access-log", "access.log"],
      prepare: (folder) => fs.writeFileSync(folder.file("access.log"), "", { mode: 0o644 }),
      text: "it may not write to FOLDER/access.log (-rw-r--r-- root:root)",
    },
    {
      name: "an access log in a directory that does not exist",
      words: ["--user", "nobody", "--access-log", "logs/access.log"],
      prepare: () => {},
      text: "there is no directory FOLDER/logs. Create it: mkdir -p FOLDER/logs",
    },
    {
      name: "a module to preload that it may not read",
      words: ["--user", "nobody", "--preload", "before.ts"],
      prepare: (folder) => fs.writeFileSync(folder.file("before.ts"), "", { mode: 0o600 }),
      text: "nobody cannot read the module before.ts of --preload",
    },
    {
      name: "a certificate that it may not read",
      words: ["--user", "nobody", "--ssl-cert", "cert.pem"],
      prepare: (folder) => fs.writeFileSync(folder.file("cert.pem"), "", { mode: 0o600 }),
      text: "nobody cannot read cert.pem: it may not read FOLDER/cert.pem",
    },
    {
      name: "a pid file that a reload could not open again",
      words: ["--user", "nobody", "--pid", "run/pid"],
      prepare: (folder) => fs.mkdirSync(folder.file("run"), { mode: 0o700 }),
      text: "nobody cannot reach the pid file run/pid: it may not enter FOLDER/run",
    },
  ];
  test.each(rows)("$name", async ({ words = ["--user", "nobody"], prepare, text }) => {
    using folder = publicFolder();
    prepare(folder);
    await expectRefused(open, folder, words, text.replaceAll("FOLDER", folder.path));
  });

  test("what only its groups let it do is allowed", async () => {
    using folder = publicFolder();
    fs.chownSync(folder.file("app.ts"), 0, 4);
    fs.chownSync(folder.file("version.ts"), 0, 4);
    for (const file of ["app.ts", "version.ts"]) fs.chmodSync(folder.file(file), 0o640);
    await using check = open.serve(folder, [
      "app.ts",
      "--user",
      "nobody",
      "--group",
      "adm",
      "--check-config",
    ]);
    expect([await check.ended(), check.stderr]).toEqual([0, ""]);
  });

  test("a module of the application that only root can read is found by the check, which loads as the user", async () => {
    using folder = publicFolder();
    fs.chmodSync(folder.file("version.ts"), 0o600);
    await using check = open.serve(folder, ["app.ts", "--user", "nobody", "--check-config"]);
    expect(await check.ended()).toBe(1);
    expect(check.stderr).toContain("version.ts");
  });

  test("a configuration file that only root can read: served, with a warning of what will fail", async () => {
    using folder = publicFolder();
    fs.writeFileSync(folder.file("pagi.config.ts"), `export default { user: "nobody", port: 0 };`, {
      mode: 0o600,
    });
    const warning = `--user: nobody cannot read pagi.config.ts: it may not read ${folder.file("pagi.config.ts")} (-rw------- root:root). SIGHUP and SIGUSR2 start a new program, which reads it as this user and would fail.`;
    await using check = open.serve(folder, ["app.ts", "--check-config"]);
    expect(await check.ended()).toBe(0);
    expect(check.stderr).toContain(warning);
    await using program = open.serve(folder, ["app.ts", "-E", "production"]);
    await program.address();
    expect(program.stderr).toContain(warning);
  });

  for (const workers of [1, 2])
    test(`SIGHUP with ${workers} worker(s), after Bun was closed: the path is named, and the old code serves on`, async () => {
      using installation = new Installation();
      using folder = publicFolder();
      await using program: Program = installation.serve(folder, [
        ...["app.ts", "-p", "0", "-E", "production", "-w", String(workers), "--user", "nobody"],
      ]);
      const address = await program.address();
      const { pid } = await whoServes(address);
      const log = new Log(program);
      fs.chmodSync(installation.path, 0o700);
      program.kill("SIGHUP");
      await log.until(new RegExp(`this user may not enter ${installation.path} \\(drwx------ root:root\\)`));
      await log.until(/Keeping the current one|The reload is canceled/);
      const after = await whoServes(address);
      expect(workers === 1 ? after.pid : after.parent).toBe(workers === 1 ? pid : program.pid);
      fs.chmodSync(installation.path, 0o755);
      program.kill("SIGHUP");
      await log.until(workers === 1 ? /Serving/ : /Reloaded/);
    });
});

describe("what the check opens with its own rights", () => {
  test.each([
    [
      ["--pid", "no/such/pid"],
      2,
      /--pid: this user cannot write the pid file no\/such\/pid: there is no directory/,
    ],
    [
      ["--socket", "no/such/sock"],
      1,
      /Cannot listen at unix:no\/such\/sock: there is no directory .*mkdir -p/,
    ],
    [["--socket", "app.ts"], 1, /app\.ts exists and is not a socket/],
    [["--listen", "unix:app.ts/x"], 1, /app\.ts is not a directory/],
    [["--host", "192.0.2.1", "-p", "0"], 1, /192\.0\.2\.1 is/],
    [
      ["--access-log", "no/such/log"],
      2,
      /--access-log: this user cannot write the access log no\/such\/log: there is no/,
    ],
  ])("%j", async (words, code, pattern) => {
    using installation = new Installation();
    using folder = workersFolder();
    await using check = installation.serve(folder, ["app.ts", "--check-config", ...words]);
    expect([await check.ended(), check.stderr]).toEqual([code, expect.stringMatching(pattern)]);
  });

  test("a server that runs is not in the way, and nothing is created", async () => {
    using installation = new Installation();
    using folder = workersFolder();
    const words = ["app.ts", "--pid", "pid", "--access-log", "log", "--socket", "sock"];
    await using check = installation.serve(folder, [...words, "--check-config"]);
    expect([await check.ended(), check.stderr]).toEqual([0, ""]);
    for (const name of ["pid", "log", "sock"]) expect(fs.existsSync(folder.file(name))).toBe(false);
    await using program = installation.serve(folder, words);
    await program.prints(/Serving/);
    await using again = installation.serve(folder, [...words, "--check-config"]);
    expect([await again.ended(), again.stderr]).toEqual([0, ""]);
    await using port = installation.serve(folder, ["app.ts", "-p", "0"]);
    const address = await port.address();
    await using used = installation.serve(folder, ["app.ts", "-p", String(address.port), "--check-config"]);
    expect([await used.ended(), used.stderr]).toEqual([0, ""]);
  });
});

test("every test that gives up root has a Bun that the other user may run", () => {
  const root = path.resolve(import.meta.dir, "..");
  const files = [...new Bun.Glob("**/*.test.ts").scanSync(root)].filter((file) =>
    /"--user",|user: "nobody"/.test(fs.readFileSync(path.join(root, file), "utf8")),
  );
  expect(files.length).toBeGreaterThan(3);
  const closed = files.filter(
    (file) => !fs.readFileSync(path.join(root, file), "utf8").includes("new Installation("),
  );
  expect(closed).toEqual([]);
});
