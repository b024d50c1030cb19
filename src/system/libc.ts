import { CString, ptr, read } from "bun:ffi";
import type { Pointer } from "bun:ffi";
import os from "node:os";

import { loadFunctions } from "./c-library.ts";

// What Bun has no interface for: sockets that exist before they are served, and datagrams to Unix sockets. The numbers
// are those of Linux, the same for x86-64 and ARM64.

/** Address families. */
export const AF = { unix: 1, inet: 2, inet6: 10 } as const;
/** Kinds and flags of sockets. */
export const SOCK = { stream: 1, datagram: 2, nonblock: 0o4000, cloexec: 0o2000000 } as const;
/** Levels of socket options. */
export const LEVEL = { socket: 1, ipv6: 41 } as const;
/** Socket options: those of the level `socket`, and `v6Only` of the level `ipv6`. */
export const OPT = { reuseAddress: 2, type: 3, reusePort: 15, acceptsConnections: 30, v6Only: 26 } as const;
/** Flags of `sendto`. */
export const MSG = { dontWait: 0x40, noSignal: 0x4000 } as const;
/** Flags of `splice`, and events of `poll`. */
export const SPLICE = { nonblock: 2 } as const;
export const POLL = { out: 4 } as const;
/** Flags and commands of `fcntl`. */
export const FCNTL = { getFlags: 1, setFlags: 2, closeOnExec: 1, getStatus: 3, setStatus: 4 } as const;

const SYMBOLS = {
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  listen: { args: ["int", "int"], returns: "int" },
  connect: { args: ["int", "ptr", "u32"], returns: "int" },
  sendto: { args: ["int", "ptr", "u64", "int", "ptr", "u32"], returns: "i64" },
  socketpair: { args: ["int", "int", "int", "ptr"], returns: "int" },
  sendmsg: { args: ["int", "ptr", "int"], returns: "i64" },
  recvmsg: { args: ["int", "ptr", "int"], returns: "i64" },
  pipe2: { args: ["ptr", "int"], returns: "int" },
  splice: { args: ["int", "ptr", "int", "ptr", "u64", "u32"], returns: "i64" },
  poll: { args: ["ptr", "u64", "int"], returns: "int" },
  getsockname: { args: ["int", "ptr", "ptr"], returns: "int" },
  getsockopt: { args: ["int", "int", "int", "ptr", "ptr"], returns: "int" },
  setsockopt: { args: ["int", "int", "int", "ptr", "u32"], returns: "int" },
  getaddrinfo: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "int" },
  freeaddrinfo: { args: ["ptr"], returns: "void" },
  getpwnam: { args: ["ptr"], returns: "ptr" },
  getgrouplist: { args: ["ptr", "u32", "ptr", "ptr"], returns: "int" },
  getgrnam: { args: ["ptr"], returns: "ptr" },
  clock_gettime: { args: ["int", "ptr"], returns: "int" },
  fcntl: { args: ["int", "int", "int"], returns: "int" },
  dup: { args: ["int"], returns: "int" },
  close: { args: ["int"], returns: "int" },
  syscall: { args: ["i64", "i64", "i64", "i64"], returns: "int" },
  prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
  signal: { args: ["int", "u64"], returns: "u64" },
  execve: { args: ["ptr", "ptr", "ptr"], returns: "int" },
  memfd_create: { args: ["ptr", "u32"], returns: "int" },
  strerror: { args: ["int"], returns: "ptr" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

type Libc = ReturnType<typeof load>;
let loaded: Libc | undefined;

/** The C library, loaded at the first call, which takes about half a millisecond. */
export function libc(): Libc {
  return (loaded ??= load());
}

function load() {
  return loadFunctions(SYMBOLS);
}

/** An error of the operating system, with the keys that Node's have. */
export class SystemError extends Error {
  /** Such as `EADDRINUSE`. */
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, text: string) {
    super(`${text} (${code}, ${syscall})`);
    this.name = "SystemError";
    this.code = code;
    this.syscall = syscall;
  }
}

/** Passes on what a system call returned. @throws SystemError when that is -1. */
export function checked<Result extends number | bigint>(result: Result, syscall: string): Result {
  if (Number(result) !== -1) return result;
  const location = libc().__errno_location();
  const number = location === null ? 0 : read.i32(location);
  const name = Object.entries(os.constants.errno).find(([, value]) => value === number)?.[0];
  const text = libc().strerror(number);
  throw new SystemError(name ?? `E${number}`, syscall, text === null ? "unknown error" : textAt(text));
}

/** A text as C has it. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The text that C has at an address. */
export function textAt(address: Pointer | bigint): string {
  return new CString(address).toString();
}

/** A socket address that names a file, or with a leading NUL an abstract name. @throws SystemError when it is too long. */
export function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path);
  // sun_path has 108 bytes, of which a path needs one for its NUL.
  if (name.length > 107) throw new SystemError("ENAMETOOLONG", "bind", "longer than 107 bytes");
  const isAbstract = name[0] === 0;
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new DataView(address.buffer).setUint16(0, AF.unix, true);
  address.set(name, 2);
  return address;
}

export { ptr, read };
