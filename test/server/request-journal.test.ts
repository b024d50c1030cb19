import { afterAll, beforeAll, expect, test } from "bun:test";
import fs from "node:fs";

import { openJournal, readJournal, RequestJournal } from "../../src/server/request-journal.ts";

let fd: number;
let journal: RequestJournal;
let settled = 0;
const onSettled = (): void => void settled++;

beforeAll(() => {
  fd = openJournal();
  journal = new RequestJournal(fd);
});

afterAll(() => fs.closeSync(fd));

test("what runs is read with the newest first; what is over is not there", () => {
  expect(readJournal(fd)).toEqual({ count: 0, requests: [] });
  const first = journal.begin("GET", "/first", onSettled);
  const second = journal.begin("POST", "/second/%00", onSettled);
  const third = journal.begin("DELETE", "/third", onSettled);
  expect(readJournal(fd)).toEqual({
    count: 3,
    requests: ["DELETE /third", "POST /second/%00", "GET /first"],
  });
  second();
  expect(readJournal(fd)).toEqual({ count: 2, requests: ["DELETE /third", "GET /first"] });
  journal.begin("GET", "/fourth", onSettled)();
  first();
  third();
  expect(readJournal(fd)).toEqual({ count: 0, requests: [] });
  expect(settled).toBe(4);
});

test("a long path is cut, and that is seen; the next text in its place is whole", () => {
  const over = journal.begin("GET", `/${"x".repeat(5000)}`, onSettled);
  const [text = ""] = readJournal(fd).requests;
  expect(text).toMatch(/^GET \/x+…$/);
  expect(text.length).toBeLessThan(256);
  over();
  const next = journal.begin("GET", "/short", onSettled);
  expect(readJournal(fd).requests).toEqual(["GET /short"]);
  next();
});

test("more than there are places for: the newest are named, all are counted, and nothing is left behind", () => {
  const overs = Array.from({ length: 1000 }, (_, i) => journal.begin("GET", `/${i}`, onSettled));
  const { count, requests } = readJournal(fd);
  expect(count).toBe(1000);
  expect(requests[0]).toBe("GET /999");
  expect(new Set(requests).size).toBe(requests.length);
  for (const over of overs) over();
  expect(readJournal(fd)).toEqual({ count: 0, requests: [] });
  // Every place is free again, once.
  const more = Array.from({ length: 64 }, (_, i) => journal.begin("GET", `/${i}`, onSettled));
  expect(readJournal(fd).requests).toHaveLength(64);
  for (const over of more) over();
  expect(readJournal(fd)).toEqual({ count: 0, requests: [] });
});
