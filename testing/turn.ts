const immediately = setImmediate;
const { sleep } = Bun;

/**
 * Runs `callback` once what runs now has come to its end, with all that it has set off by promises. In two ways, of which
 * the first one counts: Bun 1.4.5 looks after immediates only when a timer fires, while `expect(promise).rejects` waits;
 * and a sleep does not end where a test has stopped the clock.
 */
export function atTurnEnd(callback: () => void): void {
  let isDue = true;
  const run = (): void => {
    if (!isDue) return;
    isDue = false;
    callback();
  };
  immediately(run);
  void sleep(0).then(run);
}
