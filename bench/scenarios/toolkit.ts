import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchFailure } from "../failure.ts";
import { runLoad } from "../load/run.ts";
import { UploadBody, uploadDigest, type UploadKind } from "../load/upload-body.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeBetween, cpuTimeOf, forgetPeakOf, memoryOf, settledMemoryOf } from "../process-stats.ts";
import { freshEachRound, type Sample, type Scenario, type Settings } from "../scenario.ts";
import { answerTo } from "../servers/routes.ts";
import { contender, starlette, withServer, type RunningServer, type ServerKind } from "../servers.ts";
import { wrkScenario } from "./wrk-scenario.ts";

const MEBIBYTE = 2 ** 20;
const HONO_ON_PAGI = "Hono on pagi-server";
const HONO_ON_BUN = "Hono on Bun.serve";

const router = wrkScenario({
  name: "toolkit-router",
  about: "100 routes, GET, a path parameter answered in JSON",
  request: { target: "/projects/12345" },
  connections: 64,
  contenders: [
    contender("pagi", "Router", "toolkit-router"),
    contender("pagi", HONO_ON_PAGI, "toolkit-router-hono"),
    contender("pagi", "by hand, one route", "toolkit-switch"),
    contender("bun", HONO_ON_BUN, "toolkit-router-hono"),
    starlette("Starlette on uvicorn"),
  ],
  baseline: HONO_ON_PAGI,
  answer: () => JSON.stringify(answerTo("12345")),
  aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
});

/** How many routes there are, and how many of them are asked for in turn; many do not fit into a processor's cache. */
const MATCHED = [
  { routes: 10, asked: 10 },
  { routes: 100, asked: 10 },
  { routes: 1000, asked: 10 },
  { routes: 1000, asked: 500 },
].map((row) => ({ ...row, title: `${row.routes} routes, ${row.asked} of them asked for` }));

const matching: Scenario = {
  name: "toolkit-routes",
  about: "the way through Router to the application of a route, without a server",
  needsWrk: false,
  isWithoutServer: true,
  rounds: 3,
  contenders: MATCHED.map(({ title }) => contender("pagi", title, "toolkit-router")),
  baseline: MATCHED[0]?.title ?? "",
  metrics: [METRICS.nanoseconds],
  prepare: freshEachRound(async (kind, settings) => {
    const { routes, asked } = MATCHED.find(({ title }) => title === kind.title) ?? { routes: 0, asked: 0 };
    const figures = await runLoad("matching", [routes, asked, settings.quick ? 1 : 15], settings.cores);
    return { nanoseconds: figures["nanoseconds"] ?? Number.NaN };
  }),
};

/** A file that is to be on the server's disk when the answer comes. */
interface UploadScenario {
  readonly name: string;
  readonly about: string;
  readonly connections: number;
  readonly fileBytes: number;
  /** What a quick run sends instead. */
  readonly quickBytes: number;
  /** Whether each connection makes one upload, however long it takes. */
  readonly isOnce: boolean;
  readonly rounds: number;
  readonly contenders: readonly (ServerKind & { readonly sends: UploadKind })[];
  readonly baseline: string;
}

const form = (kind: ServerKind) => ({ ...kind, sends: "form" as const });
const raw = (kind: ServerKind) => ({ ...kind, sends: "raw" as const });

