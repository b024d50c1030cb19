import { AsyncLocalStorage } from "node:async_hooks";

// One timer serves every timeout of a server: a ring of slots, each slot a linked list of the deadlines that fall into
// its span of time. A busy connection moves its deadline on with every request; as that is nearly always to a later
// time, it costs two fields and no look at the clock, and the entry is filed again only when its old slot comes up.
//
// The wheel ticks at the end of a slot, and only of one in which something is to do: one that holds deadlines, or in
// which a deadline was moved, which counts from the time of that tick.

/** One timeout that is armed and cleared over and over; made by {@link TimerWheel.deadline}. */
export interface Deadline {
  /**
   * (Re)arms: it expires once, `milliseconds` from now. Never early, and at most about two resolutions late.
   * 0 and Infinity clear; a negative time expires at the next tick. After the wheel's close it does nothing.
   *
   * @throws RangeError for NaN.
   */
  set(milliseconds: number): void;
  /** Disarms. Also let go of a deadline this way: an armed one keeps its owner alive. */
  clear(): void;
  readonly armed: boolean;
  /** Milliseconds until it expires, at least 0, and exact to one resolution; Infinity while it is not armed. */
  readonly remaining: number;
}

/** What a deadline tells that it has expired: a function, or an owner, which so needs no function of its own. */
export type Expiry = (() => void) | { onDeadline(): void };

export interface TimerWheelOptions {
  /** Milliseconds that one slot spans, and so between two ticks at the least. Default 100. */
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

/** A tick that deadlines count from; NaN until it has been. */
interface Tick {
  time: number;
}

/** What an entry needs of its wheel. */
interface Filing {
  now(): number;
  /** When the last tick was. */
  readonly tickedAt: number;
  /** The next tick, which now comes within one resolution. */
  nextTick(): Tick;
  file(entry: Entry): void;
  unfile(entry: Entry): void;
}

class Entry extends Link implements Deadline {
  readonly expiry: Expiry;
  readonly #wheel: Filing;
  /**
   * When it expires, on the wheel's clock; Infinity while it is not armed, which is also while it is not filed. Out of
   * date while there is a `#from`.
   */
  due = Infinity;
  /** When its slot comes up; it may since have been moved to a later time, never to an earlier one. */
  filedFor = Infinity;
  /** The tick that it counts from, `#milliseconds` long. */
  #from: Tick | undefined;
  #milliseconds = 0;

  constructor(wheel: Filing, expiry: Expiry) {
    super();
    this.#wheel = wheel;
    this.expiry = expiry;
  }

  set(milliseconds: number): void {
    if (milliseconds === 0 || milliseconds === Infinity) return this.clear();
    const wheel = this.#wheel;
    // Its slot comes up early enough. False for NaN.
    if (this.due !== Infinity && wheel.tickedAt + milliseconds >= this.filedFor) {
      this.#from = wheel.nextTick();
      this.#milliseconds = milliseconds;
      return;
    }
    if (Number.isNaN(milliseconds))
      throw new RangeError("A deadline needs a number of milliseconds, not NaN.");
    const armed = this.due !== Infinity;
    this.#from = undefined;
    this.due = wheel.now() + milliseconds;
    if (armed && this.due >= this.filedFor) return;
    if (armed) wheel.unfile(this);
    wheel.file(this);
  }

