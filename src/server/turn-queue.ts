/** Something that holds bytes back until the turn of the event loop is over. */
export interface TurnEnd {
  onTurnEnd(): void;
}

/**
 * What has to be done when the current turn of the event loop is over: one callback from the loop for all
 * connections, instead of one for each request.
 */
export class TurnQueue {
  #waiting: TurnEnd[] = [];
  #scheduled = false;

  readonly #run = (): void => {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each.onTurnEnd();
  };

  add(each: TurnEnd): void {
    this.#waiting.push(each);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }
}
