import { formatListenAddress } from "../options/listen-address.ts";
import type { AskedSocket } from "../listening/listening-socket.ts";
import { parseMetricsAddress } from "../options/metrics-address.ts";
import { openMetricsSocket } from "../metrics/endpoint.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { SocketDescription } from "../server/listeners.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import type { Role } from "./role.ts";
import { takeOver } from "./sockets.ts";

/**
 * Opens the socket for the metrics before privileges are dropped, or takes over the inherited one if the options still ask
 * for its address.
 *
 * @returns undefined if the options ask for no metrics, or the predecessor still holds the address.
 * @throws ListenError
 */
export function takeMetricsSocket(options: ServerOptions, role: Role): AskedSocket | undefined {
  const address = parseMetricsAddress(options.metrics);
  const asked = address === undefined ? undefined : formatListenAddress(address);
  const inherited = "sockets" in role ? role.sockets.filter((each) => each.isForMetrics === true) : [];
  let found: AskedSocket | undefined;
  for (const each of inherited) {
    const socket = takeOver(each);
    if (each.asked === asked) found = { asked: each.asked, socket };
    else socket.close();
  }
  return found ?? openMetricsSocket(options, role.type === "successor");
}

/** The socket in the form in which the next program inherits it. */
export function metricsInheritance(socket: SocketDescription | undefined): InheritedSocket[] {
  return socket === undefined ? [] : [{ ...socket, slot: 0, isForMetrics: true }];
}
