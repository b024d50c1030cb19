import path from "node:path";

import {
  AF,
  checked,
  cString,
  FCNTL,
  LEVEL,
  libc,
  OPT,
  ptr,
  read,
  SOCK,
  SystemError,
} from "../system/libc.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { bindToPath } from "./unix-socket.ts";
import type { SocketFile, SocketFileOwner } from "./unix-socket.ts";

export interface SocketSettings extends SocketFileOwner {
  /** Several sockets may listen at the same TCP address, and the kernel spreads connections over them. */
  readonly reusePort?: boolean;
  /** Connections that wait to be accepted; the kernel's own limit (net.core.somaxconn) holds too. Default 2048. */
  readonly backlog?: number;
}

const DEFAULT_BACKLOG = 2048;
/** Of a `sockaddr_storage`. */
const LONGEST_ADDRESS = 128;
/** Offsets in a `struct addrinfo` of a 64-bit Linux. */
const ADDRINFO = { size: 48, family: 4, socketType: 8, length: 16, address: 24, next: 40 } as const;

/**
 * A listening socket that nobody accepts from yet: the connections that come wait in it. To be served it goes to
 * `Bun.listen` by its descriptor, in this process or in a child that inherits it. Two objects never own one descriptor:
 * the one that adopts it closes it.
 */
export class ListeningSocket {
  readonly fd: number;
  /** The address in use: a port that was 0 is the one that was found, a path is absolute. */
  readonly address: TcpAddress | UnixAddress;
  /** The file of a Unix socket, if it was made here. */
  readonly file: SocketFile | undefined;

  constructor(fd: number, address: TcpAddress | UnixAddress, file?: SocketFile) {
    this.fd = fd;
    this.address = address;
    this.file = file;
  }

  /** A second descriptor for the same socket, closed when another program is executed. @throws SystemError */
  dup(): number {
    return duplicate(this.fd);
  }

  /** Closes the descriptor; the file of a Unix socket stays. */
  close(): void {
    libc().close(this.fd);
  }
}

/** A listening socket, and the address that was asked for to get it, as `--listen` has it. */
export interface AskedSocket {
  readonly asked: string;
  readonly socket: ListeningSocket;
}

/**
 * Makes a socket that listens at `address`.
 *
 * @throws SystemError as `Bun.listen` would, with `code` `EADDRINUSE` and the like; `ENOTFOUND` for an unknown host.
 * @throws ListenError when the path of a Unix socket is taken.
 */
export function openListeningSocket(
  address: TcpAddress | UnixAddress,
  settings: SocketSettings = {},
): ListeningSocket {
  return address.type === "tcp" ? openTcp(address, settings) : openUnix(address, settings);
}

/**
 * Takes a listening socket that this process has inherited, or that `ListeningSocket.dup` gave.
 *
 * @throws SystemError `EBADF` or `ENOTSOCK` for a descriptor that is not a socket, `EINVAL` for one that does not listen.
 */
export function inheritedSocket(fd: number): ListeningSocket {
  const address = boundAddress(fd);
  const isStream = socketOption(fd, OPT.type) === SOCK.stream;
  if (!isStream || socketOption(fd, OPT.acceptsConnections) !== 1)
    throw new SystemError("EINVAL", "listen", "not a listening socket");
  const status = checked(libc().fcntl(fd, FCNTL.getStatus, 0), "fcntl");
  checked(libc().fcntl(fd, FCNTL.setStatus, status | SOCK.nonblock), "fcntl");
  setInherited(fd, false);
  return new ListeningSocket(fd, address);
}

/** A second descriptor for the same socket, closed when another program is executed. @throws SystemError */
export function duplicate(fd: number): number {
  const copy = checked(libc().dup(fd), "dup");
  setInherited(copy, false);
  return copy;
}

/** Whether programs that this process executes get the descriptor. @throws SystemError */
export function setInherited(fd: number, inherited: boolean): void {
  checked(libc().fcntl(fd, FCNTL.setFlags, inherited ? 0 : FCNTL.closeOnExec), "fcntl");
}

/** Changes how many connections may wait in a listening socket. @throws SystemError */
export function setBacklog(fd: number, backlog: number): void {
  checked(libc().listen(fd, backlog), "listen");
}

/** The address that a socket is bound to. @throws SystemError */
export function boundAddress(fd: number): TcpAddress | UnixAddress {
  const bytes = new Uint8Array(LONGEST_ADDRESS);
  const length = new Uint32Array([bytes.length]);
  checked(libc().getsockname(fd, ptr(bytes), ptr(length)), "getsockname");
  return decodeAddress(bytes.subarray(0, length[0]));
}

