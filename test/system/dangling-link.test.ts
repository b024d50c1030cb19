import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { danglingLinkProblem } from "../../src/system/dangling-link.ts";
import { Folder, Program } from "../support/program.ts";

setDefaultTimeout(20_000); // many processes on a machine that may be busy

let folder: Folder;

beforeAll(() => {
  folder = new Folder({ "app.ts": "export default async () => {};" });
  fs.symlinkSync("releases/7/app.ts", folder.file("gone.ts"));
  fs.symlinkSync("circle.ts", folder.file("circle.ts"));
  fs.symlinkSync("releases/7", folder.file("current"));
  fs.symlinkSync("app.ts", folder.file("good.ts"));
});

afterAll(() => {
  folder[Symbol.dispose]();
});

test("names the link, at the end of a path or on the way, and where it leads", () => {
  const at = (name: string) => danglingLinkProblem(folder.file(name));
  expect(at("gone.ts")).toBe(
    `'${folder.file("gone.ts")}' is a symbolic link to 'releases/7/app.ts', which does not exist`,
  );
  expect(at("circle.ts")).toEndWith("is a symbolic link to 'circle.ts', which leads back to it");
  expect(at("current/inner/app.ts")).toBe(
    `'${folder.file("current")}', on the way to '${folder.file("current/inner/app.ts")}', ` +
      "is a symbolic link to 'releases/7', which does not exist",
  );
  for (const name of ["good.ts", "app.ts", "missing.ts", "app.ts/inner"]) expect(at(name)).toBeUndefined();
});

const SERVE = ["-p", "0", "-E", "production"];

test.each<[what: string, words: string[], link: string]>([
  ["the application", ["gone.ts"], "gone.ts"],
  ["an application in a folder", ["current/app.ts"], "current"],
  ["a circle", ["circle.ts"], "circle.ts"],
  ["--preload", ["app.ts", "--preload", "./gone.ts"], "gone.ts"],
  ["--config", ["app.ts", "--config", "gone.ts"], "gone.ts"],
  ["--env-file", ["app.ts", "--env-file", "gone.ts"], "gone.ts"],
  ["--chdir", ["app.ts", "--chdir", "current"], "current"],
  ["--ssl-cert", ["app.ts", "--ssl-cert", "gone.ts", "--ssl-key", "gone.ts"], "gone.ts"],
  ["--access-log", ["app.ts", "--access-log", "current/log"], "current"],
  ["--pid", ["app.ts", "--pid", "current/pid"], "current"],
  ["--access-log, a circle", ["app.ts", "--access-log", "circle.ts"], "circle.ts"],
  ["a directory", ["directory", "current"], "current"],
])("a dangling link is called one: %s", async (_what, words, link) => {
  for (const check of [[], ["--check-config"]]) {
    await using program = Program.serve(folder, [...words, ...SERVE, ...check]);
    expect(await program.ended()).not.toBe(0);
    expect(program.stderr).toContain("is a symbolic link to '");
    expect(program.stderr).toContain(link);
  }
});

test.each([["current/http.sock"], ["gone.ts"]])(
  "a dangling link is called one: --socket %s",
  async (socket) => {
    for (const check of [[], ["--check-config"]]) {
      const words = ["app.ts", "-E", "production", "--socket", socket, ...check];
      await using program = Program.serve(folder, words);
      expect(await program.ended()).not.toBe(0);
      expect(program.stderr).toMatch(
        /is a symbolic link to 'releases\/7(?:\/app\.ts)?', which does not exist/,
      );
    }
    expect(fs.readlinkSync(folder.file("gone.ts"))).toBe("releases/7/app.ts");
  },
);
