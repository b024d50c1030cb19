import { plainPage } from "../toolkit/plain-page.ts";

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
 * The HTML page that lists a folder, to be sent with `PLAIN_PAGE_POLICY`: folders first, each group by name.
 *
 * @param path the path of the request, shown as the title
 * @param hasParent whether a link leads up
 */
export function listingPage(path: string, hasParent: boolean, entries: ListingEntry[]): string {
  const lines = entries.toSorted(byKindAndName).map(line);
  if (hasParent) lines.unshift('<tr><td><a href="../">../</a></td><td></td><td></td></tr>');
  if (lines.length === 0) return plainPage(`Index of ${path}`, "<p>This folder is empty.</p>");
  return plainPage(
    `Index of ${path}`,
    `<table>
<thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Modified (UTC)</th></tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table>`,
  );
}

function byKindAndName(a: ListingEntry, b: ListingEntry): number {
  if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function line({ name, isFolder, size, modified }: ListingEntry): string {
  const slash = isFolder ? "/" : "";
  const text = Bun.escapeHTML(name + slash);
  const time = modified?.toISOString().slice(0, 16).replace("T", " ") ?? "";
  const link = `<a href="./${encodeURIComponent(name)}${slash}">${text}</a>`;
  return `<tr><td>${link}</td><td>${isFolder ? "" : inUnits(size)}</td><td>${time}</td></tr>`;
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
