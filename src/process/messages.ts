import type { Samples } from "../metrics/families.ts";

/** Everything that a worker needs to know: the first message that it gets. */
export interface Configuration {
  readonly type: "configure";
  /** The options, with nothing left out. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What the command line serves; absent is the code of `--eval`, or the program's own application. */
  readonly application: string | undefined;
  readonly workerNumber: number;
  /** The descriptors of its listening sockets. */
  readonly sockets: readonly number[];
  /** The descriptor of the memory in which it writes down the requests that run. */
  readonly journal: number | undefined;
  /** The descriptor of the channel by which it gets further sockets. */
  readonly channel: number | undefined;
}

/** A message from the supervisor to a worker. */
export type WorkerCommand =
  | Configuration
  /**
   * Finish what runs, and end. `isFollowed`: others serve its clients from now on. `isLast`: nobody else takes what
   * waits in its sockets.
   */
  | { readonly type: "finish"; readonly isFollowed: boolean; readonly isLast: boolean }
  /** Cut what runs, and end. */
  | { readonly type: "cut" }
  /** Open the log files again. */
  | { readonly type: "reopen" }
  /** Accept from the sockets of a slot that has no worker too: they are in the channel. `release`: no longer. */
  | { readonly type: "adopt" | "release"; readonly slot: number }
  /** Send the samples. */
  | { readonly type: "measure"; readonly round: number };

/** A message from a worker to the supervisor. */
export type Report =
  /** It will be ready in so many seconds, or has failed; 0 is no limit. */
  | { readonly type: "starting"; readonly limit: number }
  /** It accepts. `note` is for the operator, about how. */
  | { readonly type: "ready"; readonly note?: string }
  | { readonly type: "beat"; readonly connections: number }
  /** It asks for its replacement; `why` is a part of a sentence: "has served 1000 requests". */
  | { readonly type: "expiring"; readonly why: string }
  /** What it has counted; `round` is what it was asked in, or 0. */
  | { readonly type: "measured"; readonly round: number; readonly samples: Samples }
  /** It cannot start, and ends. */
  | { readonly type: "failed"; readonly text: string };

/** What a successor finally tells the server that has started it: it serves, or why it cannot. */
export type SuccessorReport = Extract<Report, { type: "ready" | "failed" }>;

/** Before that it may say how long its start may take from now on: its options may not be those of that server. */
export type StartingReport = Extract<Report, { type: "starting" }>;

/** An application may use the same channel; our messages have this key. */
const KEY = "pagi-server";

export function envelope(message: WorkerCommand | Report): object {
  return { [KEY]: message };
}

/** A message of a worker, or `undefined` for any other message. */
export function readReport(envelope: unknown): Report | undefined {
  const { type, limit, note, connections, why, text, round, samples } = contentOf(envelope);
  if (type === "starting" && typeof limit === "number" && limit >= 0) return { type, limit };
  if (type === "ready") return typeof note === "string" ? { type, note } : { type };
  if (type === "beat" && typeof connections === "number") return { type, connections };
  if (type === "expiring" && typeof why === "string") return { type, why };
  if (type === "measured" && typeof round === "number" && isSamples(samples)) return { type, round, samples };
  if (type === "failed" && typeof text === "string") return { type, text };
  return undefined;
}

/** A message of the supervisor, or `undefined` for any other message. */
export function readCommand(envelope: unknown): WorkerCommand | undefined {
  const {
    type,
    isFollowed,
    isLast,
    options,
    application,
    workerNumber,
    sockets,
    journal,
    channel,
    round,
    slot,
  } = contentOf(envelope);
  if (type === "measure" && typeof round === "number") return { type, round };
  if (type === "finish") return { type, isFollowed: isFollowed === true, isLast: isLast === true };
  if ((type === "adopt" || type === "release") && typeof slot === "number") return { type, slot };
  if (type === "cut" || type === "reopen") return { type };
  if (
    type !== "configure" ||
    typeof workerNumber !== "number" ||
    !Array.isArray(sockets) ||
    !isRecord(options)
  )
    return undefined;
  return {
    type,
    options,
    application: typeof application === "string" ? application : undefined,
    workerNumber,
    sockets: sockets.filter((each) => typeof each === "number"),
    journal: typeof journal === "number" ? journal : undefined,
    channel: typeof channel === "number" ? channel : undefined,
  };
}

function contentOf(envelope: unknown): Readonly<Record<string, unknown>> {
  const content = isRecord(envelope) ? envelope[KEY] : undefined;
  return isRecord(content) ? content : {};
}

function isSamples(value: unknown): value is Samples {
  return isRecord(value) && Object.values(value).every((each) => typeof each === "number");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
