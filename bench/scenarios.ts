import type { Scenario } from "./scenario.ts";
import { COLD_SCENARIOS } from "./scenarios/cold.ts";
import { COST_SCENARIOS } from "./scenarios/cost.ts";
import { FRAMEWORK_SCENARIOS } from "./scenarios/frameworks.ts";
import { IDLE_SCENARIOS } from "./scenarios/idle.ts";
import { OPEN_LOOP_SCENARIOS } from "./scenarios/open-loop.ts";
import { REQUEST_SCENARIOS } from "./scenarios/requests.ts";
import { sse } from "./scenarios/sse.ts";
import { TLS_SCENARIOS } from "./scenarios/tls.ts";
import { TOOLKIT_SCENARIOS } from "./scenarios/toolkit.ts";
import { WEBSOCKET_SCENARIOS } from "./scenarios/websocket.ts";
import { workers } from "./scenarios/workers.ts";

/** Everything that can be measured, in the order of docs/benchmarks.md. */
export const SCENARIOS: readonly Scenario[] = [
  ...REQUEST_SCENARIOS,
  ...FRAMEWORK_SCENARIOS,
  ...TLS_SCENARIOS,
  ...OPEN_LOOP_SCENARIOS,
  workers,
  sse,
  ...IDLE_SCENARIOS,
  ...COLD_SCENARIOS,
  ...COST_SCENARIOS,
  ...WEBSOCKET_SCENARIOS,
  ...TOOLKIT_SCENARIOS,
];
