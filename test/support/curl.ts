/** What curl did: its exit code, and what it wrote. */
export interface CurlResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs curl, for at most five seconds. */
export async function curl(...args: string[]): Promise<CurlResult> {
  const path = Bun.which("curl");
  if (path === null) throw new Error("This test needs curl: install the package of that name.");
  const child = Bun.spawn([path, "-sS", "--max-time", "5", ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}
