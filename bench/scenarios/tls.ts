import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAnswer } from "../check.ts";
import { BenchFailure } from "../failure.ts";
import { runLoad } from "../load/run.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeBetween, cpuTimeOf, memoryOf } from "../process-stats.ts";
import { keptRunning, type Scenario } from "../scenario.ts";
import { contender, startServer } from "../servers.ts";
import { HELLO } from "./requests.ts";
import { wrkScenario } from "./wrk-scenario.ts";

/** Certificate and key in one file. */
const PEM = join(tmpdir(), `pagi-bench-${process.pid}.pem`);
let isMade = false;

/** Made once, and removed with this process. */
function certificate(): Promise<Record<string, string>> {
  if (!isMade) {
    process.once("exit", () => rmSync(PEM, { force: true }));
    const { success, stdout, stderr } = Bun.spawnSync([
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", "/CN=localhost", "-days", "30", "-keyout", "-", "-out", "-"],
    ]);
    if (!success) throw new BenchFailure(`openssl made no certificate: ${stderr.toString().trim()}`);
    writeFileSync(PEM, stdout, { mode: 0o600 });
    isMade = true;
  }
  return Promise.resolve({ BENCH_TLS: PEM });
}

const CONTENDERS = [
  contender("pagi", "pagi-server", "hello", ["--ssl-cert", PEM]),
  contender("bun", "Bun.serve", "hello"),
].map((kind) => ({ ...kind, scheme: "https" as const }));

const keepAlive = wrkScenario({
  name: "tls-hello",
  about: "TLS 1.3, GET on connections that are kept, 13 bytes of text",
  connections: 64,
  contenders: CONTENDERS,
  environment: certificate,
  answer: () => HELLO,
  aims: [{ metric: METRICS.requests, atLeast: 0.95 }],
});

const handshakes: Scenario = {
  name: "tls-handshakes",
  about: "TLS 1.3, a new connection with a full handshake (P-256) for each GET, 16 at a time",
  needsWrk: false,
  contenders: CONTENDERS,
  metrics: [
    METRICS.handshakes,
    METRICS.cpuHandshake,
    METRICS.user,
    METRICS.system,
    // Well below 100: the load was the slower part, and the CPU time says more than the rate.
    METRICS.busy,
    METRICS.peak,
  ],
  aims: [
    { metric: METRICS.handshakes, atLeast: 0.95 },
    { metric: METRICS.cpuHandshake, atMost: 1.05 },
  ],
  prepare: keptRunning(async (kind, settings) => {
    const server = await startServer(kind, "hello", await certificate(), settings.cores.server);
    const connections = settings.connections ?? (settings.quick ? 4 : 16);
    const load = (seconds: number) =>
      server.during(runLoad("handshake-client", [server.port, connections, seconds], settings.cores));
    try {
      await server.during(checkAnswer(server, HELLO));
      // The first handshakes run code that is not compiled yet.
      if (!settings.quick) await load(1);
    } catch (error) {
      await server.end();
      throw error;
    }
    return {
      kind,
      async round() {
        const before = cpuTimeOf(server.pid);
        const { answered = Number.NaN, microseconds = Number.NaN } = await load(settings.duration);
        const spent = cpuTimeBetween(before, cpuTimeOf(server.pid));
        return {
          requests: answered / (microseconds / 1e6),
          cpu: spent.total / answered,
          user: spent.user / answered,
          system: spent.system / answered,
          busy: (spent.total / microseconds) * 100,
          peak: memoryOf(server.pid).peak,
        };
      },
      end: () => server.end(),
    };
  }),
};

export const TLS_SCENARIOS: readonly Scenario[] = [keepAlive, handshakes];
