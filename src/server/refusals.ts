import type { ProtocolError } from "../errors.ts";
import type { PartialHead } from "../http1/partial-head.ts";
import type { Logger } from "../logging/logger.ts";

/** Lines at `info` in one second, whatever the number of clients; the others are at `debug`. */
const MAX_KINDS = 256;

/** Chars of a request line that a line of the log shows. */
const MAX_LINE = 200;

/**
 * Why requests were refused, for the log: at `info` once for each client and reason in a second, so that neither a
 * broken client nor an attacker fills it, and at `debug` each time.
 */
export class Refusals {
  readonly #logger: Logger;
  readonly #now: () => number;
  /** The client and reason of each line of this second. */
  readonly #seen = new Set<string>();
  #second = -1;

  /** `now` is in milliseconds. Default: the monotonic clock. */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** Takes a refusal. `client` is an address without its port, so that a client is the same one on each connection. */
  note(client: string | undefined, head: PartialHead, error: ProtocolError): void {
    const who = client ?? "unix";
    const message = `${who}: ${described(head)} was refused with ${error.status}: ${error.message}`;
    if (this.#isFirst(`${who} ${error.status} ${error.message}`)) this.#logger.info(message);
    else this.#logger.debug(message);
  }

  #isFirst(kind: string): boolean {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#seen.clear();
    }
    if (this.#seen.has(kind) || this.#seen.size >= MAX_KINDS) return false;
    this.#seen.add(kind);
    return true;
  }
}

function described({ method, rawPath }: PartialHead): string {
  if (method === undefined) return "a request";
  const line = rawPath === undefined ? method : `${method} ${rawPath}`;
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}...` : line;
}
