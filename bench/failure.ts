/** Something that makes the numbers worthless: it ends the benchmark, told in one line. */
export class BenchFailure extends Error {
  override readonly name = "BenchFailure";
}
