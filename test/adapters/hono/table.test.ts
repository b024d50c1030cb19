import { afterAll, beforeAll, expect, test } from "bun:test";
import { application } from "./application.ts";
import { answerTo, nameOf, type Answer } from "./compare.ts";
import { REQUESTS } from "./requests.ts";
import { hono } from "../../../adapters/hono.ts";
import { startServer, type TestServer } from "../../support/server.ts";

// The same requests go to the same Hono application on `Bun.serve` and on pagi-server.

interface Difference {
  /** Why pagi-server does not answer as `Bun.serve` does. */
  readonly why: string;
  /** Fields that only the one has, status included, in the order of their names. */
  readonly bun: readonly string[];
  readonly pagi: readonly string[];
}

const NO_LENGTH =
  "Bun says that GET would give 0 bytes, which is wrong (RFC 9110 section 8.6); here nothing is said";
const FILE_NAME = "Bun tells the file's name on its disk, which the handler did not ask for";

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "HEAD /text": { why: NO_LENGTH, bun: ["content-length: 0"], pagi: [] },
  "HEAD /json": { why: NO_LENGTH, bun: ["content-length: 0"], pagi: [] },
  "GET /file": { why: FILE_NAME, bun: ['content-disposition: filename="LICENSE"'], pagi: [] },
  "GET /file-slice": { why: FILE_NAME, bun: ['content-disposition: filename="LICENSE"'], pagi: [] },
  "GET /none accept: text/event-stream": {
    why: "a declined event stream closes its connection",
    bun: [],
    pagi: ["connection: close"],
  },
  "POST /echo-stream with 8 chars": {
    why: "the request has come whole, so the length of what echoes it is known",
    bun: ["transfer-encoding: chunked"],
    pagi: ["content-length: 8"],
  },
  "GET /sse accept: text/event-stream": {
    why: "a declined event stream closes its connection",
    bun: ["connection: keep-alive"],
    pagi: ["connection: close"],
  },
} as const;

const bun = Bun.serve({ port: 0, hostname: "127.0.0.1", development: false, fetch: application.fetch });
let pagi: TestServer;

beforeAll(async () => {
  pagi = await startServer(hono(application));
});
afterAll(async () => {
  await pagi[Symbol.asyncDispose]();
  await bun.stop(true);
});

test("there are at least 60 requests, all of them different, and every difference is of one of them", () => {
  const names: string[] = REQUESTS.map(nameOf);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(DIFFERENCES).filter((name) => !names.includes(name))).toEqual([]);
});

test.each(REQUESTS.map((row) => [nameOf(row), row] as const))("%s", async (name, row) => {
  const [there, here] = await Promise.all([answerTo(bun.port ?? 0, row), answerTo(pagi.port, row)]);
  const { bun: ofBun, pagi: ofPagi } = DIFFERENCES[name] ?? { bun: [], pagi: [] };
  expect({ bun: onlyIn(there, here), pagi: onlyIn(here, there) }).toEqual({
    bun: [...ofBun],
    pagi: [...ofPagi],
  });
  expect(here.body).toBe(there.body);
});

test("nothing of all that was logged as an error", () => {
  expect(pagi.logger.messages("error")).toEqual([]);
});

function onlyIn(one: Answer, other: Answer): string[] {
  const fields = one.headers.filter((field) => !other.headers.includes(field));
  return one.status === other.status ? fields : [String(one.status), ...fields];
}
