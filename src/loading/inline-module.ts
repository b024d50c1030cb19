import path from "node:path";

/** How messages and stacks call code that is in no file. It is Bun's and Node's name for theirs. */
export const INLINE_NAME = "[eval]";

/**
 * Imports code as if it were a file of the current directory, which is where it imports others from.
 *
 * @param code TypeScript: an expression, which becomes the default export, or the text of a module.
 * @throws whatever an import throws.
 */
export async function importCode(code: string): Promise<Readonly<Record<string, unknown>>> {
  const file = path.join(process.cwd(), `${INLINE_NAME}.ts`);
  const contents = asModule(code);
  const filter = new RegExp(`${RegExp.escape(INLINE_NAME)}\\.ts$`);
  Bun.plugin({
    name: "pagi-server-eval",
    setup(build) {
      // Bun looks for the file first, so that it has to be told that there is one.
      build.onResolve({ filter }, () => ({ path: file }));
      build.onLoad({ filter }, () => ({ contents, loader: "ts" }));
    },
  });
  return await import(file);
}

/** The text of a module. What can be read as an expression is one; an object would also be a block of statements. */
function asModule(code: string): string {
  const wrapped = `export default (${code.replace(/;\s*$/, "")}\n);`;
  try {
    new Bun.Transpiler({ loader: "ts" }).scan(wrapped);
    return wrapped;
  } catch {
    return code;
  }
}
