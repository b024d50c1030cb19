import { describe, expect, test } from "bun:test";

import { Admission } from "../../src/server/admission.ts";

/** A server with room for so many connections and files, and what its metrics have counted. */
function serverWith(maxConnections: number, openFiles: number, webSockets = 0) {
  const counted: string[] = [];
  const metrics = {
    connectionOpened: () => counted.push("opened"),
    connectionRejected: () => counted.push("rejected"),
    connectionClosed: (bytes: number) => counted.push(`closed ${bytes}`),
  };
  const state = { webSockets };
  const admission = new Admission({ maxConnections, openFiles, metrics, webSockets: () => state.webSockets });
  /** Opens a connection. @returns it, and whether it is served. */
  const open = (taken = 0) => {
    const connection = { output: { taken } };
    admission.open(connection);
    return { connection, isServed: admission.admit(connection) };
  };
  return { admission, open, counted, state };
}

describe("connections beyond the limit", () => {
  test("are rejected, and each that closes makes room for another one", () => {
    const { admission, open, counted } = serverWith(2, Infinity);
    const [first, , third] = [open(7), open(), open()];
    expect([first.isServed, third.isServed]).toEqual([true, false]);
    admission.close(first.connection);
    expect(open().isServed).toBe(true);
    expect(counted).toEqual(["opened", "opened", "opened", "rejected", "closed 7", "opened"]);
  });

  test("take nobody's place while they are still open", () => {
    const { admission, open } = serverWith(1, Infinity);
    const served = open();
    for (let i = 0; i < 5; i++) expect(open().isServed).toBe(false);
    expect(admission.connections.size).toBe(6);
    admission.close(served.connection);
    expect(open().isServed).toBe(true);
  });
});

describe("descriptors", () => {
  test("a process that may have few files open serves fewer connections, and says so", () => {
    const { admission, open } = serverWith(1000, 30);
    expect(admission.note).toStartWith("At most 6 connections at a time, not 1000 (--max-connections)");
    const served = Array.from({ length: 8 }, () => open().isServed);
    expect(served).toEqual([true, true, true, true, true, true, false, false]);
    expect(serverWith(6, 30).admission.note).toBeUndefined();
    expect(serverWith(1000, Infinity).admission.note).toBeUndefined();
  });

  test("a WebSocket takes three, which leaves fewer for others", () => {
    const { admission, open, state } = serverWith(1000, 30);
    expect(admission.hasRoomForWebSocket).toBe(true);
    open();
    state.webSockets = 1;
    expect([open().isServed, admission.hasRoomForWebSocket]).toEqual([true, true]);
    state.webSockets = 2;
    expect([open().isServed, admission.hasRoomForWebSocket]).toEqual([false, false]);
    state.webSockets = 0;
    expect(open().isServed).toBe(true);
  });
});
