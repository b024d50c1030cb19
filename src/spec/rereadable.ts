import type { Receive } from "./application.ts";
import { mapped } from "./at-hand.ts";
import type { ReceiveEvent } from "./events.ts";

/**
 * Where a scope keeps the {@link Rereadable} of its request. A symbol, so that copies of a scope (`{ ...scope }`) have it
 * too, and no key of the application can collide with it.
 */
export const REREADABLE: unique symbol = Symbol.for("pagi-server.rereadable");

/** How much of the request body has been received: nothing, a part, or all of it. */
export type BodyProgress = "untouched" | "begun" | "over";

/** The `receive` functions that {@link Rereadable.around} has made or wrapped. */
const KNOWN = new WeakMap<Receive, Rereadable>();

/**
 * A `receive` that takes events back. A reader that keeps what it has read, as `PagiRequest.bytes()` does, gives it back
 * with {@link unread}, so that the next caller of `receive` gets the same body; one that cannot keep it leaves an error
 * with {@link refuse}, so that nobody waits for a body that will never come.
 *
 * The server makes one for every `http` and `sse` scope; around the `receive` of middleware, and on servers that know
 * nothing of this, {@link around} makes one where an application of the toolkit is entered.
 */
export class Rereadable<Event extends ReceiveEvent = ReceiveEvent> {
  readonly #source: () => Promise<Event>;
  /** Kept for the reader of the body. Entries of a WeakMap, one a request, would cost the garbage collector more. */
  bodyOfReader: object | undefined;
  /** Events that were given back, the next one first. */
  #again: Event[] | undefined;
  #progress: BodyProgress = "untouched";
  #refusal: Error | undefined;
  #expectation: Error | undefined;
  /** Settles when a reader that keeps the body has read it; never rejects. */
  #reading: Promise<void> | undefined;

  constructor(source: () => Promise<Event>) {
    this.#source = source;
  }

  /** The one that `receive` belongs to, made where there is none. */
  static around(scope: object, receive: Receive): Rereadable {
    const ofRequest = Rereadable.ofRequest(scope);
    if (ofRequest?.owns(receive)) return ofRequest;
    const known = KNOWN.get(receive);
    if (known !== undefined) return known;
    const made = new Rereadable(receive);
    KNOWN.set(receive, made);
    KNOWN.set(made.receive, made);
    return made;
  }

  /** Makes it that of the request, for copies of the scope that are made afterwards. */
  attachTo(scope: object): void {
    Reflect.set(scope, REREADABLE, this);
  }

  /** The one to which `receive` belongs, or else that of the scope's request. */
  static find(scope: object, receive: Receive): Rereadable | undefined {
    const ofRequest = Rereadable.ofRequest(scope);
    return ofRequest?.owns(receive) ? ofRequest : (KNOWN.get(receive) ?? ofRequest);
  }

  static ofRequest(scope: object): Rereadable | undefined {
    const present: unknown = Reflect.get(scope, REREADABLE);
    return present instanceof Rereadable ? present : undefined;
  }

  /** How much of the body has been received, without what was given back. */
  get progress(): BodyProgress {
    return this.#progress;
  }

  /** True for {@link receive}, and for the function that it stands around. */
  owns(receive: Receive): boolean {
    return receive === this.receive || receive === this.#source;
  }

  /**
   * The next event: one that was given back, else the next of the client.
   *
   * @throws what was left with {@link refuse} (as a rejection): for each call while there is a rest of the body, since it
   *   would be taken for the whole one, and once behind its end, where only a reader of the body would wait for ever.
   *   While a reader that keeps the body is at work, the call waits for it: two that share the events would each get a part.
   */
  readonly receive = (): Promise<Event> => {
    if (this.#reading !== undefined) return this.#reading.then(this.receive);
    const refusal = this.#refusal;
    if (refusal === undefined) return this.take();
    if (this.#progress === "over") this.#refusal = undefined;
    return Promise.reject(refusal);
  };

  /** {@link receive} for whoever knows what has become of the body: nothing is refused. */
  take(): Promise<Event> {
    const again = this.#again?.shift();
    if (again !== undefined) return Promise.resolve(this.#noted(again));
    if (this.#progress === "over" && this.#expectation !== undefined)
      return Promise.reject(this.#expectation);
    return mapped(this.#source(), (event) => this.#noted(event));
  }

  /** Gives back all events that were received so far, or one that stands for them. */
  unread(events: readonly Event[]): void {
    this.putBack(events);
    this.#progress = "untouched";
    this.#refusal = undefined;
  }

  /** Gives back events that have nothing to do with the body. */
  putBack(events: readonly Event[]): void {
    if (events.length > 0) this.#again = [...events, ...(this.#again ?? [])];
  }

  /** The body was received, in part at least, and nobody has kept it: whoever asks for it next gets `error`. */
  refuse(error: Error): void {
    this.#refusal = error;
  }

  /** Makes {@link receive} wait until `reading` has settled, whose events come through {@link take} and are given back. */
  waitFor(reading: Promise<unknown>): void {
    const done = (): void => {
      if (this.#reading === settled) this.#reading = undefined;
    };
    const settled = reading.then(done, done);
    this.#reading = settled;
  }

  /** Somebody comes who asks for the end of the request, not for its body. */
  forgive(): void {
    this.#refusal = undefined;
  }

  /** While a body is asked for through another function than {@link receive}: `error` in place of waiting behind its end. */
  expectBody(error: Error | undefined): void {
    this.#expectation = error;
  }

  #noted(event: Event): Event {
    if (event.type === "http.request" || event.type === "sse.request")
      this.#progress = event.more ? "begun" : "over";
    return event;
  }
}
