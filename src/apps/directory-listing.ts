/** A line of the page: a file or folder as its visitors may know it. */
export interface ListingEntry {
  name: string;
  isFolder: boolean;
  /** Bytes; not shown for a folder. */
  size: number;
  /** Not known of a file that was built into a program. */
  modified: Date | undefined;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * The HTML page that lists a folder, folders first, each group by name.
 *
 * @param path the path of the request, shown as the title
 * @param hasParent whether a link leads up
 */
export function listingPage(path: string, hasParent: boolean, entries: ListingEntry[]): string {
  const title = Bun.escapeHTML(`Index of ${path}`);
  const lines = entries.toSorted(byKindAndName).map(line);
  if (hasParent) lines.unshift('<tr><td><a href="../">../</a><td><td>');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark }
td { padding-right: 2rem } td + td { text-align: right; font-variant-numeric: tabular-nums }
</style>
<h1>${title}</h1>
<table>
${lines.join("\n")}
</table>
`;
}

function byKindAndName(a: ListingEntry, b: ListingEntry): number {
  if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function line({ name, isFolder, size, modified }: ListingEntry): string {
  const slash = isFolder ? "/" : "";
  const text = Bun.escapeHTML(name + slash);
  const time = modified?.toISOString().slice(0, 16).replace("T", " ") ?? "";
  return `<tr><td><a href="./${encodeURIComponent(name)}${slash}">${text}</a><td>${isFolder ? "" : inUnits(size)}<td>${time}`;
}

function inUnits(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit]}`;
}
