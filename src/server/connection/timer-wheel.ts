import { AsyncLocalStorage } from "node:async_hooks";

// One interval serves every timeout of a server: a ring of slots, each slot a linked list of the deadlines that fall
// into its span of time. A busy connection moves its deadline on with every chunk; as that is nearly always to a later
// time, it costs one number, and the entry is filed again only when its old slot comes up.

/** One timeout that is armed and cleared over and over; made by {@link TimerWheel.deadline}. */
export interface Deadline {
  /**
   * (Re)arms: it expires once, `milliseconds` from now. Never early, and at most about one resolution late.
   * 0 and Infinity clear; a negative time expires at the next tick. Allocates nothing. After the wheel's close it
   * does nothing.
   *
   * @throws RangeError for NaN.
   */
  set(milliseconds: number): void;
  /** Disarms. Also let go of a deadline this way: an armed one keeps its owner alive. */
  clear(): void;
  readonly armed: boolean;
  /** Milliseconds until it expires, at least 0; Infinity while it is not armed. */
  readonly remaining: number;
}

/** What a deadline tells that it has expired: a function, or an owner, which so needs no function of its own. */
export type Expiry = (() => void) | { onDeadline(): void };

export interface TimerWheelOptions {
  /** Milliseconds between two looks at the clock. Default 100. */
  resolution?: number;
  /** A clock that never goes back, in milliseconds. Default `performance.now`. */
  now?: () => number;
  /** Told what was thrown at an expiry; the wheel goes on. Default: `console.error`. */
  onError?: (thrown: unknown) => void;
}

/** Slots of the ring, a power of two. At 100 ms they span 102 s, so that a usual timeout is filed once. */
const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;

/** A member of a doubly linked ring; alone, it is its own neighbour. */
class Link {
  previous: Link = this;
  next: Link = this;
}

/** What an entry needs of its wheel. */
interface Filing {
  now(): number;
  file(entry: Entry): void;
  unfile(entry: Entry): void;
}

class Entry extends Link implements Deadline {
  readonly expiry: Expiry;
  readonly #wheel: Filing;
  /** When it expires, on the wheel's clock; Infinity while it is not armed, which is also while it is not filed. */
  due = Infinity;
  /** When its slot comes up; `due` may since have moved to a later time, never to an earlier one. */
  filedFor = Infinity;

  constructor(wheel: Filing, expiry: Expiry) {
    super();
    this.#wheel = wheel;
    this.expiry = expiry;
  }

  set(milliseconds: number): void {
    if (milliseconds === 0 || milliseconds === Infinity) return this.clear();
    if (Number.isNaN(milliseconds))
      throw new RangeError("A deadline needs a number of milliseconds, not NaN.");
    const wheel = this.#wheel;
    const armed = this.due !== Infinity;
    this.due = wheel.now() + milliseconds;
    if (armed && this.due >= this.filedFor) return;
    if (armed) wheel.unfile(this);
    wheel.file(this);
  }

  clear(): void {
    if (this.due === Infinity) return;
    this.due = Infinity;
    this.#wheel.unfile(this);
  }

  get armed(): boolean {
    return this.due !== Infinity;
  }

