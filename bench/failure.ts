/** Something that makes the figures of a scenario worthless, or all of them; reported in one line. */
export class BenchFailure extends Error {
  override readonly name = "BenchFailure";
}
