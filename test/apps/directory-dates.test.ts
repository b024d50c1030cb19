import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directory } from "../../src/apps/directory.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { startServer } from "../support/server.ts";

// RFC 9110 section 5.6.7: a recipient accepts all three formats of dates.
test("files answer conditional requests whose dates come in any format, and ignore what is not a date", async () => {
  const root = mkdtempSync(join(tmpdir(), "pagi-dates-"));
  try {
    const path = join(root, "a.txt");
    writeFileSync(path, "text");
    const modified = new Date("1994-11-06T08:49:37Z");
    utimesSync(path, modified, modified);
    for (const app of [directory({ root }), PagiResponse.sendFile(path).toApp()]) {
      await using running = await startServer(app);
      const ask = async (headers: Record<string, string>): Promise<number> =>
        (await fetch(new URL("/a.txt", running.url), { headers })).status;
      for (const [date, status] of [
        ["Sun, 06 Nov 1994 08:49:37 GMT", 304],
        ["Sunday, 06-Nov-94 08:49:37 GMT", 304],
        ["Sun Nov  6 08:49:37 1994", 304],
        ["Sun, 06 Nov 1994 08:49:36 GMT", 200],
        ["Sunday, 06-Nov-94 08:49:36 GMT", 200],
        ["Sun Nov  6 08:49:36 1994", 200],
        ["1994-11-07T00:00:00Z", 200],
        ["Mon, 07 Nov 1994 00:00:00 +0000", 200],
      ] as const)
        expect([date, await ask({ "if-modified-since": date })]).toEqual([date, status]);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});