const UPLOADS: readonly UploadScenario[] = [
  {
    name: "toolkit-upload",
    about: "multipart upload of one file of 10 MiB, on the disk when it is answered, 4 connections",
    connections: 4,
    fileBytes: 10 * MEBIBYTE,
    quickBytes: 10 * MEBIBYTE,
    isOnce: false,
    rounds: 3,
    contenders: [
      form(contender("pagi", "PagiRequest.form()", "toolkit-form")),
      form(contender("pagi", "PagiRequest.multipart()", "toolkit-multipart")),
      form(contender("pagi", HONO_ON_PAGI, "toolkit-upload-hono")),
      form(contender("bun", HONO_ON_BUN, "toolkit-upload-hono")),
      form(starlette("Starlette on uvicorn")),
    ],
    baseline: HONO_ON_PAGI,
  },
  {
    name: "toolkit-stream",
    about: "one upload of 1 GiB to the disk: the first three as multipart/form-data, the others as a body",
    connections: 1,
    fileBytes: 1024 * MEBIBYTE,
    quickBytes: 16 * MEBIBYTE,
    isOnce: true,
    rounds: 3,
    contenders: [
      form(contender("pagi", "PagiRequest.form()", "toolkit-form")),
      form(contender("pagi", "PagiRequest.multipart()", "toolkit-multipart")),
      form(starlette("Starlette on uvicorn")),
      raw(contender("pagi", "PagiRequest.bodyStream()", "toolkit-stream")),
      raw(contender("bun", "Bun.serve", "toolkit-stream")),
    ],
    baseline: "Bun.serve",
  },
];

const uploadScenario = (row: UploadScenario): Scenario => ({
  name: row.name,
  about: row.about,
  needsWrk: false,
  rounds: row.rounds,
  duration: 1.5,
  contenders: row.contenders,
  baseline: row.baseline,
  metrics: [
    METRICS.perSecond,
    METRICS.cpuMebibyte,
    METRICS.userMebibyte,
    METRICS.systemMebibyte,
    METRICS.peak,
    METRICS.growth,
  ],
  prepare: freshEachRound(async (kind, settings) => {
    const sends = row.contenders.find(({ title }) => title === kind.title)?.sends ?? "form";
    const folder = mkdtempSync(join(tmpdir(), "pagi-bench-"));
    const environment = { TMPDIR: folder, PAGI_MAX_BODY_SIZE: "0" };
    try {
      return await withServer(kind, row.name, environment, settings.cores, (server) =>
        measureUpload(server, row, sends, settings),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }),
});

async function measureUpload(
  server: RunningServer,
  row: UploadScenario,
  sends: UploadKind,
  settings: Settings,
): Promise<Sample> {
  const connections = settings.connections ?? (settings.quick ? 1 : row.connections);
  const fileBytes = settings.quick ? row.quickBytes : row.fileBytes;
  const load = (seconds: number, bytes: number) =>
    runLoad("upload-client", [server.port, "/", sends, connections, bytes, seconds], settings.cores);
  await checkUpload(server, sends, 3 * MEBIBYTE + 1);
  // What runs first is not compiled yet.
  await load(settings.quick ? 0 : 0.5, 10 * MEBIBYTE);
  const idle = await settledMemoryOf(server.pid);
  forgetPeakOf(server.pid);
  const before = cpuTimeOf(server.pid);
  const { requests = Number.NaN, microseconds = Number.NaN } = await load(
    row.isOnce ? 0 : settings.duration,
    fileBytes,
  );
  const spent = cpuTimeBetween(before, cpuTimeOf(server.pid));
  const { peak } = memoryOf(server.pid);
  const mebibytes = (requests * fileBytes) / MEBIBYTE;
  return {
    perSecond: (requests * fileBytes) / (microseconds / 1e6),
    cpu: spent.total / mebibytes,
    user: spent.user / mebibytes,
    system: spent.system / mebibytes,
    peak,
    growth: peak - idle,
  };
}

/** @throws BenchFailure when not every byte of an upload is on the disk of the server. */
async function checkUpload(server: RunningServer, sends: UploadKind, fileBytes: number): Promise<void> {
  const upload = new UploadBody(sends, "/digest", fileBytes);
  const response = await fetch(`${server.url}digest`, {
    method: "POST",
    headers: { "content-type": upload.type },
    body: upload.whole(),
  });
  const answer = await response.text();
  if (response.status === 200 && answer === uploadDigest(fileBytes)) return;
  throw new BenchFailure(
    `${server.kind.title} answers ${response.status} '${answer.slice(0, 100)}' to an upload of ${fileBytes} bytes, ` +
      "which is not its SHA-256; nothing was measured.",
  );
}

/** What the toolkit costs, beside what else people would take. */
export const TOOLKIT_SCENARIOS: readonly Scenario[] = [router, matching, ...UPLOADS.map(uploadScenario)];
