import type { ConnectionState, DisconnectReason } from "../spec/connection-state.ts";

/** How a request stands: running, delivered, or cut with a reason. Each is left at most once. */
type Ending =
  { readonly kind: "complete" } | { readonly kind: "disconnected"; readonly reason: DisconnectReason };

const COMPLETE: Ending = { kind: "complete" };

/** Who waits for the end of a request; most requests have nobody. */
interface Watchers {
  disconnect: ((reason: DisconnectReason) => void)[];
  complete: (() => void)[];
  promise: PromiseWithResolvers<DisconnectReason> | undefined;
  abort: AbortController | undefined;
}

function forgetCallbacks(watchers: Watchers): void {
  watchers.disconnect = [];
  watchers.complete = [];
}

/** Takes what a callback throws. */
export interface Reporter {
  report(message: string, error: unknown): void;
}

/** `pagi.connection`: how one request stands. Source: PAGI Www, "Connection State". */
export class RequestState implements ConnectionState {
  readonly #reporter: Reporter;
  #ending: Ending | undefined;
  #started = false;
  #watchers: Watchers | undefined;

  get #lists(): Watchers {
    return (this.#watchers ??= { disconnect: [], complete: [], promise: undefined, abort: undefined });
  }

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  isConnected(): boolean {
    return this.#ending === undefined;
  }

  disconnectReason(): DisconnectReason | undefined {
    return this.#ending?.kind === "disconnected" ? this.#ending.reason : undefined;
  }

  onDisconnect(callback: (reason: DisconnectReason) => void): void {
    if (this.#ending === undefined) this.#lists.disconnect.push(callback);
    else if (this.#ending.kind === "disconnected") this.#call("onDisconnect", callback, this.#ending.reason);
  }

  onComplete(callback: () => void): void {
    if (this.#ending === undefined) this.#lists.complete.push(callback);
    else if (this.#ending.kind === "complete") this.#call("onComplete", callback, undefined);
  }

  whenDisconnected(): Promise<DisconnectReason> {
    const lists = this.#lists;
    if (lists.promise === undefined) {
      lists.promise = Promise.withResolvers();
      const reason = this.disconnectReason();
      if (reason !== undefined) lists.promise.resolve(reason);
    }
    return lists.promise.promise;
  }

  responseStarted(): boolean {
    return this.#started;
  }

  responseComplete(): boolean {
    return this.#ending?.kind === "complete";
  }

  get signal(): AbortSignal {
    const lists = this.#lists;
    if (lists.abort === undefined) {
      lists.abort = new AbortController();
      const reason = this.disconnectReason();
      if (reason !== undefined) lists.abort.abort(reason);
    }
    return lists.abort.signal;
  }

  /** The server's side: the response has started, whoever started it. */
  markStarted(): void {
    this.#started = true;
  }

  /** The server's side: an abnormal end, in the order of transitions that the specification fixes. */
  markDisconnected(reason: DisconnectReason): void {
    if (this.#ending !== undefined) return;
    this.#ending = { kind: "disconnected", reason };
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    watchers.promise?.resolve(reason);
    watchers.abort?.abort(reason);
    const { disconnect } = watchers;
    forgetCallbacks(watchers);
    for (const each of disconnect) this.#call("onDisconnect", each, reason);
  }

  /** The server's side: the response is fully delivered. */
  markComplete(): void {
    if (this.#ending !== undefined) return;
    this.#ending = COMPLETE;
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    const { complete } = watchers;
    forgetCallbacks(watchers);
    for (const each of complete) this.#call("onComplete", each, undefined);
  }

  /** One callback's failure must not keep the others from running, nor the server from going on. */
  #call<T>(name: string, callback: (argument: T) => void, argument: T): void {
    try {
      callback(argument);
    } catch (error) {
      this.#reporter.report(`an ${name} callback threw`, error);
    }
  }
}
