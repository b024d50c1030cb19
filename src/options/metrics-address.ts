import { OptionError } from "../errors.ts";
import { isSocketName, parseListenAddress } from "./listen-address.ts";
import type { TcpAddress, UnixAddress } from "./listen-address.ts";

/**
 * Reads the address of an endpoint; empty is none.
 *
 * @param name how the user wrote the option, for messages.
 * @throws OptionError for anything but the address of a TCP or Unix socket.
 */
export function parseMetricsAddress(text: string, name = "metrics"): TcpAddress | UnixAddress | undefined {
  if (text === "") return undefined;
  const address = parseListenAddress(text);
  // `on` or `true` is not meant as the name of a socket.
  if (address?.type === "tcp" || (address?.type === "unix" && !isSocketName(text))) return address;
  throw new OptionError(
    name,
    `must be HOST:PORT, [IPV6]:PORT, a path that begins with / or ., or unix:PATH, but is ${JSON.stringify(text)}.`,
  );
}
