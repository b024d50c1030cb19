/**
 * Modules that a server needs for its first log line, its first file or its first WebSocket. Each is loaded where it is
 * needed, which keeps a start short; but a process without a free descriptor cannot load anything. So all of them are
 * loaded soon after the start, one in each turn of the event loop.
 */
const LATE: readonly (() => unknown)[] = [
  () => require("consola/core"),
  () => require("../listening/listening-socket.ts"),
  () => require("./connection/send-file.ts"),
  () => require("../exchange/file-range.ts"),
  () => require("../exchange/websocket-exchange.ts"),
  () => require("./websocket/offer.ts"),
  () => require("./websocket/upgrade-bridge.ts"),
];

/** Loads them. Resolves when all are there; what cannot be loaded now is tried again where it is needed. */
export async function loadLateModules(): Promise<void> {
  for (const load of LATE) {
    await new Promise(setImmediate);
    try {
      load();
    } catch {
      // The error is reported where the module is needed.
    }
  }
}
