import { messageOf } from "../errors.ts";
import type { ByteString } from "../spec/values.ts";
import type { Outlet } from "./outlet.ts";

/** Receives reports about lost lines. */
export interface LossReporter {
  /** Lines start being lost. */
  began?(why: string): void;
  /** Lines can be written again. */
  ended?(lostLines: number): void;
}

/** Bytes queued for a reader that does not read; further lines are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** A batch is written before the end of the turn once it has this many bytes. */
const BATCH_BYTES = 64 * 1024;
/**
 * Milliseconds between two batches: a busy server writes a hundred times a second instead of in each turn of its event
 * loop, where the system calls would cost it a third of its speed. A line that comes alone leaves in its turn.
 */
const BATCH_INTERVAL_MS = 10;
/** Milliseconds between retries while the destination is full: the first, and the longest. */
const RETRY_MS = { first: 5, longest: 200 } as const;
/** Milliseconds that a full destination is given at the end of the process or of the stream. */
const END_MS = 1000;
const UNREAD = "its reader does not read";

/** Streams to flush when the process ends. */
const open = new Set<LogStream>();

/**
 * Writes lines to a log without ever blocking. Lines that do not fit are queued, up to a limit; lines beyond the limit,
 * and lines that cannot be written at all, are dropped and counted. Once the queue has been written, the count is
 * reported, so that the report stands where the lines are missing.
 */
export class LogStream {
  readonly #openOutlet: () => Outlet;
  readonly #reporter: LossReporter;
  readonly #flushNow = () => this.flush();
  #outlet: Outlet | undefined;
  /** The queue: whole lines, except that a part of the first one may have been written. */
  #waiting: ByteString = "";
  #immediate: ReturnType<typeof setImmediate> | undefined;
  /** Set while the next batch waits for its interval. */
  #interval: ReturnType<typeof setTimeout> | undefined;
  /** When the last batch was written (`performance.now()`). */
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** Set while the destination is full. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryDelay: number = RETRY_MS.first;
  /** Whether the last write ended in the middle of a line. */
  #isMidLine = false;
  /** Whether the rest of that line has been dropped. */
  #isTorn = false;
  /** True from the first dropped line until the queue is empty, so that the count stands where lines are missing. */
  #isFull = false;
  /** Since the last report. */
  #lostLines = 0;

  constructor(openOutlet: () => Outlet, reporter: LossReporter = {}) {
    this.#openOutlet = openOutlet;
    this.#reporter = reporter;
    if (open.size === 0) process.on("exit", flushLogs);
    open.add(this);
  }

  /** Whether lines are queued because the destination is full. */
  get isBehind(): boolean {
    return this.#retry !== undefined;
  }

  /** Opens the destination now; with the first line, permissions or free descriptors might be missing. */
  prepare(): void {
    try {
      this.#outlet ??= this.#openOutlet();
    } catch {
      // The first lost line reports it.
    }
  }

