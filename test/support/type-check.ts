import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** A machine that is busy with something else makes a check take longer, but hardly so many in a row. */
const TRIES = 5;

/**
 * What a file with many routes costs the type checker more than the same without any, at best, in milliseconds of its
 * own time. Tried again only for as long as that is over the budget. The files are written beside the test that asks.
 *
 * @throws Error for a file with type errors.
 */
export async function leastCost(
  budget: number,
  folderOfTest: string,
  many: string,
  none: string,
): Promise<number> {
  const folder = await mkdtemp(join(folderOfTest, ".routes-"));
  try {
    let least = Infinity;
    for (let tries = 0; tries < TRIES && least >= budget; tries++) {
      const all = await checked(folder, "many.ts", many);
      if (all.errors > 0) throw new Error(`The file with many routes has errors: ${all.output}`);
      least = Math.min(least, all.milliseconds - (await checked(folder, "none.ts", none)).milliseconds);
    }
    return least;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the type checker says of a file: how many errors, and how long it has checked. */
async function checked(
  folder: string,
  name: string,
  text: string,
): Promise<{ errors: number; milliseconds: number; output: string }> {
  const file = join(folder, name);
  await Bun.write(file, text);
  const command = [process.execPath, "check", "--timing", "--no-pretty", file];
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const output = out + err;
  const [, amount = "", unit] = /checked in ([\d.]+)(ms|s)/.exec(output) ?? [];
  if (amount === "") throw new Error(`bun check --timing says no time: ${output}`);
  const errors = code === 0 ? 0 : Number(/Found (\d+) error/.exec(output)?.[1] ?? Infinity);
  return { errors, milliseconds: Number(amount) * (unit === "s" ? 1000 : 1), output };
}
