import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** What the type checker says of a file: how many errors, and how long it has checked. */
export async function checked(
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