  /** Adds a line, given without its newline; it is written at the end of the turn, or of the interval between batches. */
  write(line: ByteString): void {
    if (!this.#take(line) || this.isBehind) return;
    if (this.#waiting.length >= BATCH_BYTES) this.flush();
    else if (this.#immediate === undefined && this.#interval === undefined) this.#schedule();
  }

  #schedule(): void {
    const left = this.#writtenAt + BATCH_INTERVAL_MS - performance.now();
    if (left <= 0) this.#immediate = setImmediate(this.#flushNow);
    // The end of the process flushes once more.
    else this.#interval = setTimeout(this.#flushNow, left).unref();
  }

  /** Adds text and a newline, and writes it now. */
  writeText(text: string): void {
    if (this.#take(Buffer.from(text).toString("latin1")) && !this.isBehind) this.flush();
  }

  /** Writes the queue, as far as there is room. */
  flush(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    clearTimeout(this.#interval);
    clearTimeout(this.#retry);
    this.#immediate = undefined;
    this.#interval = undefined;
    this.#retry = undefined;
    if (this.#waiting === "") return;
    this.#writtenAt = performance.now();
    try {
      if (this.#write((this.#outlet ??= this.#openOutlet()))) this.#recover();
      else this.#tryLater();
    } catch (error) {
      this.#drop(messageOf(error));
    }
  }

  /**
   * Switches to another destination. Lines that still do not fit into the old one go to the new one.
   *
   * @throws whatever `openOutlet` throws; the old destination is kept then.
   */
  replace(openOutlet: () => Outlet): void {
    this.flush();
    const outlet = openOutlet();
    this.#outlet?.close();
    this.#outlet = outlet;
    this.#isMidLine = false;
    this.#isTorn = false;
    this.flush();
  }

  /** Writes the queue, for at most one second, and closes the destination. Do not write afterwards. */
  async close(): Promise<void> {
    const until = performance.now() + END_MS;
    for (this.flush(); this.isBehind && performance.now() < until; this.flush())
      await Bun.sleep(RETRY_MS.first);
    clearTimeout(this.#retry);
    this.#retry = undefined;
    open.delete(this);
    if (open.size === 0) process.off("exit", flushLogs);
    this.#drop(UNREAD);
    this.#outlet?.close();
  }

  /** @returns false if the line is dropped. */
  #take(line: ByteString): boolean {
    if (this.#waiting === "") this.#isFull = false;
    else this.#isFull ||= this.#waiting.length + line.length >= MAX_WAITING_BYTES;
    if (this.#isFull) this.#lose(`${line}\n`, UNREAD);
    else this.#waiting += `${line}\n`;
    return !this.#isFull;
  }

  /** @returns false if there was not enough room for the queue. */
  #write(outlet: Outlet): boolean {
    while (this.#waiting !== "") {
      const piece = this.#isTorn ? "\n" : nextPiece(this.#waiting, outlet);
      const taken = outlet.write(piece);
      if (taken === 0) return false;
      if (this.#isTorn) this.#isTorn = false;
      else this.#waiting = this.#waiting.slice(taken);
      this.#isMidLine = piece[taken - 1] !== "\n";
      this.#retryDelay = RETRY_MS.first;
    }
    return true;
  }

  #tryLater(): void {
    this.#retry = setTimeout(this.#flushNow, this.#retryDelay);
    // The end of the process flushes once more.
    this.#retry.unref();
    this.#retryDelay = Math.min(2 * this.#retryDelay, RETRY_MS.longest);
  }

  /** Drops the queue. */
  #drop(why: string): void {
    const lines = this.#waiting;
    this.#waiting = "";
    this.#isTorn = this.#isMidLine;
    if (lines !== "") this.#lose(lines, why);
  }

  #lose(lines: ByteString, why: string): void {
    const isFirst = this.#lostLines === 0;
    this.#lostLines += lines.split("\n").length - 1;
    if (isFirst) this.#reporter.began?.(why);
  }

  #recover(): void {
    const lostLines = this.#lostLines;
    if (lostLines === 0) return;
    this.#lostLines = 0;
    this.#reporter.ended?.(lostLines);
  }
}

/** As many whole lines as can be written atomically, or else the longest possible part of one long line. */
function nextPiece(lines: ByteString, { atomicSize, maxSize }: Outlet): ByteString {
  if (lines.length <= atomicSize) return lines;
  const end = lines.lastIndexOf("\n", atomicSize - 1) + 1;
  return end > 0 ? lines.slice(0, end) : lines.slice(0, Math.min(maxSize, lines.indexOf("\n") + 1));
}

/**
 * Flushes all streams, as at the end of the process: nothing is lost that fits, and a slow reader gets one second to make
 * room.
 */
export function flushLogs(): void {
  const until = performance.now() + END_MS;
  for (;;) {
    for (const stream of open) stream.flush();
    if (![...open].some((stream) => stream.isBehind) || performance.now() >= until) return;
    Bun.sleepSync(RETRY_MS.first);
  }
}
