import { describe, expect, test } from "bun:test";

import { resolveOptions } from "../../src/options/resolve.ts";
import type { PartialOptions } from "../../src/options/partial-options.ts";

// What the types of options allow is what the server takes. `bun check` fails where a comment below expects an error
// that is not there.

const GOOD: Record<string, PartialOptions> = {
  "a number of seconds": { timeout: 5 },
  "a duration": { timeout: "500ms", headerTimeout: "1.5h", writeTimeout: "7" },
  "a size": { maxBodySize: "64k", maxHeaderSize: "32KiB", maxChunkLine: "2kb", maxTrailerSize: 4096 },
  "as many workers as there are CPUs": { workers: "auto" },
  "a number of workers": { workers: 2 },
  "a choice": { logLevel: "warn" },
  "undefined is the default": { timeout: undefined, workers: undefined },
};

const BAD: Record<string, PartialOptions> = {
  // @ts-expect-error no such unit
  "an unknown unit of time": { timeout: "5 parsecs" },
  // @ts-expect-error a size has no seconds
  "an unknown unit of size": { maxBodySize: "64s" },
  // @ts-expect-error neither a number nor auto
  "a word for a number": { workers: "many" },
  // @ts-expect-error no such level
  "an unknown choice": { logLevel: "loud" },
  // @ts-expect-error a list is needed
  "text for a list": { sslCert: "cert.pem" },
  // @ts-expect-error no such option
  "an unknown name": { timeuot: 5 },
};

describe("types of options", () => {
  test.each(Object.entries(GOOD))("%s is taken", async (_, options) => {
    await resolveOptions({ env: "production", ...options });
  });

  test.each(Object.entries(BAD))("%s is refused at run time too", async (_, options) => {
    await expect(resolveOptions({ env: "production", ...options })).rejects.toThrow(/must|no such option/);
  });
});
