import { wrap } from "pagi-server/lifespan";
import { around } from "pagi-server/router";
import { Metrics } from "./metrics.ts";
import { Site } from "./site.ts";

/** Milliseconds between two looks at the metrics. */
const INTERVAL = Number(process.env["METRICS_INTERVAL"] ?? 2000);

const counted = around(async (scope, _receive, _send, next) => {
  if (scope.type !== "lifespan") Metrics.of(scope.state).requests++;
  await next();
});

let timer: Timer;

export default wrap(counted(new Site().toApp()), {
  startup(state) {
    const metrics = new Metrics();
    state["metrics"] = metrics;
    timer = setInterval(() => metrics.tick(), INTERVAL);
  },
  shutdown(state) {
    clearInterval(timer);
    console.error(`served: ${JSON.stringify(Metrics.of(state).snapshot())}`);
  },
});