  /** Brings `due` up to date, within a tick. One that counts from the next tick is not due before that. */
  settle(): void {
    if (this.#from === undefined) return;
    const { time } = this.#from;
    this.due = (Number.isNaN(time) ? this.#wheel.tickedAt : time) + this.#milliseconds;
    if (!Number.isNaN(time)) this.#from = undefined;
  }

  clear(): void {
    if (this.due === Infinity) return;
    this.due = Infinity;
    this.#from = undefined;
    this.#wheel.unfile(this);
  }

  get armed(): boolean {
    return this.due !== Infinity;
  }

  get remaining(): number {
    if (this.due === Infinity) return Infinity;
    if (this.#from === undefined) return Math.max(0, this.due - this.#wheel.now());
    const { time } = this.#from;
    return Number.isNaN(time)
      ? this.#milliseconds
      : Math.max(0, time + this.#milliseconds - this.#wheel.now());
  }
}

/** The timeouts of all connections of a server. It wakes up only when there is something to do. */
export class TimerWheel {
  readonly #resolution: number;
  readonly #now: () => number;
  readonly #onError: (thrown: unknown) => void;
  readonly #slots: readonly Link[] = Array.from({ length: SLOTS }, () => new Link());
  /** Entries taken out of their slots by the tick that runs now. */
  readonly #expired = new Link();
  readonly #filing;
  /** Number of the slot that the last tick looked at; slots are numbered from the clock's zero. */
  #cursor = 0;
  #size = 0;
  #closed = false;
  #isTicking = false;
  /** The tick that deadlines count from which were moved since the last one; made by the first of them. */
  #next: Tick | undefined;
  /** The time that the timer is set to; Infinity while there is none. */
  #wakesAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The first `set` may come from inside a request; expiries must not see that request's async context. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();

  constructor(options: TimerWheelOptions = {}) {
    this.#resolution = options.resolution ?? 100;
    this.#now = options.now ?? (() => performance.now());
    this.#onError = options.onError ?? ((thrown) => console.error(thrown));
    this.#cursor = this.#slotAt(this.#now());
    this.#filing = {
      now: this.#now,
      tickedAt: -Infinity,
      nextTick: () => this.#next ?? this.#awaitTick(),
      file: (entry: Entry) => this.#file(entry),
      unfile: (entry: Entry) => this.#unfile(entry),
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

  /** True while the timer is set. */
  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Expires what is due at `now`. The timer calls it; tests may, with a clock of their own. */
  tick(now: number = this.#now()): void {
    if (this.#isTicking) return;
    this.#stop();
    if (this.#next !== undefined) this.#next.time = now;
    this.#next = undefined;
    this.#filing.tickedAt = now;
    const current = this.#slotAt(now);
    // The slot of the last tick is looked at again: its span may not have been over then.
    const first = Math.max(this.#cursor, current - SLOTS + 1);
    this.#cursor = Math.max(this.#cursor, current);
    this.#isTicking = true;
    try {
      for (let number = first; number <= current; number++) this.#sweep(number, now);
      this.#expire(now);
    } finally {
      this.#isTicking = false;
      this.#scheduleNext();
    }
  }

  /** Forgets every deadline, none of which will run, and stops for good. */
  close(): void {
    this.#closed = true;
    this.#stop();
    for (const slot of this.#slots) this.#forget(slot);
    this.#forget(this.#expired);
  }

  #slotAt(time: number): number {
    return Math.floor(time / this.#resolution);
  }

  #endOf(slot: number): number {
    return (slot + 1) * this.#resolution;
  }

  /** Moves the slot's expired entries aside and files those again whose time has moved on. */
  #sweep(number: number, now: number): void {
    const slot = this.#slots[number & SLOT_MASK]!;
    const spanEnds = this.#endOf(number);
    // An entry a whole round away comes back to the end of this very list, and is not looked at again.
    const last = slot.previous;
    let link: Link = slot;
    let next = slot.next;
    while (link !== last) {
      link = next;
      next = link.next;
      const entry = link as Entry;
      entry.settle();
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
      entry.settle();
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
    // Nobody has moved the cursor while nothing was armed.
    if (this.#size === 0 && !this.#isTicking)
      this.#cursor = Math.max(this.#cursor, this.#slotAt(this.#now()));
    // Never behind the cursor, where no tick would look, and never a whole round ahead of it.
    let number = this.#slotAt(entry.due);
    if (number < this.#cursor) number = this.#cursor;
    else if (number > this.#cursor + SLOT_MASK) number = this.#cursor + SLOT_MASK;
    entry.filedFor = number * this.#resolution;
    append(this.#slots[number & SLOT_MASK]!, entry);
    this.#size++;
    this.#wakeBy(this.#endOf(number));
  }

  #unfile(entry: Entry): void {
    unlink(entry);
    this.#size--;
    if (this.#size === 0 && !this.#isTicking) this.#stop();
  }

  /** Deadlines are moved again: a tick ends the slot that runs now. */
  #awaitTick(): Tick {
    this.#next = { time: NaN };
    this.#wakeBy(this.#endOf(this.#slotAt(this.#now())));
    return this.#next;
  }

  #scheduleNext(): void {
    if (this.#size === 0 || this.#closed) return;
    if (this.#next !== undefined) this.#wakeBy(this.#endOf(this.#slotAt(this.#now())));
    for (let number = this.#cursor; number < this.#cursor + SLOTS; number++) {
      const slot = this.#slots[number & SLOT_MASK]!;
      if (slot.next === slot) continue;
      this.#wakeBy(this.#endOf(number));
      return;
    }
  }

  /** Sets the timer, unless it comes early enough; a tick does that at its end. */
  #wakeBy(time: number): void {
    if (time >= this.#wakesAt || this.#isTicking) return;
    this.#stop();
    this.#wakesAt = time;
    const delay = Math.max(1, Math.ceil(time - this.#now()));
    this.#timer = setTimeout(() => this.#inOwnContext(() => this.tick()), delay);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = Infinity;
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
