import { join } from "node:path";

const CLIENT = join(import.meta.dir, "ws-client.mjs");

/** What `import "ws"` can be. */
export const WS_RUNTIMES = [
  { name: "Bun's ws", command: process.execPath },
  { name: "npm's ws on Node", command: "node" },
] as const;

/**
 * Runs a client of the package `ws` as a process: sends the messages at once, waits for `count` messages, and closes.
 * Messages that begin with `hex:` are bytes, both ways.
 *
 * @returns the messages that came, and at last `closed CODE`.
 * @throws Error with what it said when it fails.
 */
export async function runWsClient(
  command: string,
  url: string,
  count: number,
  messages: readonly string[],
): Promise<string[]> {
  const child = Bun.spawn([command, CLIENT, url, String(count), ...messages], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command} ${CLIENT} exited with ${code}: ${errors}`);
  return output.trimEnd().split("\n");
}
