import { z } from "zod";

import { OptionError } from "../errors.ts";
import { similarName } from "../spec/nearest-name.ts";
import type { OptionDeclaration } from "./declaration.ts";
import { accepts, expectation } from "./value-check.ts";
import { readValue } from "./value-text.ts";
import {
  type CheckedOptions,
  declarationOf,
  isOptionName,
  OPTION_NAMES,
  type WrittenNames,
} from "./table.ts";

/** Longest part of a refused value that a message repeats. */
const SHOWN_CHARS = 60;

/** The schema of what a user may give to `serve`, made from the table of options. Unknown keys are refused. */
const optionsSchema = z.strictObject(
  Object.fromEntries(OPTION_NAMES.map((name) => [name, schemaOf(declarationOf(name)).optional()])),
);

/**
 * Checks options and reads those that are given as text.
 *
 * @param names how the user wrote the options, for messages.
 * @throws OptionError for the first option that is unknown or has an unusable value.
 */
export function parseOptions(input: unknown, names: WrittenNames = {}): CheckedOptions {
  const result = optionsSchema.safeParse(input);
  // The schema and the type are made from one table; TypeScript cannot follow the loop that makes the schema.
  if (result.success) return withoutUndefined(result.data) as CheckedOptions;
  const [issue] = result.error.issues;
  if (issue?.code === "unrecognized_keys") throw unknownOption(issue.keys[0] ?? "");
  const [key, index] = issue?.path ?? [];
  if (typeof key !== "string" || !isOptionName(key) || !isRecord(input))
    throw new OptionError("options", `must be an object, but are ${shown(input)}.`);
  const value = input[key];
  const name = names[key] ?? key;
  if (declarationOf(key).repeatable && !Array.isArray(value))
    throw new OptionError(name, `must be a list, but is ${shown(value)}.`);
  throw unusableValue(key, name, typeof index === "number" && Array.isArray(value) ? value[index] : value);
}

function schemaOf(option: OptionDeclaration): z.ZodType {
  const one = z.preprocess(
    (value) => readValue(option, value),
    z.custom((value) => accepts(option, value)),
  );
  return option.repeatable ? z.array(one) : one;
}

function unknownOption(key: string): OptionError {
  const nearest = similarName(key, OPTION_NAMES);
  return new OptionError(
    key,
    `there is no such option.${nearest === undefined ? "" : ` Did you mean ${nearest}?`}`,
  );
}

function unusableValue(key: keyof CheckedOptions, name: string, value: unknown): OptionError {
  return new OptionError(name, `must ${expectation(declarationOf(key))}, but is ${shown(value)}.`);
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}...` : value);
  }
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
