import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { compiledFile } from "../../src/process/program.ts";
import { Folder } from "../support/program.ts";

test("a compiled program is started anew as it was called, whatever has become of its file", () => {
  using folder = new Folder({ one: "", two: "" });
  const [one, two, link] = [folder.file("one"), folder.file("two"), folder.file("link")];
  fs.symlinkSync(two, link);
  const rows: [name: string, real: string, file: string][] = [
    ["./one", one, one],
    [one, one, one],
    ["./one", `${one} (deleted)`, one], // another file has taken its place
    ["./link", one, link], // the link led to the other one when it was started
    ["./gone", `${two} (deleted)`, two],
    ["one", one, one], // by a name that is not in PATH
    ["sh", one, one], // called by the name of another program
    ["", one, one],
  ];
  for (const [name, real, file] of rows)
    expect([name, compiledFile(name, folder.path, real)]).toEqual([name, file]);
});

test("a compiled program that was found in PATH is started anew as that", () => {
  const shell = Bun.which("sh") ?? "";
  const real = fs.realpathSync(shell);
  expect(compiledFile("sh", "/", real)).toBe(shell);
  expect(path.isAbsolute(shell)).toBe(true);
});
