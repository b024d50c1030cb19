import type { Outgoing } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { Message, PubSub, Subscriber } from "./pub-sub.ts";

/** Makes of a message what is sent to the client. */
export type Take = (message: Message) => Outgoing;

/** Channels that one connection may be in. A client that may choose them must not be able to fill the memory. */
export const MAX_CHANNELS = 100;

/** Chars of the name of a channel, which may come from a client too. */
const MAX_NAME = 1000;

/** What is done with messages of a channel, from when they come. */
interface Joined {
  readonly take: Take;
  readonly subscribed: Promise<void>;
}

/** The channels that one connection is in, and what it hears from them. */
export class Membership implements Subscriber {
  readonly id = crypto.randomUUID();
  readonly #pubsub: PubSub;
  readonly #outbox: Outbox;
  readonly #maxChannels: number;
  readonly #channels = new Map<string, Joined>();
  #hasEnded = false;

  constructor(pubsub: PubSub, outbox: Outbox, maxChannels: number) {
    this.#pubsub = pubsub;
    this.#outbox = outbox;
    this.#maxChannels = maxChannels;
  }

  /**
   * Resolves once it hears what is said there. Without effect where it is already, and after the end.
   *
   * @throws RangeError (as a rejection) for more channels than it may be in, and for one without a name, or with one of
   *   more than 1000 chars.
   */
  async join(channel: string, take: Take): Promise<void> {
    if (this.#hasEnded) return;
    const present = this.#channels.get(channel);
    if (present !== undefined) return present.subscribed;
    if (channel.length > MAX_NAME)
      throw new RangeError(`The name of a room or channel has at most ${MAX_NAME} chars.`);
    if (this.#channels.size >= this.#maxChannels) {
      throw new RangeError(
        `A connection can be in ${this.#maxChannels} rooms or channels (maxChannels), and this one is. Leave one before.`,
      );
    }
    const joined = { take, subscribed: this.#pubsub.subscribe(channel, this) };
    this.#channels.set(channel, joined);
    try {
      await joined.subscribed;
    } catch (error) {
      if (this.#channels.get(channel) === joined) this.#channels.delete(channel);
      throw error;
    }
    // It has left, or gone, while the subscription was on its way.
    if (!this.#channels.has(channel)) await this.#pubsub.unsubscribe(channel, this);
  }

  async leave(channel: string): Promise<void> {
    if (this.#channels.delete(channel)) await this.#pubsub.unsubscribe(channel, this);
  }

  async leaveAll(): Promise<void> {
    const channels = this.channels();
    this.#channels.clear();
    await Promise.all(channels.map((channel) => this.#pubsub.unsubscribe(channel, this)));
  }

  /** The connection is over. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    this.#outbox.close();
    await this.leaveAll();
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  channels(): string[] {
    return [...this.#channels.keys()];
  }

  deliver(message: Message, channel: string): void {
    const joined = this.#channels.get(channel);
    if (joined !== undefined) this.#outbox.add(joined.take(message));
  }
}
