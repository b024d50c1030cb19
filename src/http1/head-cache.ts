import type { Http1Request } from "./events.ts";
import type { Http1Limits } from "./limits.ts";
import { knownFields } from "./known-head.ts";
import type { KnownFields, KnownHead } from "./known-head.ts";
import type { RequestLine } from "./request-line.ts";
import { SlotTable } from "./slot-table.ts";

/**
 * Bytes of the longest head that is remembered. A browser's has 400 to 900 without cookies; of a longer one most is
 * cookies, which are different for each client.
 */
export const LONGEST_HEAD = 2048;

/** Whole heads that all connections of a server share: at most 1 MiB. */
const SHARED_HEADS = 512;

/** Field sections that they share. There are as many as kinds of clients, not of requests. At most 256 KiB. */
const SHARED_SECTIONS = 128;

/**
 * Bytes of the heads that connections remember for themselves, all connections of a server together: some 5000 browsers
 * with cookies. While they are used up, further connections remember none.
 */
export const MAX_OWN_BYTES = 4 * 1024 * 1024;

/** Bytes of the longest request line that is looked for, since all of them are hashed. */
const LONGEST_LINE = 256;

/** Bytes of the shortest field section that is looked up: one or two fields are read as fast as they are recognised. */
const SHORTEST_SECTION = 96;

/** Bytes of a field section that are hashed. The hash only chooses a slot; there, all bytes are compared. */
const SAMPLES = 16;

/**
 * Heads in a row that a connection looks up without finding them. Each one found allows another; so a client that
 * never repeats itself, or makes heads that collide, causes no more copies than it saves work.
 */
const PATIENCE = 16;

/** Beyond its patience a connection looks up the first 4 of 64 heads, since clients may begin to repeat themselves. */
const RETRY_EVERY = 64;
const RETRIES = 4;

const LF = 0x0a;

interface KnownSection {
  /** A copy of a head that ends with it. */
  readonly bytes: Buffer;
  readonly fields: KnownFields;
}

/**
 * Heads that were accepted before, for the connections of one server: the same bytes mean the same under the same
 * limits, and are not read a second time. Connections use it through a {@link HeadMemory}.
 */
export class HeadCache {
  /** What was accepted under these limits might not be under others. */
  readonly limits: Http1Limits;
  readonly heads = new SlotTable<KnownHead>(SHARED_HEADS);
  readonly sections = new SlotTable<KnownSection>(SHARED_SECTIONS);
  /** Bytes that connections remember for themselves. */
  ownBytes = 0;

  constructor(limits: Http1Limits) {
    this.limits = limits;
  }
}

/**
 * What one connection recognises: what all connections share, and one head of its own. A head that may say who its
 * client is (see impersonal-fields.ts), or whose target has a query, is never shared: only its own connection is
 * compared with it, and it is forgotten with the connection.
 *
 * For each head, `findHead` comes first, then `findFields`, then `remember`. Only a head that ends where the bytes at
 * hand end can be remembered: the hash has to be known before the head has been read, and so before its end is.
 */
export class HeadMemory {
  readonly #shared: HeadCache;
  #own: KnownHead | undefined;
  /** The slots that served last, and will most likely serve again. */
  #headSlot = 0;
  #sectionSlot = 0;
  /** Hashes of the bytes at hand, and of their field section; 0 where they cannot be remembered. */
  #headHash = 0;
  #sectionHash = 0;
  #sectionLength = 0;
  /** The same of the last head that was not known: heads that come only once are not worth a copy. */
  #seenHead = 0;
  #seenSection = 0;
  #patience = PATIENCE;
  #passedOver = 0;

  constructor(shared: HeadCache) {
    this.#shared = shared;
  }

  get limits(): Http1Limits {
    return this.#shared.limits;
  }

