import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { METRICS } from "../metrics.ts";
import type { Scenario } from "../scenario.ts";
import { contender } from "../servers.ts";
import { HELLO } from "./requests.ts";
import { wrkScenario } from "./wrk-scenario.ts";

const PLAIN = "without any";
const LOG = join(tmpdir(), `pagi-bench-${process.pid}.log`);

const OPTIONS: readonly {
  readonly name: string;
  readonly title: string;
  readonly flags: readonly string[];
}[] = [
  { name: "access-log", title: "access log to a file", flags: ["--access-log", LOG] },
  { name: "metrics", title: "metrics", flags: ["--metrics", "127.0.0.1:0"] },
  { name: "proxy", title: "proxy headers", flags: ["--proxy-headers", "--forwarded-allow-ips", "127.0.0.1"] },
];

/** What an option of pagi-server costs, relative to pagi-server without it. */
export const COST_SCENARIOS: readonly Scenario[] = OPTIONS.map(({ name, title, flags }) =>
  wrkScenario({
    name: `cost-${name}`,
    about: `GET with X-Forwarded headers that change with each request, 13 bytes of text: with ${title}, and without`,
    serves: "hello",
    connections: 64,
    request: {
      headers: {
        "X-Forwarded-For": "203.0.113.7, 2001:db8::{n4}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "www.example.org",
      },
    },
    contenders: [contender("pagi", `with ${title}`, "hello", flags), contender("pagi", PLAIN, "hello")],
    baseline: PLAIN,
    aims: [
      { metric: METRICS.requests, atLeast: 0.95 },
      { metric: METRICS.cpu, atMost: 1.05 },
    ],
    environment() {
      if (name === "access-log") process.once("exit", () => rmSync(LOG, { force: true }));
      return Promise.resolve({});
    },
    answer: () => HELLO,
  }),
);
