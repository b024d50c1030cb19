import type { Application } from "../../src/spec/index.ts";
import { findInternals } from "../../adapters/node/internals.ts";
import { byConnection, byInternals } from "../../adapters/node/mechanisms.ts";
import { nodeApplication, type Listener, type Mechanism } from "../../adapters/node/node-application.ts";

const internals = findInternals();
if (internals === undefined) throw new Error("This Bun keeps the native side of a response elsewhere.");

/** `fromNode` by each of its mechanisms: both must do the same. */
export const MECHANISMS: readonly (readonly [name: string, fromNode: (listener: Listener) => Application])[] =
  [
    ["on Bun's own objects", by(byInternals(internals))],
    ["over a connection in memory", by(byConnection)],
  ];

function by(mechanism: Mechanism): (listener: Listener) => Application {
  return (listener) => nodeApplication(listener, mechanism);
}
