import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ValidationError, type RequestSource, type ValidationIssue } from "./error.ts";

/** A schema of any library that follows the Standard Schema specification: zod, Valibot, ArkType and others. */
export type Schema<Output = unknown> = StandardSchemaV1<unknown, Output>;

/** What a schema makes of its input. */
export type OutputOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;

/** A schema for each part of a request that is to be checked. */
export type RequestSchemas = { readonly [Source in RequestSource]?: StandardSchemaV1 };

/** What the schemas of a request make of it. */
export type ValidatedRequest<S extends RequestSchemas> = {
  -readonly [Source in keyof S]: S[Source] extends StandardSchemaV1 ? OutputOf<S[Source]> : never;
};

/** True for a schema, false for an object of several. Schemas may be functions too. */
export function isSchema(value: StandardSchemaV1 | RequestSchemas): value is StandardSchemaV1 {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") && "~standard" in value
  );
}

/** Checks a value. @throws ValidationError with what the schema has found, the first 100 of it. */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  source: RequestSource,
): Promise<OutputOf<S>> {
  const result = await check(schema, value);
  if ("issues" in result) throw new ValidationError(result.issues.map((each) => ({ in: source, ...each })));
  return result.value;
}

/** So many issues are told of; a list of a million wrong values is no reason for an answer with a million lines. */
const MAX_ISSUES = 100;
/** Chars of a message or a pointer, which may have keys and values of the client's in them. */
const MAX_TEXT = 500;

/** Checks a value, whatever it is of: what the schema makes of it, or what it has found, the first 100 of it. */
export async function check<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
): Promise<{ readonly value: OutputOf<S> } | { readonly issues: Omit<ValidationIssue, "in">[] }> {
  const result = await schema["~standard"].validate(value);
  // The specification ties the output's type to the schema; its `validate` alone says only `unknown`.
  if (result.issues === undefined) return { value: result.value as OutputOf<S> };
  return { issues: result.issues.slice(0, MAX_ISSUES).map(issueOf) };
}

function issueOf({ path = [], message }: StandardSchemaV1.Issue): Omit<ValidationIssue, "in"> {
  const keys = path.map((step) => (typeof step === "object" ? step.key : step));
  const pointer = keys.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer: cut(pointer), message: cut(message) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT).toWellFormed()}…`;
}

const SOURCES: readonly RequestSource[] = ["path", "query", "headers", "cookies", "body"];

/** What is written wrong here would not be checked, and look as if it were. */
function assertSchemas(schemas: RequestSchemas): void {
  for (const [source, schema] of Object.entries(schemas)) {
    if (!SOURCES.some((known) => known === source)) {
      throw new TypeError(
        `validate() takes a schema (Standard Schema, as of zod), or one for each of ${SOURCES.join(", ")}; ` +
          `'${source}' is none of them.`,
      );
    }
    if (schema !== undefined && !isSchema(schema))
      throw new TypeError(
        `validate(): what is given for '${source}' is no schema (Standard Schema, as of zod).`,
      );
  }
}

/** Checks all parts of a request that have a schema. @throws ValidationError with what all of them have found. */
export async function validateAll(
  schemas: RequestSchemas,
  read: (source: RequestSource) => Promise<unknown>,
): Promise<Partial<Record<RequestSource, unknown>>> {
  assertSchemas(schemas);
  const values: Partial<Record<RequestSource, unknown>> = {};
  const issues: ValidationIssue[] = [];
  for (const source of SOURCES) {
    const schema = schemas[source];
    if (schema === undefined) continue;
    try {
      values[source] = await validate(schema, await read(source), source);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new ValidationError(issues);
  return values;
}
