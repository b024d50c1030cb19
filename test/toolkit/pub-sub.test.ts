import { describe, expect, test } from "bun:test";
import { Membership } from "../../src/toolkit/simple/membership.ts";
import type { OutboxOptions } from "../../src/toolkit/simple/outbox.ts";
import { Outbox } from "../../src/toolkit/simple/outbox.ts";
import type { Message, Subscriber } from "../../src/toolkit/simple/pub-sub.ts";
import { MemoryPubSub } from "../../src/toolkit/simple/pub-sub.ts";

function listener(id: string) {
  const heard: [channel: string, message: Message][] = [];
  const subscriber: Subscriber = { id, deliver: (message, channel) => void heard.push([channel, message]) };
  return { subscriber, heard };
}

describe("MemoryPubSub", () => {
  test("reaches those who are subscribed, when the call returns, and tells how many", async () => {
    const pubsub = new MemoryPubSub();
    const [a, b] = [listener("a"), listener("b")];
    void pubsub.subscribe("news", a.subscriber);
    void pubsub.subscribe("news", b.subscriber);
    void pubsub.subscribe("news", b.subscriber);
    const published = pubsub.publish("news", { n: 1 });
    expect([a.heard, b.heard]).toEqual([[["news", { n: 1 }]], [["news", { n: 1 }]]]);
    expect(await published).toBe(2);
    expect([pubsub.channels(), pubsub.subscribers("news")]).toEqual([["news"], 2]);
    expect(await pubsub.publish("news", "x", { except: "a" })).toBe(1);
    expect(a.heard).toHaveLength(1);
  });

  test("forgets subscribers and empty channels", async () => {
    const pubsub = new MemoryPubSub();
    const a = listener("a");
    await pubsub.subscribe("x", a.subscriber);
    await pubsub.unsubscribe("x", listener("a").subscriber);
    expect(pubsub.subscribers("x")).toBe(1);
    await pubsub.unsubscribe("x", a.subscriber);
    await pubsub.unsubscribe("x", a.subscriber);
    expect([await pubsub.publish("x", 1), a.heard, pubsub.channels()]).toEqual([0, [], []]);
  });

  test("one who throws keeps the message from nobody", async () => {
    const pubsub = new MemoryPubSub();
    const b = listener("b");
    await pubsub.subscribe("x", {
      id: "a",
      deliver: () => {
        throw new Error("no");
      },
    });
    await pubsub.subscribe("x", b.subscriber);
    await expect(pubsub.publish("x", "m")).rejects.toThrow("1 subscribers of 'x' threw");
    expect(b.heard).toEqual([["x", "m"]]);
  });

  test("one who leaves while a message is delivered, or comes, disturbs nobody", async () => {
    const pubsub = new MemoryPubSub();
    const late = listener("late");
    const first: Subscriber = {
      id: "first",
      deliver: () => {
        void pubsub.unsubscribe("x", first);
        void pubsub.subscribe("x", late.subscriber);
      },
    };
    const second = listener("second");
    await pubsub.subscribe("x", first);
    await pubsub.subscribe("x", second.subscriber);
    expect(await pubsub.publish("x", 1)).toBe(2);
    expect([second.heard.length, late.heard.length]).toEqual([1, 0]);
    expect(await pubsub.publish("x", 2)).toBe(2);
  });

  test("a channel has a name", async () => {
    await expect(new MemoryPubSub().subscribe("", listener("a").subscriber)).rejects.toThrow(RangeError);
    await expect(new MemoryPubSub().publish("", 1)).rejects.toThrow("A channel has a name");
  });
});

/** An outbox whose client takes a message when it is told to. */
function slowClient(options: OutboxOptions) {
  const sent: string[] = [];
  const taken: (() => void)[] = [];
  const events = { overflows: 0, drops: 0, errors: [] as unknown[] };
  const outbox = new Outbox(options, {
    onOverflow: () => void events.overflows++,
    onDrop: () => void events.drops++,
    onError: (error) => void events.errors.push(error),
  });
  outbox.open();
  return {
    outbox,
    sent,
    events,
    add(text: string) {
      outbox.add({
        size: text.length,
        send: () => {
          sent.push(text);
          return new Promise((resolve) => taken.push(resolve));
        },
      });
    },
    /** The client takes the message that is on its way. */
    async take() {
      taken.shift()?.();
      await Bun.sleep(0);
    },
  };
}

