import { checkEcho, checkRoom } from "../check-websocket.ts";
import { runLoad } from "../load/run.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeBetween, cpuTimeOf, filesOf, memoryOf, settledMemoryOf } from "../process-stats.ts";
import { freshEachRound, keptRunning, type Sample, type Scenario, type Settings } from "../scenario.ts";
import { startServer, withServer, type RunningServer } from "../servers.ts";

const KIBIBYTE = 1024;
const IDLE_CONNECTIONS = 5000;
/** The part of every server that speaks WebSocket. */
const SERVES = "ws";
const TITLES = { node: "ws on Node" } as const;

interface MessageScenario {
  readonly name: string;
  readonly about: string;
  /** At `/echo` each gets its own message back; at `/room` all get what one sends. */
  readonly path: "/echo" | "/room";
  readonly connections: number;
  readonly messageBytes: number;
  /** Messages that a sender has on their way. */
  readonly inFlight: number;
  /** The least ratio of messages a second. */
  readonly aim?: number;
}

const TABLE: readonly MessageScenario[] = [
  {
    name: "ws-64",
    about: "WebSocket, echo of text messages of 64 bytes, 32 connections",
    path: "/echo",
    connections: 32,
    messageBytes: 64,
    inFlight: 1,
    aim: 0.5,
  },
  {
    name: "ws-4k",
    about: "WebSocket, echo of text messages of 4 KiB, 32 connections",
    path: "/echo",
    connections: 32,
    messageBytes: 4 * KIBIBYTE,
    inFlight: 1,
    aim: 0.6,
  },
  {
    name: "ws-64k",
    about: "WebSocket, echo of text messages of 64 KiB, 32 connections",
    path: "/echo",
    connections: 32,
    messageBytes: 64 * KIBIBYTE,
    inFlight: 1,
  },
  {
    name: "ws-pipelined",
    about: "WebSocket, echo of text messages of 64 bytes, 32 connections, 16 messages in flight on each",
    path: "/echo",
    connections: 32,
    messageBytes: 64,
    inFlight: 16,
  },
  {
    name: "ws-broadcast",
    about:
      "WebSocket, text messages of 64 bytes from one connection to 1000, 4 in flight; counted on arrival",
    path: "/room",
    connections: 1000,
    messageBytes: 64,
    inFlight: 4,
  },
];

const MESSAGE_SCENARIOS: readonly Scenario[] = TABLE.map((row) => ({
  name: row.name,
  about: row.about,
  needsWrk: false,
  rounds: 5,
  duration: 0.7,
  titles: TITLES,
  aims: row.aim === undefined ? [] : [{ metric: METRICS.messages, atLeast: row.aim }],
  metrics: [
    METRICS.messages,
    METRICS.cpuMessage,
    METRICS.userMessage,
    METRICS.systemMessage,
    // Well below 100: the load was the slower part, and the CPU time says more than the rate.
    METRICS.busy,
    METRICS.peak,
  ],
  prepare: keptRunning(async (kind, settings) => {
    const server = await startServer(kind, SERVES, {}, settings.cores.server);
    try {
      await server.during(row.path === "/room" ? checkRoom(server) : checkEcho(server, row.messageBytes));
    } catch (error) {
      await server.end();
      throw error;
    }
    return {
      kind,
      round: () => server.during(measureMessages(server, row, settings)),
      end: () => server.end(),
    };
  }),
}));

async function measureMessages(
  server: RunningServer,
  row: MessageScenario,
  settings: Settings,
): Promise<Sample> {
  const connections = settings.connections ?? (settings.quick ? 8 : row.connections);
  // The first messages run code that is not compiled yet, in the load as well.
  const warmUp = settings.quick ? 0 : 0.3;
  let before = cpuTimeOf(server.pid);
  const { messages = Number.NaN, microseconds = Number.NaN } = await runLoad(
    "ws-client",
    [server.port, row.path, connections, row.messageBytes, row.inFlight, settings.duration, warmUp],
    settings.cores,
    () => {
      before = cpuTimeOf(server.pid);
      return Promise.resolve();
    },
  );
  const spent = cpuTimeBetween(before, cpuTimeOf(server.pid));
  return {
    messages: messages / (microseconds / 1e6),
    cpu: spent.total / messages,
    user: spent.user / messages,
    system: spent.system / messages,
    busy: (spent.total / microseconds) * 100,
    peak: memoryOf(server.pid).peak,
  };
}

const idle: Scenario = {
  name: "ws-idle",
  about: `${IDLE_CONNECTIONS} WebSockets that wait, without a message`,
  needsWrk: false,
  rounds: 1,
  titles: TITLES,
  metrics: [METRICS.perConnection, METRICS.files, METRICS.idle, METRICS.full],
  prepare: freshEachRound((kind, settings) =>
    withServer(kind, SERVES, {}, settings.cores, async (server) => {
      const connections = settings.quick ? 100 : (settings.connections ?? IDLE_CONNECTIONS);
      // What the first connections load and compile belongs to none of the others.
      for (let opened = 0; opened < 100; opened++) await checkEcho(server, 64);
      const before = await settledMemoryOf(server.pid);
      const filesBefore = filesOf(server.pid);
      let [full, files] = [Number.NaN, Number.NaN];
      await runLoad("idle-client", [server.port, connections, "ws"], settings.cores, async () => {
        full = await settledMemoryOf(server.pid);
        files = filesOf(server.pid);
      });
      return {
        perConnection: (full - before) / connections,
        files: (files - filesBefore) / connections,
        idle: before,
        full,
      };
    }),
  ),
};

/** Messages in both directions, to many, and none at all. */
export const WEBSOCKET_SCENARIOS: readonly Scenario[] = [...MESSAGE_SCENARIOS, idle];
