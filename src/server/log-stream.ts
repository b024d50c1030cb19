import { messageOf } from "../errors.ts";
import type { ByteString } from "../spec/values.ts";
import type { Outlet } from "./outlet.ts";

/** Gets to know of lines that are lost. */
export interface LossReporter {
  /** From now on lines are lost. */
  began?(why: string): void;
  /** Lines are written again. */
  ended?(lostLines: number): void;
}

/** Bytes kept for a reader that does not read; lines beyond that are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Lines that may wait for the end of the turn are written at the latest when they come to this many bytes. */
const BATCH_BYTES = 64 * 1024;
/** Milliseconds between two tries at a destination without room: the first, and the longest. */
const RETRY_MS = { first: 5, longest: 200 } as const;
/** Milliseconds that a destination without room is given at the end of the process, or of the stream. */
const END_MS = 1000;
const UNREAD = "its reader does not read";

/** Streams that may have something to write when the process ends. */
const open = new Set<LogStream>();

/**
 * Lines on their way to a log. Nobody waits for the destination: what has no room is kept, up to a limit, and what is
 * beyond that, or cannot be written at all, is lost and counted. Once everything that was kept has been written, the
 * count is reported and lines are taken again, so that the report stands where the lost lines would have been.
 */
export class LogStream {
  readonly #openOutlet: () => Outlet;
  readonly #reporter: LossReporter;
  readonly #flushNow = () => this.flush();
  #outlet: Outlet | undefined;
  /** Whole lines, but for the first, a part of which may have been written. */
  #waiting: ByteString = "";
  #immediate: ReturnType<typeof setImmediate> | undefined;
  /** Set while the destination has no room. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryDelay: number = RETRY_MS.first;
  /** Whether what was written last ends within a line. */
  #isMidLine = false;
  /** Whether the rest of that line is lost. */
  #isTorn = false;
  /** From a line for which there was no place until everything is written, so that the count stands in its place. */
  #isFull = false;
  /** Since the last report. */
  #lostLines = 0;

  constructor(openOutlet: () => Outlet, reporter: LossReporter = {}) {
    this.#openOutlet = openOutlet;
    this.#reporter = reporter;
    if (open.size === 0) process.on("exit", flushLogs);
    open.add(this);
  }

  /** Whether something waits for room. */
  get isBehind(): boolean {
    return this.#retry !== undefined;
  }

  /** Opens the destination now and not with the first line, when that may be forbidden, or no descriptor left. */
  prepare(): void {
    try {
      this.#outlet ??= this.#openOutlet();
    } catch {
      // The first line that is lost reports it.
    }
  }

  /** Adds a line, without its newline, which is written at the end of the turn. */
  write(line: ByteString): void {
    if (!this.#take(line) || this.isBehind) return;
    if (this.#waiting.length >= BATCH_BYTES) this.flush();
    else this.#immediate ??= setImmediate(this.#flushNow);
  }

  /** Adds text, a newline behind it, and writes it now. */
  writeText(text: string): void {
    if (this.#take(Buffer.from(text).toString("latin1")) && !this.isBehind) this.flush();
  }

  /** Writes what waits, as far as there is room. */
  flush(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    clearTimeout(this.#retry);
    this.#immediate = undefined;
    this.#retry = undefined;
    if (this.#waiting === "") return;
    try {
      if (this.#write((this.#outlet ??= this.#openOutlet()))) this.#recover();
      else this.#tryLater();
    } catch (error) {
      this.#drop(messageOf(error));
    }
  }

  /**
   * Writes to another destination from now on. What waits goes there too, if it has no room where it belongs.
   *
   * @throws what `openOutlet` throws; then everything stays as it is.
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

  /** Writes what waits, for at most a second, and closes the destination. Nothing is to be written after it. */
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

  /** @returns false when the line is lost. */
  #take(line: ByteString): boolean {
    if (this.#waiting === "") this.#isFull = false;
    else this.#isFull ||= this.#waiting.length + line.length >= MAX_WAITING_BYTES;
    if (this.#isFull) this.#lose(`${line}\n`, UNREAD);
    else this.#waiting += `${line}\n`;
    return !this.#isFull;
  }

  /** @returns false when there was no room for all of it. */
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
    // At the end of the process there is another try.
    this.#retry.unref();
    this.#retryDelay = Math.min(2 * this.#retryDelay, RETRY_MS.longest);
  }

  /** Gives up on everything that waits. */
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

/** As many whole lines as are not torn, or one line that is longer, as far as it can be written at once. */
function nextPiece(lines: ByteString, { atomicSize, maxSize }: Outlet): ByteString {
  if (lines.length <= atomicSize) return lines;
  const end = lines.lastIndexOf("\n", atomicSize - 1) + 1;
  return end > 0 ? lines.slice(0, end) : lines.slice(0, Math.min(maxSize, lines.indexOf("\n") + 1));
}

/**
 * Writes what all streams have, as at the end of the process: nothing is lost that there is room for, and a reader that
 * is slow has a second to make some.
 */
export function flushLogs(): void {
  const until = performance.now() + END_MS;
  for (;;) {
    for (const stream of open) stream.flush();
    if (![...open].some((stream) => stream.isBehind) || performance.now() >= until) return;
    Bun.sleepSync(RETRY_MS.first);
  }
}
