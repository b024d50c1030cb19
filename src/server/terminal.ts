import fs from "node:fs";

/**
 * Whether a file descriptor of this process is a terminal. `process.stdout.isTTY` and `node:tty` say the same, but
 * set up whole streams first, which takes longer than the rest of a start.
 */
export function isTerminal(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== fs.statSync("/dev/null").rdev;
  } catch {
    return false;
  }
}
