import { ListenError, messageOf } from "../errors.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";
import { formatListenAddress } from "../options/listen-address.ts";
import type { ListenAddress, TcpAddress } from "../options/listen-address.ts";

/** The flags that an address was given with: one for all of it, or one for each part. */
export interface AddressFlags {
  readonly host: string;
  readonly port: string;
}

const PARTS: AddressFlags = { host: "--host", port: "--port" };

/** Why an address cannot be had, and what to do. An error that says so itself is passed on. */
export function listenError(
  address: ListenAddress,
  error: unknown,
  flags: AddressFlags = PARTS,
): ListenError {
  if (error instanceof ListenError) return error;
  return new ListenError(explain(address, error, flags), { cause: error });
}

function explain(address: ListenAddress, error: unknown, flags: AddressFlags): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (address.type) {
    case "tcp":
      return explainTcp(address, code, error, flags);
    case "unix":
      return explainUnix(address.path, code, error);
    case "fd":
      return explainDescriptor(address.fd, code, error);
  }
}

function explainTcp(
  address: TcpAddress,
  code: unknown,
  error: unknown,
  { host, port }: AddressFlags,
): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${address.port} on ${address.host} is in use. Choose another with ${port}, or stop what listens there.`;
    case "EACCES":
      return `Not allowed to listen at ${formatListenAddress(address)}. Ports below 1024 need privileges; choose another with ${port}.`;
    case "EADDRNOTAVAIL":
      return `${address.host} is not an address of this machine. Choose another with ${host}.`;
    case undefined: // what Bun gives for a name that cannot be resolved
    case "ENOTFOUND":
      return `The host ${address.host} has no address: no IP address, and no name that can be resolved. Choose another with ${host}.`;
    default:
      return `Cannot listen at ${formatListenAddress(address)}: ${messageOf(error)}. Check ${host === port ? host : `${host} and ${port}`}.`;
  }
}

function explainUnix(path: string, code: unknown, error: unknown): string {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `Cannot listen at ${path}: ${danglingLinkProblem(path) ?? "its directory does not exist. Create it"}, or choose another path.`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `Not allowed to make the socket ${path}. Change the permissions of its directory, or choose another path.`;
    case "ENAMETOOLONG":
      return `Cannot listen at ${path}: the path of a Unix socket has at most 107 bytes. Choose a shorter one.`;
    case "EADDRINUSE":
      return `Another process has just begun to listen at ${path}. Stop it, or choose another path.`;
    default:
      return `Cannot listen at ${path}: ${messageOf(error)}. Choose another path.`;
  }
}

function explainDescriptor(fd: number, code: unknown, error: unknown): string {
  const what = `Descriptor ${fd} cannot be served`;
  switch (code) {
    case "EBADF":
      return `${what}: it is not open. Whoever starts the server has to pass it.`;
    case "ENOTSOCK":
      return `${what}: it is not a socket.`;
    case "EINVAL":
    case "EAFNOSUPPORT":
      return `${what}: it is not a listening TCP or Unix socket. With systemd: ListenStream=, and Accept=no.`;
    default:
      return `${what}: ${messageOf(error)}.`;
  }
}