describe("Outbox", () => {
  test("sends one after the other, and nothing before it is open", async () => {
    const sent: string[] = [];
    const outbox = new Outbox({}, { onOverflow() {}, onError() {} });
    outbox.add({ size: 1, send: async () => void sent.push("a") });
    expect(sent).toEqual([]);
    outbox.open();
    outbox.add({ size: 1, send: async () => void sent.push("b") });
    await Bun.sleep(0);
    expect([sent, outbox.queued]).toEqual([["a", "b"], 0]);
  });

  test("drop-oldest leaves out what waits longest, and counts", async () => {
    const client = slowClient({ whenSlow: "drop-oldest", maxQueued: 2 });
    for (const text of ["1", "2", "3", "4", "5"]) client.add(text);
    expect([client.sent, client.outbox.queued, client.outbox.dropped, client.events.drops]).toEqual([
      ["1"],
      2,
      2,
      2,
    ]);
    await client.take();
    await client.take();
    expect(client.sent).toEqual(["1", "4", "5"]);
  });

  test("drop-new leaves out what comes, and counts", async () => {
    const client = slowClient({ whenSlow: "drop-new", maxQueued: 2 });
    for (const text of ["1", "2", "3", "4", "5"]) client.add(text);
    await client.take();
    await client.take();
    expect([client.sent, client.outbox.dropped]).toEqual([["1", "2", "3"], 2]);
  });

  test("close, the default, ends it once, and what waits is forgotten", async () => {
    const client = slowClient({ maxQueued: 1 });
    for (const text of ["1", "2", "3", "4"]) client.add(text);
    await client.take();
    expect([client.sent, client.events.overflows, client.outbox.queued]).toEqual([["1"], 1, 0]);
  });

  test("bytes are limited too, and one message always fits", async () => {
    const client = slowClient({ whenSlow: "drop-oldest", maxQueuedBytes: 10 });
    client.add("x");
    client.add("a".repeat(50));
    expect([client.outbox.queued, client.outbox.dropped]).toEqual([1, 0]);
    client.add("b".repeat(6));
    client.add("c".repeat(4));
    expect([client.outbox.queued, client.outbox.dropped]).toEqual([2, 1]);
    await client.take();
    await client.take();
    expect(client.sent).toEqual(["x", "b".repeat(6), "c".repeat(4)]);
  });

  test("what cannot be sent is told, and the next one goes out", async () => {
    const { outbox, events, sent, add } = slowClient({});
    outbox.add({ size: 1, send: () => Promise.reject(new Error("no")) });
    add("next");
    await Bun.sleep(0);
    expect([String(events.errors[0]), sent]).toEqual(["Error: no", ["next"]]);
  });

  test("options that are none are refused", () => {
    const make = (options: object) => () => slowClient(options);
    expect(make({ whenSlow: "wait" })).toThrow(
      "must be 'close', 'drop-oldest' or 'drop-new', but is \"wait\"",
    );
    expect(make({ maxQueued: 0 })).toThrow("maxQueued");
    expect(make({ maxQueuedBytes: Number.NaN })).toThrow("maxQueuedBytes");
  });
});

describe("Membership", () => {
  const member = (pubsub = new MemoryPubSub(), max = 2) => {
    const heard: Message[] = [];
    const outbox = new Outbox({}, { onOverflow() {}, onError() {} });
    outbox.open();
    const take = (message: Message) => ({ size: 1, send: async () => void heard.push(message) });
    return { member: new Membership(pubsub, outbox, max), take, heard, pubsub };
  };

  test("hears the channels it is in, up to a limit", async () => {
    const { member: m, take, heard, pubsub } = member();
    await m.join("a", take);
    await m.join("a", take);
    await m.join("b", take);
    await expect(m.join("c", take)).rejects.toThrow("can be in 2 rooms");
    await pubsub.publish("a", 1);
    await pubsub.publish("b", 2);
    await m.leave("a");
    await pubsub.publish("a", 3);
    expect([heard, m.channels(), m.has("a")]).toEqual([[1, 2], ["b"], false]);
    await m.join("c", take);
  });

  test("joining a second time resolves, or fails, with the first", async () => {
    const answers: PromiseWithResolvers<void>[] = [];
    class Distant extends MemoryPubSub {
      override async subscribe(channel: string, subscriber: Subscriber): Promise<void> {
        const answer = Promise.withResolvers<void>();
        answers.push(answer);
        await answer.promise;
        await super.subscribe(channel, subscriber);
      }
    }
    const { member: m, take, heard, pubsub } = member(new Distant());
    const failing = [m.join("a", take), m.join("a", take)];
    answers[0]?.reject(new Error("the broker is away"));
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const joining = m.join("a", take);
    const again = m.join("a", take).then(() => pubsub.publish("a", "heard"));
    await m.leave("a");
    const back = m.join("a", take);
    answers[1]?.resolve();
    await joining;
    answers[2]?.resolve();
    await Promise.all([back, again]);
    await pubsub.publish("a", "too");
    expect([answers.length, heard]).toEqual([3, ["heard", "too"]]);
  });

  test("the name of a channel, which may come from a client, has at most 1000 chars", async () => {
    const { member: m, take, pubsub } = member();
    await expect(m.join("n".repeat(1001), take)).rejects.toThrow("at most 1000 chars");
    expect([m.channels(), pubsub.channels()]).toEqual([[], []]);
    await m.join("n".repeat(1000), take);
    expect(pubsub.channels()).toHaveLength(1);
  });

  test("is in none after the end, even where it was about to join", async () => {
    const subscribed = Promise.withResolvers<void>();
    class Slow extends MemoryPubSub {
      override async subscribe(channel: string, subscriber: Subscriber): Promise<void> {
        await subscribed.promise;
        await super.subscribe(channel, subscriber);
      }
    }
    const { member: m, take, pubsub } = member(new Slow());
    const joining = m.join("a", take);
    await m.end();
    subscribed.resolve();
    await joining;
    await m.join("b", take);
    expect(pubsub.channels()).toEqual([]);
  });

  test("a subscription that fails leaves it outside", async () => {
    class Broken extends MemoryPubSub {
      override subscribe(): Promise<void> {
        return Promise.reject(new Error("the broker is away"));
      }
    }
    const { member: m, take } = member(new Broken());
    await expect(m.join("a", take)).rejects.toThrow("the broker is away");
    expect(m.channels()).toEqual([]);
  });
});

test("a message that has no JSON is an error of its publisher, whoever would hear it", async () => {
  const circle: { self?: object } = {};
  circle.self = circle;
  for (const message of [circle, { amount: 5n }]) {
    for (const isHeard of [false, true]) {
      const pubsub = new MemoryPubSub();
      if (isHeard)
        await pubsub.subscribe("a", { id: "1", deliver: (_message, _channel, json) => void json?.() });
      await expect(pubsub.publish("a", message)).rejects.toBeInstanceOf(TypeError);
    }
  }
});
