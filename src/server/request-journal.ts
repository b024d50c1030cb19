import fs from "node:fs";

import { checked, cString, libc, ptr } from "../system/libc.ts";

/** Bytes before the slots: how many requests run. */
const HEADER_SIZE = 8;
/** Requests that are named at a time; beyond them the newest take the places of others. */
const SLOTS = 64;
/** Bytes of a slot: its order, the length of the text, and the text. */
const SLOT_SIZE = 256;
const TEXT_AT = 8;
const TEXT_SIZE = SLOT_SIZE - TEXT_AT;
const SIZE = HEADER_SIZE + SLOTS * SLOT_SIZE;
/** MFD_CLOEXEC, from <linux/memfd.h>. */
const CLOSE_ON_EXEC = 1;

/** The requests that ran in a process when its journal was read. */
export interface RunningRequests {
  readonly count: number;
  /** Method and path of each that is known, the one that began last first. A client's words, not escaped. */
  readonly requests: readonly string[];
}

/**
 * Opens memory without a name, for the journal of another process, which gets the descriptor and outlives this one no
 * further than it is read.
 *
 * @returns its descriptor, which the caller closes.
 * @throws SystemError
 */
export function openJournal(): number {
  const fd = checked(libc().memfd_create(ptr(cString("pagi-requests")), CLOSE_ON_EXEC), "memfd_create");
  fs.ftruncateSync(fd, SIZE);
  return fd;
}

/** Reads the journal of a process that has ended, no matter how. */
export function readJournal(fd: number): RunningRequests {
  const bytes = Buffer.alloc(SIZE);
  fs.readSync(fd, bytes, 0, SIZE, 0);
  const found: { order: number; text: string }[] = [];
  for (let at = HEADER_SIZE; at < SIZE; at += SLOT_SIZE) {
    const order = bytes.readUInt32LE(at);
    if (order === 0) continue;
    const length = bytes.readUInt32LE(at + 4);
    const text = bytes.toString("latin1", at + TEXT_AT, at + TEXT_AT + Math.min(length, TEXT_SIZE));
    found.push({ order, text: length > TEXT_SIZE ? `${text}…` : text });
  }
  found.sort((a, b) => b.order - a.order);
  return { count: bytes.readUInt32LE(0), requests: found.map(({ text }) => text) };
}

/**
 * Writes down which requests run in this process, so that the supervisor knows them when the process has been killed.
 * It is memory that both have: a request costs some stores and no system call, and what was stored outlives every crash.
 */
export class RequestJournal {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => SLOTS - 1 - slot);
  #order = 0;
  #running = 0;

  /** @param fd the descriptor that `openJournal` gave to the supervisor. */
  constructor(fd: number) {
    this.#bytes = Bun.mmap(`/proc/self/fd/${fd}`, { shared: true });
    this.#words = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, SIZE / 4);
  }

  /**
   * A request has begun.
   *
   * @param settled called by what is returned.
   * @returns what is to be called when it is over.
   */
  begin(method: string, path: string, settled: () => void): () => void {
    const order = (this.#order = (this.#order % 0xffff_ffff) + 1);
    // Where all are taken, the newest is worth more than one that has run for long.
    const slot = this.#free.pop() ?? order % SLOTS;
    const at = HEADER_SIZE + slot * SLOT_SIZE;
    const words = this.#words;
    words[at / 4] = 0;
    words[at / 4 + 1] = this.#write(at + TEXT_AT, method, path);
    // Last, so that no half of a text is ever taken for one.
    words[at / 4] = order;
    words[0] = ++this.#running;
    return () => {
      words[0] = --this.#running;
      if (words[at / 4] === order) {
        words[at / 4] = 0;
        this.#free.push(slot);
      }
      settled();
    };
  }

  /** Writes as much as there is room for. @returns the length of the whole text. */
  #write(start: number, method: string, path: string): number {
    const bytes = this.#bytes;
    const end = start + TEXT_SIZE;
    let at = start;
    for (let i = 0; i < method.length && at < end; i++) bytes[at++] = method.charCodeAt(i);
    if (at < end) bytes[at++] = 0x20;
    for (let i = 0; i < path.length && at < end; i++) bytes[at++] = path.charCodeAt(i);
    return method.length + 1 + path.length;
  }
}
