/** An address that connections come to. Port 0 takes a free one. */
export interface TcpAddress {
  readonly type: "tcp";
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A Unix socket. A path that begins with NUL is an abstract name, for which there is no file. */
export interface UnixAddress {
  readonly type: "unix";
  readonly path: string;
}

/** A listening socket that this process has inherited. */
export interface DescriptorAddress {
  readonly type: "fd";
  readonly fd: number;
}

export type ListenAddress = TcpAddress | UnixAddress | DescriptorAddress;

/** The sockets that a service manager has passed under a name (systemd: FileDescriptorName=). */
export interface NamedAddress {
  readonly type: "named";
  readonly name: string;
}

/** What `--listen` asks for, as the rest of a sentence that begins with "must". */
export const LISTEN_ADDRESS_TEXT =
  "be HOST:PORT, [IPV6]:PORT, the path of a Unix socket, unix:PATH, fd:NUMBER or fd:NAME";

/** Reads the text of an address, or gives `undefined` for what is none. */
export function parseListenAddress(text: string): ListenAddress | NamedAddress | undefined {
  if (text.includes("\0")) return undefined;
  if (/^[/.]/.test(text)) return { type: "unix", path: text };
  const [, path] = /^unix:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) return { type: "unix", path };
  const [, fd] = /^fd:(\d{1,6})$/.exec(text) ?? [];
  if (fd !== undefined) return { type: "fd", fd: Number(fd) };
  const [, name] = /^fd:([^\s:]+)$/.exec(text) ?? [];
  if (name !== undefined) return { type: "named", name };
  const [, bracketed, plain, digits] =
    /^(?:\[([\da-fA-F:.]+(?:%\w+)?)\]|([^\s/[\]:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (isSocketName(text)) return { type: "unix", path: text };
  return host === undefined || port > 65_535 ? undefined : { type: "tcp", host, port };
}

/**
 * Whether a name without any mark is that of a Unix socket in the current directory, as the reference implementation has
 * it. What looks like a part of a TCP address is not: a number, an IPv4 address, `localhost` or `*`.
 */
export function isSocketName(text: string): boolean {
  return /^[^\s:[\]*]+$/.test(text) && !/^[/.]/.test(text) && !/^(?:[\d.]+|localhost)$/i.test(text);
}

/** An address as `parseListenAddress` reads it; an abstract name begins with `@`, as other programs show it. */
export function formatListenAddress(address: ListenAddress): string {
  switch (address.type) {
    case "tcp":
      return `${bracketedHost(address.host)}:${address.port}`;
    case "unix":
      return `unix:${address.path.replace(/^\0/, "@")}`;
    case "fd":
      return `fd:${address.fd}`;
  }
}

/** A host as it stands in a URL. */
export function bracketedHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
