import fs from "node:fs";

import type { ByteString } from "../spec/values.ts";
import { isTerminalDevice } from "../system/terminal-device.ts";

// bun:ffi takes 2 ms to load, and an ordinary start has no use for it.
const loadLibc = (): typeof import("../system/libc.ts") => require("../system/libc.ts");

/**
 * A destination for log lines that never blocks. `O_NONBLOCK` belongs to the open file description, which other programs
 * may share (the shell's terminal, a pipe of several processes), so it is never set on an inherited descriptor.
 */
export interface Outlet {
  /** Bytes that one write keeps together even if other processes write at the same time. */
  readonly atomicSize: number;
  /** The most to pass to one `write`, for longer lines; they stay together as long as there is room. */
  readonly maxSize: number;
  /**
   * Writes without blocking. Each char of `bytes` is one byte.
   *
   * @returns how many bytes were written; 0 if there is no room now.
   * @throws the system's error if the destination cannot be written to: EPIPE, ENOSPC, ...
   */
  write(bytes: ByteString): number;
  /** Closes the descriptors that it has opened itself. */
  close(): void;
}

/** PIPE_BUF of Linux: a write of this size to a pipe is atomic (pipe(7)). */
const PIPE_BUF = 4096;
/** Files take everything at once, and `O_APPEND` keeps it together (write(2)). */
const FILE_CHUNK = 64 * 1024;
/** The capacity of a pipe on Linux, including the one that `spliceOutlet` uses. */
const LONGEST_WRITE = 64 * 1024;

/**
 * Bytes that a terminal accepts without blocking once it reports room: a pseudo-terminal counts its room in steps of
 * 256 bytes (tty_buffer_space_avail in Linux), and a newline may take two.
 */
const TERMINAL_PIECE = 128;

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_RDWR, O_WRONLY } = fs.constants;

/** The outlet for an inherited descriptor, such as standard error. The descriptor itself is not changed. */
export function inheritedOutlet(fd: number): Outlet {
  const stat = fs.fstatSync(fd);
  if (stat.isSocket()) return firstOf(() => socketOutlet(fd)) ?? blockingOutlet(fd);
  if (stat.isFIFO())
    return (
      firstOf(
        () => reopenedOutlet(fd),
        () => spliceOutlet(fd),
        () => polledOutlet(fd, PIPE_BUF),
      ) ?? blockingOutlet(fd)
    );
  if (stat.isCharacterDevice() && isTerminalDevice(stat.rdev))
    return (
      firstOf(
        () => reopenedOutlet(fd),
        () => polledOutlet(fd, TERMINAL_PIECE),
      ) ?? blockingOutlet(fd)
    );
  return { ...blockingOutlet(fd), atomicSize: FILE_CHUNK, maxSize: FILE_CHUNK }; // a file, or a device such as /dev/null: neither depends on a reader
}

/**
 * Opens a file for appending. A named pipe is opened for reading and writing, so that neither opening nor writing depends
 * on a reader (fifo(7)).
 *
 * @throws the system's error if it cannot be opened.
 */
export function openOutlet(path: string): Outlet {
  const isNamedPipe = fs.statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
  const flags = O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
  const fd =
    (isNamedPipe ? openedForBoth(path, flags) : undefined) ?? fs.openSync(path, flags | O_WRONLY, 0o666);
  const outlet = ownOutlet(fd);
  return fs.fstatSync(fd).isFile() ? { ...outlet, atomicSize: FILE_CHUNK } : outlet;
}

function openedForBoth(path: string, flags: number): number | undefined {
  try {
    return fs.openSync(path, flags | O_RDWR);
  } catch {
    return undefined; // this user may only write
  }
}

/** The first way that works; permissions, kernel and free descriptors decide. */
function firstOf(...ways: (() => Outlet)[]): Outlet | undefined {
  for (const way of ways) {
    try {
      return way();
    } catch {
      // the next one needs less
    }
  }
  return undefined;
}

/** Reopens the pipe or terminal, which fails for one that belongs to another user, as after `sudo -u`. */
function reopenedOutlet(fd: number): Outlet {
  return ownOutlet(fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY));
}

function ownOutlet(fd: number): Outlet {
  return {
    atomicSize: PIPE_BUF,
    maxSize: LONGEST_WRITE,
    write: (bytes) => taken(() => fs.writeSync(fd, bytes, null, "latin1")),
    close: () => fs.closeSync(fd),
  };
}

/** The last resort, which does block: on systems without `/proc`, for example. */
function blockingOutlet(fd: number): Outlet {
  return { ...ownOutlet(fd), close: () => {} };
}

/** A socket, such as journald's, cannot be reopened, but `send` takes a flag not to block (send(2)). */
function socketOutlet(fd: number): Outlet {
  const { checked, libc, MSG, ptr } = loadLibc();
  const { sendto } = libc();
  return {
    atomicSize: PIPE_BUF,
    maxSize: LONGEST_WRITE,
    write(text) {
      const bytes = Buffer.from(text, "latin1");
      const flags = MSG.dontWait | MSG.noSignal;
      return taken(() => Number(checked(sendto(fd, ptr(bytes), bytes.length, flags, null, 0), "sendto")));
    },
    close() {},
  };
}

/**
 * A pipe that may not be reopened: the bytes go into a private pipe and are moved from there, which can be done without
 * blocking (splice(2)).
 */
function spliceOutlet(fd: number): Outlet {
  const { checked, libc, ptr, SOCK, SPLICE } = loadLibc();
  const { pipe2, splice, close } = libc();
  const ends = new Int32Array(2);
  checked(pipe2(ptr(ends), SOCK.cloexec | SOCK.nonblock), "pipe2");
  const [from = -1, to = -1] = ends;
  return {
    atomicSize: PIPE_BUF,
    maxSize: LONGEST_WRITE,
    write(bytes) {
      const size = fs.writeSync(to, bytes, null, "latin1");
      let moved = 0;
      try {
        moved = taken(() =>
          Number(checked(splice(from, null, fd, null, BigInt(size), SPLICE.nonblock), "splice")),
        );
      } finally {
        // The caller writes the rest again, so none of it may remain here.
        if (moved < size) fs.readSync(from, Buffer.alloc(size - moved));
      }
      return moved;
    },
    close() {
      close(from);
      close(to);
    },
  };
}

/** Polls for room first, which is then enough for `size` bytes, unless another process fills it in between (poll(2)). */
function polledOutlet(fd: number, size: number): Outlet {
  const { checked, libc, POLL, ptr } = loadLibc();
  const { poll } = libc();
  const asked = new DataView(new ArrayBuffer(8));
  asked.setInt32(0, fd, true);
  asked.setInt16(4, POLL.out, true);
  const outlet = blockingOutlet(fd);
  return {
    ...outlet,
    atomicSize: size,
    maxSize: size,
    write: (bytes) => (checked(poll(ptr(asked.buffer), 1n, 0), "poll") === 0 ? 0 : outlet.write(bytes)),
  };
}

/** The bytes that a system call has written, or 0 if it would have blocked. */
function taken(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
