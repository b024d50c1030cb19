const STEPS = 20_000;

/** Some 40 µs of an application's own work: xorshift32, always the same steps. */
export function work(): string {
  let state = 0x9e3779b9;
  for (let step = 0; step < STEPS; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return String(state >>> 0);
}
