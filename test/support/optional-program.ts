/**
 * Whether tests that need a program are to be skipped: on a developer's machine that does not have it. In CI they run
 * all the same, and fail.
 */
export function isMissing(program: string): boolean {
  return Bun.which(program) === null && process.env["CI"] === undefined;
}