function openTcp(address: TcpAddress, settings: SocketSettings): ListeningSocket {
  const { family, bytes } = lookUp(address);
  const fd = checked(libc().socket(family, SOCK.stream | SOCK.nonblock | SOCK.cloexec, 0), "socket");
  try {
    setOption(fd, LEVEL.socket, OPT.reuseAddress, 1);
    if (settings.reusePort) setOption(fd, LEVEL.socket, OPT.reusePort, 1);
    // `::` is every address of this machine, those of IPv4 too, whatever the system's default is.
    if (family === AF.inet6) setOption(fd, LEVEL.ipv6, OPT.v6Only, 0);
    checked(libc().bind(fd, ptr(bytes), bytes.length), "bind");
    setBacklog(fd, settings.backlog ?? DEFAULT_BACKLOG);
    return new ListeningSocket(fd, boundAddress(fd));
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function openUnix(address: UnixAddress, settings: SocketSettings): ListeningSocket {
  const file = path.resolve(address.path);
  const fd = checked(libc().socket(AF.unix, SOCK.stream | SOCK.nonblock | SOCK.cloexec, 0), "socket");
  let made: SocketFile | undefined;
  try {
    made = bindToPath(fd, file, settings);
    setBacklog(fd, settings.backlog ?? DEFAULT_BACKLOG);
    return new ListeningSocket(fd, { type: "unix", path: file }, made);
  } catch (error) {
    made?.remove();
    libc().close(fd);
    throw error;
  }
}

/** The first IPv4 address of a host, or where it has none its first IPv6 address; with the port, as the kernel has it. */
function lookUp({ host, port }: TcpAddress): { family: number; bytes: Uint8Array } {
  const name = cString(host);
  const hints = new Uint8Array(ADDRINFO.size);
  new DataView(hints.buffer).setInt32(ADDRINFO.socketType, SOCK.stream, true);
  const result = new BigUint64Array(1);
  const failure = libc().getaddrinfo(ptr(name), null, ptr(hints), ptr(result));
  if (failure !== 0) throw new SystemError("ENOTFOUND", "getaddrinfo", `no address of ${host}`);
  const [list = 0n] = result;
  try {
    const found: { family: number; bytes: Uint8Array }[] = [];
    for (let info = list; info !== 0n; info = read.u64(info, ADDRINFO.next)) {
      const source = read.u64(info, ADDRINFO.address);
      const length = read.u32(info, ADDRINFO.length);
      const bytes = Uint8Array.from({ length }, (_, at) => read.u8(source, at));
      new DataView(bytes.buffer).setUint16(2, port);
      found.push({ family: read.i32(info, ADDRINFO.family), bytes });
    }
    const best = found.find(({ family }) => family === AF.inet) ?? found[0];
    if (best === undefined) throw new SystemError("ENOTFOUND", "getaddrinfo", `no address of ${host}`);
    return best;
  } finally {
    libc().freeaddrinfo(list);
  }
}

/** Reads a `sockaddr`. @throws SystemError `EAFNOSUPPORT` for what is neither TCP nor a Unix socket. */
function decodeAddress(bytes: Uint8Array): TcpAddress | UnixAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint16(0, true)) {
    case AF.inet:
      return { type: "tcp", host: bytes.slice(4, 8).join("."), port: view.getUint16(2) };
    case AF.inet6:
      return { type: "tcp", host: ipv6Text(view, 8), port: view.getUint16(2) };
    case AF.unix: {
      const name = Buffer.from(bytes.subarray(2)).toString();
      // A path ends with NUL; an abstract name begins with one.
      return { type: "unix", path: name.startsWith("\0") ? name : name.replace(/\0.*$/s, "") };
    }
    default:
      throw new SystemError("EAFNOSUPPORT", "getsockname", "neither TCP nor a Unix socket");
  }
}

/** An IPv6 address as text, shortened as RFC 5952 asks. */
function ipv6Text(view: DataView, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(offset + 2 * i).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function setOption(fd: number, level: number, option: number, value: number): void {
  checked(libc().setsockopt(fd, level, option, ptr(new Int32Array([value])), 4), "setsockopt");
}

function socketOption(fd: number, option: number): number {
  const value = new Int32Array(1);
  checked(libc().getsockopt(fd, LEVEL.socket, option, ptr(value), ptr(new Uint32Array([4]))), "getsockopt");
  return value[0] ?? 0;
}
