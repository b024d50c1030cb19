import { expect, test } from "bun:test";
import fs from "node:fs";

import { OptionError } from "../../src/errors.ts";
import { PidFile } from "../../src/process/pid-file.ts";
import { DIARY, Folder, MAIN, Program } from "../support/program.ts";

test("opening leaves what is in it; writing replaces it; the end removes it", () => {
  using folder = new Folder({ pid: "999999999\n" });
  const path = folder.file("pid");
  const file = new PidFile(path);
  expect(fs.readFileSync(path, "utf8")).toBe("999999999\n");
  file.write();
  expect(fs.readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  file.end();
  expect(fs.existsSync(path)).toBe(false);
});

test("a process that runs holds it, unless this one follows it", () => {
  using folder = new Folder({ pid: `${process.ppid}\n` });
  const path = folder.file("pid");
  expect(() => new PidFile(path)).toThrow(
    new OptionError(
      "--pid",
      `${path} belongs to process ${process.ppid}, which runs. Stop it, or give another file.`,
    ),
  );
  const file = new PidFile(path, process.ppid);
  // A successor that fails leaves it to the one before.
  file.end();
  expect(fs.readFileSync(path, "utf8")).toBe(`${process.ppid}\n`);
});

test("one that a successor has written meanwhile is the successor's", () => {
  using folder = new Folder();
  const path = folder.file("pid");
  const file = new PidFile(path);
  file.write();
  fs.writeFileSync(path, "1\n");
  file.end();
  expect(fs.readFileSync(path, "utf8")).toBe("1\n");
});

test("one that was made and never written is removed, an empty one that was there is not", () => {
  using folder = new Folder({ old: "" });
  for (const [name, stays] of [
    ["new", false],
    ["old", true],
  ] as const) {
    new PidFile(folder.file(name)).end();
    expect(fs.existsSync(folder.file(name))).toBe(stays);
  }
});

test("what holds no process id, and what cannot be written, is refused", () => {
  using folder = new Folder({ notes: "12 monkeys\n" });
  expect(() => new PidFile(folder.file("notes"))).toThrow("holds no process id");
  expect(fs.readFileSync(folder.file("notes"), "utf8")).toBe("12 monkeys\n");
  expect(() => new PidFile(folder.file("no/pid"))).toThrow("cannot be written: ENOENT");
  expect(() => new PidFile(folder.path)).toThrow("cannot be written: EISDIR");
});

// A file that may have no bytes is the nearest thing to a full disk that every user can have.
for (const workers of ["1", "2"])
  test(`a server that cannot write it ends, and says so: ${workers} worker(s)`, async () => {
    using folder = new Folder({ "app.ts": DIARY });
    const serve = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`;
    await using program = new Program(
      folder,
      [process.execPath, MAIN, "app.ts", "-p", "0", "-E", "production", "-w", workers, "--pid", "pid"],
      {},
      { command: ["sh", "-c", serve] },
    );
    expect(await program.ended()).toBe(2);
    expect(program.stderr).toContain("--pid: pid cannot be written: EFBIG");
    expect(fs.existsSync(folder.file("pid"))).toBe(false);
  });
