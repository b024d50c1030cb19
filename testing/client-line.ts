import { atTurnEnd } from "./turn.ts";

/**
 * What a server has sent and the client has not read. As a socket does, it takes so many bytes whether they are read
 * or not; only what is beyond that counts as unsent. What was sent arrives at the end of the turn and never within it,
 * so that an application that sends without end cannot keep the rest of the program from running.
 */
export class ClientLine<Item> {
  readonly #room: number;
  readonly #isEager: boolean;
  readonly #onRead: () => void;
  readonly #sent: { readonly item: Item; readonly size: number }[] = [];
  readonly #arrived: { readonly item: Item; readonly size: number }[] = [];
  #size = 0;
  #ending: { readonly error: unknown } | "end" | undefined;
  #readers: (() => void)[] = [];
  readonly #done = Promise.withResolvers<void>();
  #isArriving = false;
  #isPaused = false;

  /**
   * `room` in bytes. An `eager` client reads what arrives, whether it is asked for or not. `onRead` runs after the client
   * has read something.
   */
  constructor(room: number, reading: "eager" | "pulled", onRead: () => void) {
    this.#room = room;
    this.#isEager = reading === "eager";
    this.#onRead = onRead;
  }

  /** Bytes that the server still has to send. */
  get unsent(): number {
    return Math.max(0, this.#size - this.#room);
  }

  /** There is nothing more to read, now or later. */
  get isDone(): boolean {
    return this.#isOver && this.#arrived.length === 0;
  }

  put(item: Item, size: number): void {
    if (this.#ending !== undefined) return;
    this.#sent.push({ item, size });
    this.#size += size;
    this.#arriveAtTurnEnd();
  }

  /** Nothing follows. Only the first ending counts. */
  end(): void {
    this.#ending ??= "end";
    this.#arriveAtTurnEnd();
  }

  /** The connection is cut behind what was sent. */
  fail(error: unknown): void {
    this.#ending ??= { error };
    this.#arriveAtTurnEnd();
  }

  /** Resolves when {@link isDone} becomes true. */
  whenDone(): Promise<void> {
    return this.#done.promise;
  }

  /** The client has gone: instead of what was not read there is an error. */
  cut(error: unknown): void {
    if (this.isDone) return;
    this.#ending = { error };
    this.clear();
  }

  /** Forgets what was not read. */
  clear(): void {
    this.#sent.length = 0;
    this.#arrived.length = 0;
    this.#size = 0;
    this.resume();
  }

  /** The client stops reading from the wire: what arrives from now on waits there. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#arriveAtTurnEnd();
  }

  /** Resolves when {@link read} has something to tell. */
  async whenReadable(): Promise<void> {
    while (this.#arrived.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => this.#readers.push(resolve));
  }

  /**
   * The next item, if it has arrived; else `undefined`; {@link isDone} tells the end.
   *
   * @throws what {@link fail} was given, behind the last item.
   */
  read(): Item | undefined {
    const next = this.#arrived.shift();
    if (next !== undefined) {
      if (!this.#isEager) this.#took(next.size);
      this.#maybeDone();
      return next.item;
    }
    if (this.#isOver && typeof this.#ending === "object") throw this.#ending.error;
    return undefined;
  }

  /** The next item, when it comes; `undefined` at the end. @throws what {@link fail} was given. */
  async next(): Promise<Item | undefined> {
    await this.whenReadable();
    return this.read();
  }

  get #isOver(): boolean {
    return this.#ending !== undefined && this.#sent.length === 0;
  }

  #arriveAtTurnEnd(): void {
    if (this.#isArriving || this.#isPaused) return;
    this.#isArriving = true;
    atTurnEnd(() => {
      this.#isArriving = false;
      if (this.#isPaused) return;
      const arrived = this.#sent.splice(0);
      this.#arrived.push(...arrived);
      for (const resolve of this.#readers.splice(0)) resolve();
      this.#maybeDone();
      if (this.#isEager && arrived.length > 0) this.#took(arrived.reduce((sum, each) => sum + each.size, 0));
    });
  }

  #maybeDone(): void {
    if (this.isDone) this.#done.resolve();
  }

  #took(size: number): void {
    this.#size -= size;
    this.#onRead();
  }
}