  /** The head with which the bytes from `at` on begin. */
  findHead(bytes: Buffer, at: number): KnownHead | undefined {
    const own = this.#own;
    if (own !== undefined && startsWith(bytes, at, own)) return this.#found(own);
    const { heads } = this.#shared;
    const last = heads.get(this.#headSlot);
    if (last !== undefined && startsWith(bytes, at, last)) return this.#found(last);
    this.#headHash = 0;
    if (this.#patience > 0) this.#patience--;
    else if (this.#passedOver++ % RETRY_EVERY >= RETRIES) return undefined;
    this.#hash(bytes, at);
    if (this.#headHash === 0) return undefined;
    const slot = heads.slotOf(this.#headHash);
    const known = slot === this.#headSlot ? undefined : heads.get(slot);
    if (known === undefined || !startsWith(bytes, at, known)) return undefined;
    this.#headSlot = slot;
    return this.#found(known);
  }

  /** The meaning of the field section with which the bytes from `at` on begin, in a request of HTTP/1.1. */
  findFields(bytes: Buffer, at: number): KnownFields | undefined {
    if (bytes.length - at < SHORTEST_SECTION) return undefined;
    const own = this.#own;
    if (own !== undefined && hasSection(bytes, at, own)) return this.#found(own.fields);
    const { sections } = this.#shared;
    const last = sections.get(this.#sectionSlot);
    if (last !== undefined && hasSection(bytes, at, last)) return this.#found(last.fields);
    if (this.#headHash === 0) return undefined;
    const slot = sections.slotOf(this.#sectionHash);
    const known = slot === this.#sectionSlot ? undefined : sections.get(slot);
    if (known === undefined || !hasSection(bytes, at, known)) return undefined;
    this.#sectionSlot = slot;
    return this.#found(known.fields);
  }

  /**
   * Takes a head that was accepted, and remembers it if it has come before. It is of HTTP/1.1, has no body, and its
   * target leaves Host alone.
   *
   * @param bytes what was at hand when the head began, from `at` on; it ends with the head.
   * @param known the meaning of its field section, where that was found.
   */
  remember(
    bytes: Buffer,
    at: number,
    line: RequestLine,
    request: Http1Request,
    known: KnownFields | undefined,
  ): void {
    const hash = this.#headHash;
    if (hash === 0) return;
    const { heads, sections } = this.#shared;
    const hasSeenHead = heads.see(hash) || this.#seenHead === hash;
    this.#seenHead = hash;
    const length = this.#sectionLength;
    const isNewSection = known === undefined && length >= SHORTEST_SECTION;
    if (isNewSection ? !this.#hasSeenSection() : !hasSeenHead) return;
    const fields = known ?? knownFields(request, length);
    const head: KnownHead = { bytes: copyOf(bytes, at), line, fields };
    if (!fields.isImpersonal) this.#keep(head);
    else {
      if (isNewSection) this.#sectionSlot = sections.put(this.#sectionHash, head);
      if (!hasSeenHead) return;
      if (line.queryString !== "") this.#keep(head);
      else this.#headSlot = heads.put(hash, head);
    }
  }

  /** Forgets the head that is the connection's own; the connection has ended. */
  forget(): void {
    this.#shared.ownBytes -= this.#own?.bytes.length ?? 0;
    this.#own = undefined;
  }

  #hasSeenSection(): boolean {
    const hash = this.#sectionHash;
    const hasSeen = this.#shared.sections.see(hash) || this.#seenSection === hash;
    this.#seenSection = hash;
    return hasSeen;
  }

  #keep(head: KnownHead): void {
    const total = this.#shared.ownBytes - (this.#own?.bytes.length ?? 0) + head.bytes.length;
    if (total > MAX_OWN_BYTES) return;
    this.#shared.ownBytes = total;
    this.#own = head;
  }

  #found<Known>(known: Known): Known {
    if (this.#patience < PATIENCE) this.#patience++;
    return known;
  }

  /** Hashes all of the request line, for targets differ anywhere, and samples of what follows. */
  #hash(bytes: Buffer, at: number): void {
    const end = bytes.length;
    if (end - at > LONGEST_HEAD) return;
    const stop = Math.min(end, at + LONGEST_LINE);
    let line = 0;
    let next = at;
    while (next < stop && bytes[next] !== LF) line = (Math.imul(line, 31) + bytes[next++]!) | 0;
    if (next === stop) return;
    const length = end - next - 1;
    this.#sectionLength = length;
    const step = length <= SAMPLES ? 1 : (length / SAMPLES) | 0;
    let section = length;
    for (let i = next + 1; i < end; i += step) section = (Math.imul(section, 31) + bytes[i]!) | 0;
    this.#sectionHash = mixed(section);
    this.#headHash = mixed(line ^ Math.imul(section, 0x85eb_ca6b));
  }
}

/** The bytes from `at` on, without the rest of the memory that they came in. */
function copyOf(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length - at);
  bytes.copy(copy, 0, at);
  return copy;
}

/** Spreads a hash over its low bits, which choose the slot; never 0. */
function mixed(hash: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (spread ^ (spread >>> 13)) | 0 || 1;
}

/** Whether the bytes from `at` on begin with a head. */
function startsWith(bytes: Buffer, at: number, { bytes: head, fields }: KnownHead): boolean {
  const { length } = head;
  const left = bytes.length - at;
  if (left < length) return false;
  if (at === 0 && left === length) return head.equals(bytes);
  // Mostly it is the target that differs; to find that out here costs less than to compare parts of buffers.
  for (let i = length - fields.length - 1; i >= 0; i--) if (bytes[at + i] !== head[i]) return false;
  return head.compare(bytes, at, at + length) === 0;
}

/** Whether the bytes from `at` on begin with the field section with which `head` ends. */
function hasSection(bytes: Buffer, at: number, { bytes: head, fields: { length } }: KnownSection): boolean {
  if (bytes.length - at < length) return false;
  const start = head.length - length;
  const middle = length >> 1;
  if (bytes[at + middle] !== head[start + middle]) return false;
  return head.compare(bytes, at, at + length, start, start + length) === 0;
}
