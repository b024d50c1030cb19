/** Requests listed in the log line. */
const MAX_NAMED = 10;
/** Chars shown of each; a path may have thousands. */
const MAX_LENGTH = 200;

/**
 * The log line about connections that a shutdown cuts: how many, and which requests were running on them. Equal requests
 * are listed once.
 */
export function describeCut(connections: readonly { readonly request: string | undefined }[]): string {
  const { length } = connections;
  const counts = new Map<string, number>();
  for (const { request } of connections) {
    if (request === undefined) continue;
    const name = request.length > MAX_LENGTH ? `${request.slice(0, MAX_LENGTH)}...` : request;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  // The most frequent ones come first.
  const sorted = [...counts].toSorted(([, one], [, other]) => other - one);
  const names = sorted
    .slice(0, MAX_NAMED)
    .map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  const others = sorted.slice(MAX_NAMED).reduce((sum, [, count]) => sum + count, 0);
  if (others > 0) names.push(`${others} more`);
  const cut = `${length} ${length === 1 ? "connection was" : "connections were"} cut at shutdown`;
  return names.length === 0 ? cut : `${cut}: ${names.join(", ")}`;
}
