/**
 * Empties the texts of the sources in the bundle's source map. They are in the package as files, where stack traces
 * lead, and would be three quarters of the map. Bun refuses a map that lacks the list.
 */
const file = Bun.file(new URL("../dist/pagi-server.js.map", import.meta.url));
const map = (await file.json()) as { sourcesContent?: string[] };
if (map.sourcesContent === undefined) throw new Error(`${String(file.name)} has no texts of sources.`);
await file.write(JSON.stringify({ ...map, sourcesContent: map.sourcesContent.map(() => "") }));

export {};
