import { jsonText } from "../response/body.ts";
import type { Outgoing } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import { ALL, assertChannel, type Message, type PubSub, type Subscriber } from "./pub-sub.ts";

/** Makes of a message what is sent to the client; `json` is the message as JSON. */
export type Take = (message: Message, json: () => string) => Outgoing;

/** Channels that one connection may be in. A client that may choose them must not be able to fill the memory. */
export const MAX_CHANNELS = 100;

/** Chars of the name of a channel, which may come from a client too. */
const MAX_NAME = 1000;

/** One channel that a connection is in, or is about to be in. */
interface Place {
  readonly take: Take;
  /** Resolves once the subscription stands. */
  subscribed: Promise<void>;
  isSubscribed: boolean;
}

/** The channels that one connection is in, and what it hears from them. */
export class Membership implements Subscriber {
  readonly id = crypto.randomUUID();
  readonly #pubsub: PubSub;
  readonly #outbox: Outbox;
  readonly #maxChannels: number;
  readonly #channels = new Map<string, Place>();
  #hasEnded = false;

  constructor(pubsub: PubSub, outbox: Outbox, maxChannels: number) {
    this.#pubsub = pubsub;
    this.#outbox = outbox;
    this.#maxChannels = maxChannels;
  }

  /**
   * Resolves once it hears what is said there, a second call for a channel with the first one. Without effect after the
   * end.
   *
   * @throws RangeError (as a rejection) for more channels than it may be in, for one without a name, and for a name of
   *   more than 1000 chars.
   */
  async join(channel: string, take: Take): Promise<void> {
    if (this.#hasEnded) return;
    const present = this.#channels.get(channel);
    if (present !== undefined) return await present.subscribed;
    assertChannel(channel);
    if (channel.length > MAX_NAME)
      throw new RangeError(`The name of a room or channel has at most ${MAX_NAME} chars.`);
    if (this.channels().length >= this.#maxChannels) {
      throw new RangeError(
        `A connection can be in ${this.#maxChannels} rooms or channels (maxChannels), and this one is. Leave one before.`,
      );
    }
    await this.#enter(channel, take);
  }

  /** As {@link join}, for what is said to all connections of the application. It counts as no channel, and is not left. */
  async joinAll(take: Take): Promise<void> {
    if (!this.#hasEnded && !this.#channels.has(ALL)) await this.#enter(ALL, take);
  }

  async #enter(channel: string, take: Take): Promise<void> {
    const place: Place = { take, subscribed: Promise.resolve(), isSubscribed: false };
    this.#channels.set(channel, place);
    place.subscribed = this.#subscribe(channel, place);
    await place.subscribed;
  }

  async #subscribe(channel: string, place: Place): Promise<void> {
    try {
      await this.#pubsub.subscribe(channel, this);
    } catch (error) {
      // Perhaps it has left meanwhile, and come back.
      if (this.#channels.get(channel) === place) this.#channels.delete(channel);
      throw error;
    }
    place.isSubscribed = true;
    // It has left, or gone, while the subscription was on its way.
    if (!this.#channels.has(channel)) await this.#pubsub.unsubscribe(channel, this);
  }

  async leave(channel: string): Promise<void> {
    if (channel !== ALL) await this.#exit(channel);
  }

  async #exit(channel: string): Promise<void> {
    const place = this.#channels.get(channel);
    this.#channels.delete(channel);
    // A subscription that is on its way is ended when it has come, and is not waited for: it may never come.
    if (place?.isSubscribed === true) await this.#pubsub.unsubscribe(channel, this);
  }

  async leaveAll(): Promise<void> {
    await Promise.all(this.channels().map((channel) => this.leave(channel)));
  }

  /** The connection is over. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    this.#outbox.close();
    await Promise.all([...this.#channels.keys()].map((channel) => this.#exit(channel)));
  }

  has(channel: string): boolean {
    return channel !== ALL && this.#channels.has(channel);
  }

  channels(): string[] {
    return [...this.#channels.keys()].filter((channel) => channel !== ALL);
  }

  deliver(message: Message, channel: string, json = () => jsonText(message)): void {
    const place = this.#channels.get(channel);
    if (place !== undefined) this.#outbox.add(place.take(message, json));
  }
}
