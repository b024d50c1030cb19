import { isTerminalDevice } from "../system/terminal-device.ts";

// node:fs takes 2 ms to load, and not every start has a use for it.
const loadFs = (): typeof import("node:fs") => require("node:fs");

/**
 * Whether a file descriptor of this process is a terminal. `process.stdout.isTTY` and `node:tty` say the same, but
 * set up whole streams first, which takes longer than the rest of a start.
 */
export function isTerminal(fd: number): boolean {
  try {
    const fs = loadFs();
    const stat = fs.fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== fs.statSync("/dev/null").rdev;
  } catch {
    return false;
  }
}

/**
 * Whether somebody sits at a terminal: one that shows the output, or one whose output goes through a pipe, as with
 * `2>&1 | tee log`. Output that goes to a file or a service manager is nobody's to watch.
 */
export function isAtTerminal(): boolean {
  return isTerminal(1) || isTerminal(2) || (isTerminal(0) && (isPipe(1) || isPipe(2)));
}

function isPipe(fd: number): boolean {
  try {
    const stat = loadFs().fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

/**
 * Writes text and a newline to standard output (1) or standard error (2), at once. A closed reader is not an error.
 * Standard output carries the result of a command, and blocks until it is read; standard error carries the log, and never
 * blocks. `console.error` would colour the text in a terminal, and `process.stderr` sets up a stream.
 */
export function writeLine(fd: 1 | 2, text: string): void {
  if (fd === 2) {
    const { standardError }: typeof import("./standard-error.ts") = require("./standard-error.ts");
    standardError().writeText(text);
    return;
  }
  let rest = Buffer.from(`${text}\n`);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(loadFs().writeSync(fd, rest));
    } catch (error) {
      // A full pipe that does not block; Bun's own writer waits for it.
      if (error instanceof Error && "code" in error && error.code === "EAGAIN")
        void Bun.write(Bun.stdout, rest);
      return;
    }
  }
}

/** Whether this process writes to a terminal that has been closed since. */
export function isTerminalGone(): boolean {
  const { fstatSync } = loadFs();
  const { isatty }: typeof import("node:tty") = require("node:tty");
  return [1, 2].some((fd) => {
    try {
      return isTerminalDevice(fstatSync(fd).rdev) && !isatty(fd);
    } catch {
      return false;
    }
  });
}
