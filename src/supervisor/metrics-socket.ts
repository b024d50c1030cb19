import { formatListenAddress } from "../server/listen-address.ts";
import type { AskedSocket } from "../server/listening-socket.ts";
import { parseMetricsAddress } from "../server/metrics-address.ts";
import { openMetricsSocket } from "../server/metrics-endpoint.ts";
import type { ServerOptions } from "../server/options.ts";
import type { SocketDescription } from "../server/server.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import type { Role } from "./role.ts";
import { takeOver } from "./sockets.ts";

/**
 * The socket of the metrics, before privileges are given up: the one that was handed down, where the options still ask
 * for its address, or else a new one.
 *
 * @returns undefined where there are to be no metrics, and where the program before has the address and keeps it yet.
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

/** How the next program gets the socket. */
export function metricsInheritance(socket: SocketDescription | undefined): InheritedSocket[] {
  return socket === undefined ? [] : [{ ...socket, slot: 0, isForMetrics: true }];
}
