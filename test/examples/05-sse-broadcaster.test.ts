import { afterAll, beforeAll, expect, test } from "bun:test";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { CutLine } from "../support/cut-line.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { field, request, Wire } from "../support/wire.ts";

const FAST = { env: { TICK_INTERVAL: "25" } };
let server: ServerProcess;

beforeAll(async () => {
  server = await startExample("05-sse-broadcaster", FAST);
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

async function subscribe(to: ServerProcess, lastEventId?: string): Promise<Wire> {
  const wire = await Wire.open({ host: "127.0.0.1", port: to.port });
  const resume = lastEventId === undefined ? "" : `Last-Event-ID: ${lastEventId}\r\n`;
  await wire.send(`GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n${resume}\r\n`);
  const head = await wire.readTo("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 200 ");
  expect(head).toContain("content-type: text/event-stream\r\n");
  expect(head).toContain("cache-control: no-cache\r\n");
  return wire;
}

/** The ids of the next `count` ticks. */
async function ids(wire: Wire, count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const [, id, data] = /id: (\d+)\ndata: (.*)\n\n$/.exec(await wire.readTo("\n\n")) ?? [];
    expect(data).toBe(`{"tick":${id}}`);
    found.push(Number(id));
  }
  return found;
}

test("all readers get the same ticks, from where each came in", async () => {
  const readers = [await subscribe(server), await subscribe(server), await subscribe(server)];
  const got = await Promise.all(readers.map((each) => ids(each, 5)));
  for (const ticks of got) expect(ticks).toEqual(ticks.map((_, i) => (ticks[0] ?? 0) + i));
  const [first = [], , third = []] = got;
  expect(first.some((tick) => third.includes(tick))).toBe(true);
  for (const each of readers) each.reset();
});

test("Last-Event-ID brings back what was missed", async () => {
  const wire = await subscribe(server, "0");
  expect(await ids(wire, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  wire.reset();
  const again = await subscribe(server, "4");
  expect(await ids(again, 3)).toEqual([5, 6, 7]);
  again.reset();
});

test("an id that is none, or is not of this run, begins with the next tick", async () => {
  const [reference, wrong, future] = [
    await subscribe(server),
    await subscribe(server, "x"),
    await subscribe(server, "99999999"),
  ];
  const [now = 0] = await ids(reference, 1);
  expect((await ids(wrong, 1))[0]).toBeWithin(now, now + 40);
  expect((await ids(future, 1))[0]).toBeWithin(now, now + 40);
  for (const each of [reference, wrong, future]) each.reset();
});

test("a browser's EventSource shape: the page names the stream, and the stream is declined elsewhere", async () => {
  const page = await fetch(server.url);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await (await fetch(`${server.url}/ticks.js`)).text()).toContain(`new EventSource("/events")`);

  const address = { host: "127.0.0.1", port: server.port };
  const elsewhere = await request(address, "GET /x HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
  expect(elsewhere.status).toBe(404);
  expect(field(elsewhere, "content-type")).toBe("text/plain");
  expect(elsewhere.body).toBe("The stream is at /events.\n");

  expect((await fetch(`${server.url}/events`)).status).toBe(406);
  expect((await fetch(`${server.url}/x`)).status).toBe(404);
});

test("in Chromium: two windows show the same ticks, and come back after a lost connection", async () => {
  await using browser = await launchChromium();
  await using line = await CutLine.to(server.port);
  const [first, second] = [await openPage(browser, line.url), await openPage(browser, line.url)];
  const ticksIn = ({ page }: typeof first) =>
    page.getByRole("region", { name: "The latest ticks" }).getByRole("listitem");
  const status = (text: string) =>
    Promise.all(
      [first, second].map(({ page }) => page.getByRole("status").filter({ hasText: text }).waitFor()),
    );
  await status("connected");
  await ticksIn(first).nth(2).waitFor();
  const [seen = ""] = await ticksIn(first).allTextContents();
  expect(seen).toMatch(/^{"tick":\d+}$/);
  await ticksIn(second).filter({ hasText: seen }).waitFor();
  line.cut();
  await status("connection lost, trying again");
  line.mend();
  await status("connected");
  await keepScreenshot(first.page, "05-sse-broadcaster");
  expect([...first.problems, ...second.problems]).toEqual([]);
}, 60_000);

test("a shutdown says goodbye to every reader, ends the streams and exits with 0", async () => {
  await using other = await startExample("05-sse-broadcaster", FAST);
  const readers = [await subscribe(other), await subscribe(other)];
  await Promise.all(readers.map((each) => ids(each, 1)));
  const code = other.stop("SIGTERM");
  for (const each of readers) {
    expect(await each.readToEnd()).toEndWith(
      "event: goodbye\nretry: 2000\ndata: The server restarts.\n\n\r\n0\r\n\r\n",
    );
    expect(each.error).toBeUndefined();
  }
  expect(await code).toBe(0);
});
