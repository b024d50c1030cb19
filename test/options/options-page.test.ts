import { expect, test } from "bun:test";

import { optionsPage, optionTypes } from "../../docs/write-options.ts";
import { OPTION_NAMES } from "../../src/options/table.ts";

const page = Bun.file(new URL("../../docs/options.md", import.meta.url));

test("docs/options.md is what the table makes of it; if not: bun run docs:options", async () => {
  expect(await page.text()).toBe(optionsPage());
});

test("src/options/partial-options.ts is what the table makes of it; if not: bun run docs:options", async () => {
  const types = Bun.file(new URL("../../src/options/partial-options.ts", import.meta.url));
  expect(await types.text()).toBe(optionTypes());
});

test("docs/options.md has a heading for every option", async () => {
  const text = await page.text();
  for (const name of OPTION_NAMES) expect(text).toContain(`\n### ${name}\n`);
});
