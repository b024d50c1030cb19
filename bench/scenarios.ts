import type { Scenario } from "./scenario.ts";
import { cold } from "./scenarios/cold.ts";
import { FRAMEWORK_SCENARIOS } from "./scenarios/frameworks.ts";
import { idle } from "./scenarios/idle.ts";
import { REQUEST_SCENARIOS } from "./scenarios/requests.ts";
import { sse } from "./scenarios/sse.ts";
import { TOOLKIT_SCENARIOS } from "./scenarios/toolkit.ts";
import { WEBSOCKET_SCENARIOS } from "./scenarios/websocket.ts";

/** Everything that can be measured, in the order of docs/benchmarks.md. */
export const SCENARIOS: readonly Scenario[] = [
  ...REQUEST_SCENARIOS,
  ...FRAMEWORK_SCENARIOS,
  sse,
  idle,
  cold,
  ...WEBSOCKET_SCENARIOS,
  ...TOOLKIT_SCENARIOS,
];
