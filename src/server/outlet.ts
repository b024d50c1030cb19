import fs from "node:fs";

import type { ByteString } from "../spec/values.ts";
import { isTerminalDevice } from "./terminal-device.ts";

// bun:ffi takes 2 ms to load, and an ordinary start has no use for it.
const loadLibc = (): typeof import("./libc.ts") => require("./libc.ts");

/**
 * A descriptor that log lines go to, and that is never waited for. `O_NONBLOCK` belongs to an open file, which other
 * programs may share (the shell's terminal, a pipe of several processes), so it is never set on one that was inherited.
 */
export interface Outlet {
  /** Bytes of one write that other writers cannot tear apart. */
  readonly atomicSize: number;
  /** The most that one `write` is given, for a line that is longer: as long as there is room, it stays in one piece too. */
  readonly maxSize: number;
  /**
   * Writes without waiting. Each char of `bytes` is one byte.
   *
   * @returns how many bytes were taken; 0 when there is no room now.
   * @throws what the system says of a destination that cannot be written to: EPIPE, ENOSPC, ...
   */
  write(bytes: ByteString): number;
  /** Closes what it has opened itself. */
  close(): void;
}

/** PIPE_BUF of Linux: what is written to a pipe at once, and not mixed with what others write (pipe(7)). */
const PIPE_BUF = 4096;
/** Files take everything at once, and `O_APPEND` keeps it together. */
const FILE_CHUNK = 64 * 1024;
/** Pipes of Linux have room for 64 KiB, also the one that is spliced from. */
const LONGEST_WRITE = 64 * 1024;

/**
 * What a terminal takes without waiting once it has any room: a pseudo-terminal counts it in steps of 256 bytes
 * (tty_buffer_space_avail of Linux), of which a newline may need two.
 */
const TERMINAL_PIECE = 128;

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_RDWR, O_WRONLY } = fs.constants;

/** The outlet of a descriptor that this process has inherited, such as standard error, and that stays as it is. */
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
  return { ...blockingOutlet(fd), atomicSize: FILE_CHUNK, maxSize: FILE_CHUNK }; // a file, or a device such as /dev/null, which does not make anybody wait
}

/**
 * Opens a file to append to. A named pipe is opened for both directions, so that neither this nor a write depends on
 * somebody who reads it (fifo(7)).
 *
 * @throws what the system says when it cannot be opened.
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
    return undefined; // this user may write, and not read
  }
}

/** The first that can be had: rights, kernel and free descriptors decide. */
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

/** An open file of our own for the same pipe or terminal. Another user's, as after `sudo -u`, may not be opened. */
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

/** What waits for room where nothing else can be had, as on a system without `/proc`. */
function blockingOutlet(fd: number): Outlet {
  return { ...ownOutlet(fd), close: () => {} };
}

/** A socket, as the journal's, cannot be opened once more, but can be asked not to wait (send(2)). */
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
 * A pipe that may not be opened once more: what is written to a pipe of our own is moved on from there, which can be
 * asked not to wait (splice(2)).
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
        // What was not taken will be written again, so nothing of it may be left over here.
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

/** Asks for room first, which is then there for `size` bytes, unless another program that writes is quicker (poll(2)). */
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

/** The bytes that a system call has taken, or 0 where it would have had to wait. */
function taken(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
