import fs from "node:fs";

import { ListenError, messageOf } from "../errors.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";
import { AF, checked, libc, ptr, SOCK, SystemError, unixAddress } from "../system/libc.ts";

/** Who may use the file of a Unix socket. */
export interface SocketFileOwner {
  /** Permission bits. Default 0660. */
  readonly mode?: number | undefined;
  /** Numeric; absent leaves it to be this process's. */
  readonly user?: number | undefined;
  readonly group?: number | undefined;
}

const DEFAULT_MODE = 0o660;

/** The file of a Unix socket that this process has made. */
export class SocketFile {
  readonly path: string;
  /** The device and inode, by which another program of this server knows the file again. */
  readonly id: string;

  /**
   * @param id of a file that a previous program of this server has made, which may be gone by now. Default: that of the
   *   file that is there.
   * @throws when there is neither.
   */
  constructor(path: string, id = idOf(fs.lstatSync(path, { bigint: true }))) {
    this.path = path;
    this.id = id;
  }

  /** Whether it was removed, so that clients cannot connect any more. */
  get isMissing(): boolean {
    try {
      return fs.lstatSync(this.path, { throwIfNoEntry: false }) === undefined;
    } catch {
      return false; // in a folder that is out of reach
    }
  }

  /** Whether it is still there, and not removed or replaced by another server. */
  get isInPlace(): boolean {
    try {
      const found = fs.lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
      return found !== undefined && idOf(found) === this.id;
    } catch {
      return false; // in a folder that is out of reach
    }
  }

  /** Removes it, unless another server has put its own in its place. */
  remove(): void {
    if (!this.isInPlace) return;
    try {
      fs.rmSync(this.path, { force: true });
    } catch {
      // In a folder that is out of reach since privileges were given up. The next start finds it stale, and removes it.
    }
  }
}

function idOf({ dev, ino }: fs.BigIntStats): string {
  return `${dev}:${ino}`;
}

/**
 * Binds a socket to a path, which comes into being with its final mode and owner: nobody can connect before `listen`.
 *
 * @throws ListenError when there is anything but a stale socket, or the owner cannot be set.
 */
export function bindToPath(fd: number, path: string, owner: SocketFileOwner): SocketFile {
  removeStale(path);
  const address = unixAddress(path);
  const mask = process.umask(0o777 & ~(owner.mode ?? DEFAULT_MODE));
  try {
    checked(libc().bind(fd, ptr(address), address.length), "bind");
  } finally {
    process.umask(mask);
  }
  const file = new SocketFile(path);
  if (owner.user === undefined && owner.group === undefined) return file;
  try {
    const own = fs.lstatSync(path);
    fs.lchownSync(path, owner.user ?? own.uid, owner.group ?? own.gid);
  } catch (error) {
    file.remove();
    throw new ListenError(
      `The owner of ${path} cannot be changed: ${messageOf(error)}. Only root may give files away; without it, --socket-group takes a group that this user belongs to.`,
      { cause: error },
    );
  }
  return file;
}

/**
 * Refuses a path at which there is something other than a socket.
 *
 * @returns whether there is a socket.
 * @throws ListenError
 */
export function refuseOtherFile(path: string): boolean {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSocket()) return found !== undefined;
  const what =
    danglingLinkProblem(path) ??
    (found.isSymbolicLink() ? `${path} is a symbolic link` : `${path} exists and is not a socket`);
  throw new ListenError(`${what}. It is left as it is; choose another path.`);
}

/** Removes a socket that nobody listens at any more. */
function removeStale(path: string): void {
  if (!refuseOtherFile(path)) return;
  const problem = connectionProblem(path);
  if (problem === "EACCES" || problem === "EPERM")
    throw new ListenError(
      `${path} is a socket that this user may not connect to, so that it cannot be known whether it is in use. Remove it if it is not, or choose another path.`,
    );
  // Whatever else it says, EAGAIN for a queue that is full, somebody is there.
  if (problem !== "ECONNREFUSED" && problem !== "ENOENT")
    throw new ListenError(`Another process listens at ${path}. Stop it, or choose another path.`);
  fs.rmSync(path, { force: true });
}

/** The code of the error that a connection meets, if any; one that is made to find out is closed at once. */
function connectionProblem(path: string): string | undefined {
  const address = unixAddress(path);
  const fd = checked(libc().socket(AF.unix, SOCK.stream | SOCK.nonblock | SOCK.cloexec, 0), "socket");
  try {
    checked(libc().connect(fd, ptr(address), address.length), "connect");
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return error.code;
  } finally {
    libc().close(fd);
  }
}