  get remaining(): number {
    return this.due === Infinity ? Infinity : Math.max(0, this.due - this.#wheel.now());
  }
}

/**
 * The timeouts of all connections of a server. It wakes up once a `resolution`, and not at all while nothing is
 * armed.
 */
export class TimerWheel {
  readonly #resolution: number;
  readonly #now: () => number;
  readonly #onError: (thrown: unknown) => void;
  readonly #slots: readonly Link[] = Array.from({ length: SLOTS }, () => new Link());
  /** Entries taken out of their slots by the tick that runs now. */
  readonly #expired = new Link();
  readonly #filing: Filing;
  /** Number of the slot that the last tick looked at; slots are numbered from the clock's zero. */
  #cursor = 0;
  #size = 0;
  #closed = false;
  #interval: ReturnType<typeof setInterval> | undefined;
  /** The first `set` may come from inside a request; expiries must not see that request's async context. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();

  constructor(options: TimerWheelOptions = {}) {
    this.#resolution = options.resolution ?? 100;
    this.#now = options.now ?? (() => performance.now());
    this.#onError = options.onError ?? ((thrown) => console.error(thrown));
    this.#filing = {
      now: this.#now,
      file: (entry) => this.#file(entry),
      unfile: (entry) => this.#unfile(entry),
    };
  }

  /** A new deadline, not armed. What it tells of its expiry may arm and clear any deadline, this one too. */
  deadline(expiry: Expiry): Deadline {
    return new Entry(this.#filing, expiry);
  }

  /** How many deadlines are armed. */
  get size(): number {
    return this.#size;
  }

  /** True while the interval runs. */
  get running(): boolean {
    return this.#interval !== undefined;
  }

  /** Expires what is due at `now`. The interval calls it; tests may, with a clock of their own. */
  tick(now: number = this.#now()): void {
    // An interval that outlives its last deadline by one tick is cheaper than one that each request starts and stops.
    if (this.#size === 0) return this.#stop();
    const current = Math.floor(now / this.#resolution);
    // The slot of the last tick is looked at again: its span was not over then.
    const first = Math.max(this.#cursor, current - SLOTS + 1);
    this.#cursor = Math.max(this.#cursor, current);
    for (let number = first; number <= current; number++) this.#sweep(number, now);
    this.#expire(now);
  }

  /** Forgets every deadline, none of which will run, and stops for good. */
  close(): void {
    this.#closed = true;
    this.#stop();
    for (const slot of this.#slots) this.#forget(slot);
    this.#forget(this.#expired);
  }

  /** Moves the slot's expired entries aside and files those again whose time has moved on. */
  #sweep(number: number, now: number): void {
    const slot = this.#slots[number & SLOT_MASK]!;
    const spanEnds = (number + 1) * this.#resolution;
    // An entry a whole round away comes back to the end of this very list, and is not looked at again.
    const last = slot.previous;
    let link: Link = slot;
    let next = slot.next;
    while (link !== last) {
      link = next;
      next = link.next;
      const entry = link as Entry;
      if (entry.due <= now) {
        unlink(entry);
        append(this.#expired, entry);
      } else if (entry.due >= spanEnds) {
        this.#unfile(entry);
        this.#file(entry);
      }
    }
  }

  /** Runs what `#sweep` has set aside. Until its turn comes, an entry can still be cleared or moved by the others. */
  #expire(now: number): void {
    while (this.#expired.next !== this.#expired) {
      const entry = this.#expired.next as Entry;
      this.#unfile(entry);
      if (entry.due > now) {
        this.#file(entry);
        continue;
      }
      entry.due = Infinity;
      try {
        tell(entry.expiry);
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
  }

  #file(entry: Entry): void {
    if (this.#closed) {
      entry.due = Infinity;
      return;
    }
    const resolution = this.#resolution;
    if (this.#interval === undefined) this.#start();
    // Never behind the cursor, where no tick would look, and never a whole round ahead of it.
    let number = Math.floor(entry.due / resolution);
    if (number < this.#cursor) number = this.#cursor;
    else if (number > this.#cursor + SLOT_MASK) number = this.#cursor + SLOT_MASK;
    entry.filedFor = number * resolution;
    append(this.#slots[number & SLOT_MASK]!, entry);
    this.#size++;
  }

  #unfile(entry: Entry): void {
    unlink(entry);
    this.#size--;
  }

  #start(): void {
    this.#cursor = Math.floor(this.#now() / this.#resolution);
    this.#interval = setInterval(() => this.#inOwnContext(() => this.tick()), this.#resolution);
  }

  #stop(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  #forget(list: Link): void {
    while (list.next !== list) (list.next as Entry).clear();
  }
}

function tell(expiry: Expiry): void {
  if (typeof expiry === "function") expiry();
  else expiry.onDeadline();
}

function append(list: Link, entry: Link): void {
  const last = list.previous;
  last.next = entry;
  entry.previous = last;
  entry.next = list;
  list.previous = entry;
}

function unlink(entry: Link): void {
  entry.previous.next = entry.next;
  entry.next.previous = entry.previous;
  entry.previous = entry;
  entry.next = entry;
}
