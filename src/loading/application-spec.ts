import { LoadError } from "../errors.ts";

/** What names an application: a file, and perhaps one of its exports. */
export interface ApplicationSpec {
  readonly file: string;
  readonly exported: string | undefined;
}

/**
 * Takes apart what names an application. A colon may also be part of the file's name; then the file exists as it is
 * written.
 *
 * @throws LoadError (as a rejection) where there is nothing before or behind the colon.
 */
export async function splitSpec(spec: string): Promise<ApplicationSpec> {
  const colon = spec.lastIndexOf(":");
  const exported = spec.slice(colon + 1);
  if (colon === -1 || exported.includes("/") || (await Bun.file(spec).exists())) {
    return { file: spec, exported: undefined };
  }
  if (colon === 0 || exported === "") {
    throw new LoadError(
      `'${spec}' names no ${colon === 0 ? "file" : "export"}. Write it as app.ts or app.ts:name.`,
    );
  }
  return { file: spec.slice(0, colon), exported };
}
