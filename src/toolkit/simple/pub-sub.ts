import { checkOptions, TEXT, type OptionRules } from "../../spec/option-rules.ts";
import { jsonText } from "../response/body.ts";

/** What is published. An implementation that leaves the process sends it as JSON, or as it is if it is bytes. */
export type Message = string | Uint8Array | object | number | boolean | null;

/** Who hears what is published: a connection, mostly. */
export interface Subscriber {
  /** Unlike that of any other subscriber, in other processes too. */
  readonly id: string;
  /**
   * Takes a message and returns at once; it queues what it cannot send now, up to a limit of its own.
   *
   * @param json the message as JSON, made for all subscribers once, when the first one asks. Without it each makes its own.
   */
  deliver(message: Message, channel: string, json?: () => string): void;
}

/** Who a message is for. */
export interface PublishOptions {
  /** The id of a subscriber that is left out: the one who speaks. */
  readonly except?: string | undefined;
}

/**
 * Channels by name. What is published in one reaches all that are subscribed to it at that time, and is then forgotten.
 * Everything is asynchronous, so that an implementation may reach other workers and machines. What is asked for one
 * channel and one subscriber takes effect in the order in which it is asked for.
 */
export interface PubSub {
  /** Resolves once what is published from now on will reach the subscriber. A second time changes nothing. */
  subscribe(channel: string, subscriber: Subscriber): Promise<void>;
  /** Resolves once nothing reaches it any more. */
  unsubscribe(channel: string, subscriber: Subscriber): Promise<void>;
  /** Resolves with the number of subscribers that it was given to, as far as the implementation knows. */
  publish(channel: string, message: Message, options?: PublishOptions): Promise<number>;
  /** The subscribers of this process to a channel. */
  subscribers(channel: string): number;
  /** The channels that have subscribers in this process. */
  channels(): string[];
}

const PUBLISH_RULES: OptionRules<PublishOptions> = { except: TEXT };
/** The channel that every WebSocket of an application is in. Nobody chooses it as the name of a room. */
export const ALL = "pagi:all";

/** The channels of one process. Subscribing and delivering are done when the call returns. */
export class MemoryPubSub implements PubSub {
  readonly #channels = new Map<string, Map<string, Subscriber>>();
  #warnsOfWorkers = false;

  /**
   * There are other worker processes: the first subscription to a room, or message to all, is followed by a warning that
   * they hear nothing of it.
   */
  warnOfWorkers(): void {
    this.#warnsOfWorkers = true;
  }

  /** @throws RangeError (as a rejection) for a channel without a name. */
  async subscribe(channel: string, subscriber: Subscriber): Promise<void> {
    if (channel !== ALL) assertChannel(channel);
    const present = this.#channels.get(channel);
    if (present === undefined) this.#channels.set(channel, new Map([[subscriber.id, subscriber]]));
    else present.set(subscriber.id, subscriber);
    if (channel !== ALL) this.#warn();
  }

  #warn(): void {
    if (!this.#warnsOfWorkers) return;
    this.#warnsOfWorkers = false;
    process.emitWarning(
      "Each worker has rooms and channels of its own, so that messages do not reach clients of other workers. " +
        "Give new Simple({ pubsub }) one that goes through a broker, or serve without workers.",
      "PagiPubSubWarning",
    );
  }

  async unsubscribe(channel: string, subscriber: Subscriber): Promise<void> {
    const present = this.#channels.get(channel);
    if (present?.get(subscriber.id) !== subscriber) return;
    present.delete(subscriber.id);
    if (present.size === 0) this.#channels.delete(channel);
  }

  /**
   * @throws TypeError (as a rejection) for an object that has no JSON, such as one that contains itself; AggregateError of
   *   what subscribers threw, once all others have the message.
   */
  async publish(channel: string, message: Message, options: PublishOptions = {}): Promise<number> {
    if (channel === ALL) this.#warn();
    else assertChannel(channel);
    checkOptions("publish", PUBLISH_RULES, options);
    const { except } = options;
    const errors: unknown[] = [];
    let count = 0;
    let made: string | undefined;
    const json = (): string => (made ??= jsonText(message));
    // That is the caller's error, and not one of each subscriber.
    if (typeof message === "object" && !(message instanceof Uint8Array)) json();
    // A copy, since whoever hears of it may come or go while it is being delivered.
    for (const subscriber of [...(this.#channels.get(channel)?.values() ?? [])]) {
      if (subscriber.id === except) continue;
      try {
        subscriber.deliver(message, channel, json);
        count++;
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw new AggregateError(errors, `${errors.length} subscribers of '${channel}' threw.`);
    }
    return count;
  }

  subscribers(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  channels(): string[] {
    return [...this.#channels.keys()].filter((channel) => channel !== ALL);
  }
}

/** @throws RangeError for a name that a room or channel cannot have. */
export function assertChannel(channel: string): void {
  if (typeof channel !== "string" || channel === "")
    throw new RangeError("A channel has a name, which is a string that is not empty.");
  if (channel === ALL)
    throw new RangeError(`The name '${ALL}' is taken: broadcast(message) reaches everybody.`);
}

/**
 * A message that was left out, or has no JSON, is an error of the caller, and not of the connections that hear it.
 *
 * @throws TypeError for `undefined`, a function, a symbol, a BigInt and a promise.
 */
export function assertMessage(message: unknown): void {
  const hasJson = ["string", "number", "boolean", "object"].includes(typeof message);
  if (!hasJson || message instanceof Promise) jsonText(message);
}
