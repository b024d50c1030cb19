import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { declarationOf, isOptionName, OPTION_NAMES, OPTIONS } from "../src/options/table.ts";
import { formatValue } from "../src/options/value-text.ts";
import { ServerProcess } from "./support/example.ts";

const ROOT = join(import.meta.dir, "..");
const text = (file: string): Promise<string> => Bun.file(join(ROOT, file)).text();

test("the README's first application answers as the README says", async () => {
  const readme = await text("README.md");
  const app = /`app\.ts`:\n\n```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const [, path = "", answer] =
    /curl http:\/\/localhost:5000(\S+)\n```\n\n```text\n(.*?)```/s.exec(readme) ?? [];
  const folder = await mkdtemp(join(tmpdir(), "pagi-server-readme-"));
  try {
    await Bun.write(join(folder, "app.ts"), app);
    await using server = await ServerProcess.start([join(folder, "app.ts"), "-p", "0"]);
    expect(await (await fetch(server.url + path)).text()).toBe(answer ?? "");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each(["README.md", "SECURITY.md"])("%s names each limit with its flag and its default", async (file) => {
  const document = await text(file);
  const rows = [...document.matchAll(/\| `--([a-z-]+)`\s+\| (\w+)\s+(?=\|)/g)];
  for (const [, flag, value] of rows) {
    const name = OPTION_NAMES.find((each) => OPTIONS[each].flag === flag);
    if (name === undefined || !isOptionName(name)) throw new Error(`there is no flag --${flag}`);
    expect(`--${flag} ${value}`).toBe(`--${flag} ${formatValue(declarationOf(name), OPTIONS[name].default)}`);
  }
  const named = rows.map(([, flag]) => flag);
  const limits: string[] = OPTION_NAMES.filter((name) => OPTIONS[name].group === "Limits").map(
    (name) => OPTIONS[name].flag,
  );
  expect(named).toEqual(expect.arrayContaining(limits));
});

const DOCUMENTS = ["*.md", "docs/**/*.md", "examples/**/*.md", "{src,testing}/**/*.md"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)])
  .sort();

test.each(DOCUMENTS)("%s links to files that exist", async (file) => {
  const links = [...(await text(file)).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(
    ([, target = ""]) => target,
  );
  expect(links.filter((target) => !existsSync(join(ROOT, dirname(file), target)))).toEqual([]);
});
