import type { ConnectionState, DisconnectReason } from "../spec/connection-state.ts";

/** How a request stands: running, delivered, or cut with a reason. Each is left at most once. */
type Ending =
  { readonly kind: "complete" } | { readonly kind: "disconnected"; readonly reason: DisconnectReason };

/** Takes what a callback throws. */
export interface Reporter {
  report(message: string, error: unknown): void;
}

/** `pagi.connection`: how one request stands. Source: PAGI Www, "Connection State". */
export class RequestState implements ConnectionState {
  readonly #reporter: Reporter;
  #ending: Ending | undefined;
  #started = false;
  #disconnectCallbacks: ((reason: DisconnectReason) => void)[] | undefined;
  #completeCallbacks: (() => void)[] | undefined;
  #promise: PromiseWithResolvers<DisconnectReason> | undefined;
  #abort: AbortController | undefined;

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
    if (this.#ending === undefined) (this.#disconnectCallbacks ??= []).push(callback);
    else if (this.#ending.kind === "disconnected") this.#call("onDisconnect", callback, this.#ending.reason);
  }

  onComplete(callback: () => void): void {
    if (this.#ending === undefined) (this.#completeCallbacks ??= []).push(callback);
    else if (this.#ending.kind === "complete") this.#call("onComplete", callback, undefined);
  }

  whenDisconnected(): Promise<DisconnectReason> {
    if (this.#promise === undefined) {
      this.#promise = Promise.withResolvers();
      const reason = this.disconnectReason();
      if (reason !== undefined) this.#promise.resolve(reason);
    }
    return this.#promise.promise;
  }

  responseStarted(): boolean {
    return this.#started;
  }

  responseComplete(): boolean {
    return this.#ending?.kind === "complete";
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      const reason = this.disconnectReason();
      if (reason !== undefined) this.#abort.abort(reason);
    }
    return this.#abort.signal;
  }

  /** The server's side: the response has started, whoever started it. */
  markStarted(): void {
    this.#started = true;
  }

  /** The server's side: an abnormal end, in the order of transitions that the specification fixes. */
  markDisconnected(reason: DisconnectReason): void {
    if (this.#ending !== undefined) return;
    this.#ending = { kind: "disconnected", reason };
    this.#promise?.resolve(reason);
    this.#abort?.abort(reason);
    const callbacks = this.#disconnectCallbacks;
    this.#forgetCallbacks();
    if (callbacks !== undefined) for (const each of callbacks) this.#call("onDisconnect", each, reason);
  }

  /** The server's side: the response is fully delivered. */
  markComplete(): void {
    if (this.#ending !== undefined) return;
    this.#ending = { kind: "complete" };
    const callbacks = this.#completeCallbacks;
    this.#forgetCallbacks();
    if (callbacks !== undefined) for (const each of callbacks) this.#call("onComplete", each, undefined);
  }

  #forgetCallbacks(): void {
    this.#disconnectCallbacks = undefined;
    this.#completeCallbacks = undefined;
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
