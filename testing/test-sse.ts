import { createParser } from "eventsource-parser";
import type { ApplicationRun } from "./application-run.ts";
import { ClosedError } from "./test-error.ts";
import type { TestResponse } from "./test-response.ts";

/** An event as `EventSource` sees it. */
export interface ReceivedEvent {
  /** Its lines of data, joined by line feeds. */
  readonly data: string;
  /** Default `message`, which is what `EventSource` takes where the stream names none. */
  readonly event: string;
  /** Where the event has one of its own. */
  readonly id: string | undefined;
  /** Milliseconds, where the event tells how long to wait before coming back. */
  readonly retry: number | undefined;
}

/** The client's end of an event stream. What the application sends is read as it comes. */
export class TestSse implements AsyncIterable<ReceivedEvent>, AsyncDisposable {
  /** Status and fields of the stream. */
  readonly response: TestResponse;
  readonly #run: ApplicationRun;
  readonly #decoder = new TextDecoder();
  readonly #events: ReceivedEvent[] = [];
  readonly #comments: string[] = [];
  #retry: number | undefined;
  #lastEventId = "";
  readonly #parser = createParser({
    onEvent: ({ data, event = "message", id }) => {
      if (id !== undefined) this.#lastEventId = id;
      this.#events.push({ data, event, id, retry: this.#retry });
      this.#retry = undefined;
    },
    onRetry: (milliseconds) => {
      this.#retry = milliseconds;
    },
    onComment: (comment) => void this.#comments.push(comment),
  });

  constructor(run: ApplicationRun, response: TestResponse) {
    this.#run = run;
    this.response = response;
  }

  /** What `EventSource` would send when it comes back: the id of the last event that was received with one. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** True once the stream has ended and all of it was received. */
  isClosed(): boolean {
    return this.#run.transport.line.isDone && this.#events.length === 0;
  }

  /**
   * The next event.
   *
   * @throws ClosedError when the stream ends before one comes; what the application throws; TestTimeoutError.
   */
  async receiveEvent(options?: { readonly timeout?: number }): Promise<ReceivedEvent> {
    const event = await this.#next(this.#events, "an event", options?.timeout);
    if (event !== undefined) return event;
    throw new ClosedError(`The event stream of ${this.#run.name} has ended.`);
  }

  /** The data of the next event as JSON. `T` is not checked. @throws as {@link receiveEvent}; SyntaxError. */
  async receiveJson<T = unknown>(options?: { readonly timeout?: number }): Promise<T> {
    return JSON.parse((await this.receiveEvent(options)).data);
  }

  /** The next comment, such as one that keeps the stream alive. @throws as {@link receiveEvent}. */
  async receiveComment(options?: { readonly timeout?: number }): Promise<string> {
    const comment = await this.#next(this.#comments, "a comment", options?.timeout);
    if (comment !== undefined) return comment;
    throw new ClosedError(`The event stream of ${this.#run.name} has ended.`);
  }

  /** The events, until the application ends the stream. Leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedEvent, void> {
    for (;;) {
      const event = await this.#next(this.#events, "an event");
      if (event === undefined) return;
      yield event;
    }
  }

  /**
   * The client goes away, and waits until the application has returned.
   *
   * @throws what the application throws; TestTimeoutError when it does not return.
   */
  async close(): Promise<void> {
    this.abort();
    await this.#run.finish();
  }

  /** The client goes away. */
  abort(): void {
    this.#run.lose("client_closed", new ClosedError(`The event stream of ${this.#run.name} was closed.`));
  }

  /** Stops reading, so that the application's events wait and `send` with them. */
  pause(): void {
    this.#run.transport.line.pause();
  }

  /** Reads again, and first what has come meanwhile. */
  resume(): void {
    this.#run.transport.line.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #next<T>(queue: T[], what: string, timeout?: number): Promise<T | undefined> {
    while (queue.length === 0) {
      const chunk = await this.#run.nextOf(this.#run.transport.line, what, timeout);
      if (chunk === undefined) {
        this.#run.check();
        break;
      }
      this.#parser.feed(this.#decoder.decode(chunk, { stream: true }));
    }
    return queue.shift();
  }
}
