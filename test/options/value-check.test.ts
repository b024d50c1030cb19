import { describe, expect, test } from "bun:test";
import { z } from "zod";

import { OptionError } from "../../src/errors.ts";
import type { OptionDeclaration } from "../../src/options/declaration.ts";
import { parseOptions } from "../../src/options/schema.ts";
import { declarationOf, OPTION_NAMES } from "../../src/options/table.ts";
import { accepts, highestOf } from "../../src/options/value-check.ts";
import { readValue } from "../../src/options/value-text.ts";

const values: unknown[] = [
  ..."0 1 -1 +5 80 65535 65536 1.5 .5 1e3 0x10 64k 10M 1.5m 1g 30s 500ms 2m 1.5h 1d 25d 5x".split(" "),
  ..."true FALSE yes no on off - auto debug info none development clf /api /api/ a.log".split(" "),
  ...["", " ", "a b", " 5 ", "٣"],
  ...[
    0,
    1,
    -1,
    0.5,
    80,
    65_536,
    2 ** 31,
    2 ** 53,
    NaN,
    Infinity,
    true,
    false,
    null,
    [],
    {},
    5n,
    Symbol.iterator,
  ],
];

/** The same rules in the words of a library. */
function schemaOf(option: OptionDeclaration): z.ZodType {
  switch (option.type) {
    case "string":
      if (option.pattern !== undefined) return z.string().regex(option.pattern);
      return option.repeatable ? z.string().min(1) : z.string();
    case "integer":
    case "port":
    case "size": {
      const number = z.int().min(option.minimum).max(highestOf(option));
      return option.zeroWord === undefined ? number : z.union([z.literal(0), number]);
    }
    case "duration":
      return z.number().min(option.minimum).max(highestOf(option));
    case "boolean":
      return z.boolean();
    case "choice":
      return z.enum(option.choices);
    case "log-target":
      return z.union([z.boolean(), z.string().min(1)]);
  }
}

describe("each option accepts", () => {
  test.each([...OPTION_NAMES])("what zod accepts: %s", (name) => {
    const option = declarationOf(name);
    const schema = schemaOf(option);
    for (const value of values) {
      const read = readValue(option, value);
      expect([value, accepts(option, read)]).toEqual([value, schema.safeParse(read).success]);
    }
  });

  test.each([...OPTION_NAMES])("what the schema of all options accepts: %s", (name) => {
    const option = declarationOf(name);
    for (const value of values) {
      const given = option.repeatable ? [value] : value;
      const read = readValue(option, value);
      let parsed: unknown;
      try {
        parsed = parseOptions({ [name]: given });
      } catch (error) {
        expect(error).toBeInstanceOf(OptionError);
      }
      const expected = { [name]: option.repeatable ? [read] : read };
      expect([value, parsed]).toEqual([value, accepts(option, read) ? expected : undefined]);
    }
  });

  test("a list where it is repeatable, and nowhere else", () => {
    for (const name of OPTION_NAMES) {
      const { repeatable } = declarationOf(name);
      const refused = repeatable ? "one" : [declarationOf(name).default];
      expect(() => parseOptions({ [name]: refused })).toThrow(OptionError);
    }
  });
});
