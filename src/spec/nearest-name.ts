/** Longest part of a name that is compared; longer ones are not typing errors. */
const COMPARED_CHARS = 64;
/** Edits for each char of a name that still look like a slip. */
const MOST_SLIPS = 0.5;

/**
 * The known name that takes the fewest single-char edits to get from `name`; of equally near ones the first.
 * `undefined` only when there is no known name.
 */
export function nearestName<Name extends string>(name: string, known: Iterable<Name>): Name | undefined {
  let nearest: Name | undefined;
  let fewest = Infinity;
  for (const candidate of known) {
    const edits = editDistance(name.slice(0, COMPARED_CHARS), candidate);
    if (edits < fewest) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}

/** The nearest known name, when it is so near that `name` may be a slip of it; else `undefined`. */
export function similarName<Name extends string>(name: string, known: Iterable<Name>): Name | undefined {
  const nearest = nearestName(name, known);
  if (nearest === undefined) return undefined;
  const slips = Math.max(1, Math.floor(name.length * MOST_SLIPS));
  return editDistance(name.slice(0, COMPARED_CHARS), nearest) <= slips ? nearest : undefined;
}

/** Insertions, deletions and replacements between two strings (Levenshtein), row by row. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}
