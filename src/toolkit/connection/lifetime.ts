import type { EventReader } from "./event-reader.ts";
import { warnOf } from "../shared/warning.ts";

/** A callback whose promise is waited for. */
export type Callback<Values extends readonly unknown[]> = (...values: Values) => void | Promise<void>;

/**
 * One long connection from its handshake to its end: in which phase it is, and who is told of its end and of errors.
 * It stands in the scope, so that all objects over one scope share it. `End` is what is known of the end.
 */
export class Lifetime<Input, End> {
  phase: "waiting" | "open" | "closed" = "waiting";
  /** What is under way to open it. */
  opening: Promise<void> | undefined;
  /** The application itself has ended it, rather than the client or the server. */
  isEndedHere = false;
  /** How it ended; `undefined` before that, and where it was never opened. */
  end: End | undefined;
  reader: EventReader<Input, End> | undefined;
  #onClose: Callback<[End]>[] = [];
  readonly #onError: Callback<[unknown]>[] = [];
  readonly #over = Promise.withResolvers<void>();
  readonly #told = Promise.withResolvers<void>();
  /** Handlers that run. */
  #running = 0;
  #onIdle: (() => void) | undefined;
  readonly #wakers = new Set<() => void>();
  #abort: AbortController | undefined;
  #isRefused = false;
  #isTelling = false;
  #finished: Promise<void> = Promise.resolve();

  /** Resolves at the end. It never rejects. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Aborted at the end. Made when first read. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.phase === "closed") this.#abort.abort(endedError());
    }
    return this.#abort.signal;
  }

  /** Runs `callback` at the end, at once if that has been. */
  onClose(callback: Callback<[End]>): void {
    if (this.end === undefined) this.#onClose.push(callback);
    else if (!this.#isRefused) void runSafely(callback, this.end);
  }

  onError(callback: Callback<[unknown]>): void {
    this.#onError.push(callback);
  }

  /** Tells of an error. @returns false where nobody wants to know. */
  async tellError(error: unknown): Promise<boolean> {
    for (const callback of this.#onError) await runSafely(callback, error);
    return this.#onError.length > 0;
  }

  /** Waits for the callbacks, unless it is asked for by one of them, or by a handler that they wait for. */
  async callbacksDone(): Promise<void> {
    if (this.#running === 0 && !this.#isTelling) await this.#told.promise;
  }

  /** Runs a handler, which the callbacks of an end from outside wait for: what it leaves behind is there for them. */
  async during<T>(handler: () => T | Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await handler();
    } finally {
      if (--this.#running === 0) this.#onIdle?.();
    }
  }

  /** It is over. Only the first call counts; resolves when the callbacks have run. */
  finish(end: End): Promise<void> {
    if (this.end === undefined) this.#finished = this.#finish(end);
    return this.#finished;
  }

  async #finish(end: End): Promise<void> {
    this.end = end;
    this.#leave();
    // Where the application ends it, that is most likely the handler itself, which must not wait for itself.
    if (!this.isEndedHere) await this.#handlersDone();
    this.#isTelling = true;
    const callbacks = this.#onClose;
    this.#onClose = [];
    for (const callback of callbacks) await runSafely(callback, end);
    this.#isTelling = false;
    this.#told.resolve();
  }

  /** It was refused: there never was a connection of whose end one could tell. */
  refuse(end?: End): void {
    this.#isRefused = true;
    this.isEndedHere = true;
    this.end = end;
    this.#leave();
    this.#onClose = [];
    this.#told.resolve();
  }

  /** What a promise resolves with, or `undefined` as soon as the connection is over. */
  unlessEnded<T>(promise: Promise<T>): Promise<T | undefined> {
    if (this.phase === "closed") {
      promise.catch(() => {}); // nobody waits for it any more
      return Promise.resolve(undefined);
    }
    // Not a race with `over`, which would keep the reactions of all that have lost for as long as the connection lives.
    const { promise: first, resolve, reject } = Promise.withResolvers<T | undefined>();
    const wake = (): void => resolve(undefined);
    this.#wakers.add(wake);
    promise.then(resolve, reject).finally(() => this.#wakers.delete(wake));
    return first;
  }

  /** Waits, but not beyond the end. */
  async sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await this.unlessEnded(new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds))));
    clearTimeout(timer);
  }

  async #handlersDone(): Promise<void> {
    // The last message may just be on its way to its handler.
    await nextTurn();
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  #leave(): void {
    this.phase = "closed";
    this.reader?.stop();
    this.#abort?.abort(endedError());
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
    this.#over.resolve();
  }
}

/** Resolves in a later turn of the event loop, in which others have had theirs. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function endedError(): DOMException {
  return new DOMException("The connection is over.", "AbortError");
}

/** For callbacks of which each has to run, and whose failure has nobody else to go to. */
async function runSafely<Values extends readonly unknown[]>(
  callback: Callback<Values>,
  ...values: Values
): Promise<void> {
  try {
    await callback(...values);
  } catch (error) {
    warnOf(error, "PagiCallbackWarning");
  }
}
