import { SlotTable } from "../../http1/slot-table.ts";
import type { HeaderPair, Headers } from "../../spec/values.ts";
import { isForwardedField, readForwarded } from "./forwarded.ts";
import type { Forwarded, ForwardedFields } from "./forwarded.ts";
import type { TrustedProxies } from "../../options/trusted-proxies.ts";

/** What is remembered: a proxy says the same with each request of a client, and has many clients at a time. */
const SLOTS = 1024;

/** Chars of the longest fields that are remembered, all of them together: 1024 of them are 512 KiB at most. */
const LONGEST = 512;

interface Known {
  /** The fields of proxies, in order. A copy. */
  readonly fields: readonly HeaderPair[];
  readonly said: Forwarded | undefined;
}

/**
 * {@link readForwarded}, which is a function of the fields of proxies alone: the same fields, word for word, say the
 * same, and are not taken apart a second time.
 */
export class ForwardedCache {
  readonly #proxies: TrustedProxies;
  readonly #fields: ForwardedFields;
  readonly #known = new SlotTable<Known>(SLOTS);

  constructor(proxies: TrustedProxies, fields: ForwardedFields) {
    this.#proxies = proxies;
    this.#fields = fields;
  }

  /** As {@link readForwarded}; the result may be another request's too. */
  read(headers: Headers): Forwarded | undefined {
    const hash = hashOf(headers);
    const known = this.#known.get(this.#known.slotOf(hash));
    if (known !== undefined && hasFields(headers, known.fields)) return known.said;
    const said = readForwarded(headers, this.#proxies, this.#fields);
    if (this.#known.see(hash)) {
      const fields = headers
        .filter(([name]) => isForwardedField(name))
        .map(([name, value]): HeaderPair => [name, value]);
      const length = fields.reduce((sum, [, value]) => sum + value.length, 0);
      if (length <= LONGEST) this.#known.put(hash, { fields, said });
    }
    return said;
  }
}

/** Whether the fields of proxies are these and no others. */
function hasFields(headers: Headers, fields: readonly HeaderPair[]): boolean {
  let next = 0;
  for (let i = 0; i < headers.length; i++) {
    const pair = headers[i];
    if (pair === undefined || !isForwardedField(pair[0])) continue;
    const field = fields[next++];
    if (field === undefined || pair[1] !== field[1] || pair[0] !== field[0]) return false;
  }
  return next === fields.length;
}

/** Of the ends of the values, where the nearest proxy has written. It only chooses the slot. */
function hashOf(headers: Headers): number {
  let hash = 0;
  for (let i = 0; i < headers.length; i++) {
    const pair = headers[i];
    if (pair === undefined || !isForwardedField(pair[0])) continue;
    const value = pair[1];
    hash = (Math.imul(hash, 31) + value.length) | 0;
    for (let at = Math.max(0, value.length - 16); at < value.length; at++)
      hash = (Math.imul(hash, 31) + value.charCodeAt(at)) | 0;
  }
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (spread ^ (spread >>> 13)) | 0 || 1;
}
