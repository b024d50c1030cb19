import type { Outgoing } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { Message, PubSub, Subscriber } from "./pub-sub.ts";

/** Makes of a message what is sent to the client. */
export type Take = (message: Message) => Outgoing;

/** Channels that one connection may be in. A client that may choose them must not be able to fill the memory. */
export const MAX_CHANNELS = 100;

/** The channels that one connection is in, and what it hears from them. */
export class Membership implements Subscriber {
  readonly id = crypto.randomUUID();
  readonly #pubsub: PubSub;
  readonly #outbox: Outbox;
  readonly #maxChannels: number;
  readonly #channels = new Map<string, Take>();
  #hasEnded = false;

  constructor(pubsub: PubSub, outbox: Outbox, maxChannels: number) {
    this.#pubsub = pubsub;
    this.#outbox = outbox;
    this.#maxChannels = maxChannels;
  }

  /**
   * Resolves once it hears what is said there. Without effect where it is already, and after the end.
   *
   * @throws RangeError (as a rejection) for more channels than it may be in, and for one without a name.
   */
  async join(channel: string, take: Take): Promise<void> {
    if (this.#hasEnded || this.#channels.has(channel)) return;
    if (this.#channels.size >= this.#maxChannels) {
      throw new RangeError(
        `A connection can be in ${this.#maxChannels} rooms or channels (maxChannels), and this one is. Leave one before.`,
      );
    }
    this.#channels.set(channel, take);
    try {
      await this.#pubsub.subscribe(channel, this);
    } catch (error) {
      this.#channels.delete(channel);
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
    const take = this.#channels.get(channel);
    if (take !== undefined) this.#outbox.add(take(message));
  }
}
