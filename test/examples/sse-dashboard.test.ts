import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Sample } from "../../examples/sse-dashboard/sampler.ts";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { CutLine } from "../support/cut-line.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { Wire } from "../support/wire.ts";

const FAST = { env: { SAMPLE_INTERVAL: "40" } };
let server: ServerProcess;
beforeAll(async () => {
  server = await startExample("sse-dashboard", FAST);
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

interface StreamEvent {
  readonly event: string;
  readonly id: number;
  readonly sample: Sample;
}

/** The events of the stream, one after the other. */
async function* events(target = "/events", lastEventId?: number): AsyncGenerator<StreamEvent> {
  await using wire = await Wire.open({ host: "127.0.0.1", port: server.port });
  const resume = lastEventId === undefined ? "" : `Last-Event-ID: ${lastEventId}\r\n`;
  await wire.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n${resume}\r\n`);
  expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 200 ");
  for (;;) {
    const text = await wire.readTo("\n\n");
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
    yield { event: field("event"), id: Number(field("id")), sample: JSON.parse(field("data")) };
  }
}

/** So many of them. */
async function first(count: number, ...which: Parameters<typeof events>): Promise<StreamEvent[]> {
  const found: StreamEvent[] = [];
  for await (const each of events(...which)) if (found.push(each) === count) break;
  return found;
}

test("samples are those of the process", async () => {
  let before: Sample | undefined;
  for await (const { event, id, sample } of events()) {
    // Only this client is there, so what came after its stream was opened is all its own.
    if (event !== "sample" || sample.streams === 0) continue;
    if (before === undefined) {
      before = sample;
      for (let i = 0; i < 25; i++)
        expect((await fetch(`${server.url}/work`, { method: "POST" })).status).toBe(204);
    }
    expect(sample.at).toBe(id);
    expect(sample.memory).toBeGreaterThan(10e6);
    expect(sample.heap).toBeWithin(100_000, sample.memory);
    expect(sample.delay.max).toBeGreaterThanOrEqual(sample.delay.mean);
    expect(sample.cpu).toBeGreaterThanOrEqual(0);
    const { total } = sample.requests;
    expect(total).toBeLessThanOrEqual(before.requests.total + 25);
    if (total === before.requests.total + 25) break;
  }
});

test("Last-Event-ID brings back what was missed, in the header or, from a new EventSource, in the query", async () => {
  const [connected, ...seen] = await first(6);
  expect(connected?.event).toBe("connected");
  const ids = seen.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  const [, second = 0] = ids;
  for (const [target, header] of [
    ["/events", second],
    [`/events?last-event-id=${second}`, undefined],
  ] as const) {
    const [resumed, ...again] = await first(4, target, header);
    expect(resumed?.event).toBe("resumed");
    expect(again.map(({ id }) => id)).toEqual(ids.slice(2));
  }
  // From a clock that is ahead, or of no number at all: it begins with what comes.
  expect((await first(2, "/events", 9e14)).at(-1)?.id).toBeGreaterThan(ids.at(-1) ?? 0);
  expect((await first(1, "/events?last-event-id=x"))[0]?.event).toBe("connected");
});

test("a shutdown says goodbye to every stream, ends it and exits with 0", async () => {
  await using other = await startExample("sse-dashboard", FAST);
  await using wire = await Wire.open({ host: "127.0.0.1", port: other.port });
  await wire.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
  await wire.readTo("event: sample");
  const code = other.stop("SIGTERM");
  const rest = await wire.readToEnd();
  expect(rest).toEndWith("event: goodbye\nretry: 1000\ndata: The server stops.\n\n\r\n0\r\n\r\n");
  expect(await code).toBe(0);
});

test("in Chromium: the page says that the server stops, and is live again with the next one", async () => {
  await using browser = await launchChromium();
  await using first = await startExample("sse-dashboard", FAST);
  await using line = await CutLine.to(first.port);
  const { page } = await openPage(browser, line.url);
  const status = (text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
  await status("Live");
  expect(await first.stop("SIGTERM")).toBe(0);
  await status("The server stops. Trying again");
  await using next = await startExample("sse-dashboard", FAST);
  line.mend(next.port);
  await status("Live");
}, 60_000);

test("in Chromium: numbers that live, pause, come back after a lost connection, and are read as a table", async () => {
  await using browser = await launchChromium();
  await using line = await CutLine.to(server.port);
  const { page, problems } = await openPage(browser, line.url);
  const status = (text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
  await status("Live");
  await page.getByRole("img", { name: /^Memory over \d+ samples: from .* MiB, now / }).waitFor();
  await page.getByRole("button", { name: "Send 50 requests" }).click();
  await status("50 of 50 were answered.");
  const requests = page.getByRole("region", { name: "Requests" }).or(page.locator("[data-metric=requests]"));
  await requests.getByText(/[1-9]\d* since the start/).waitFor();

  const newest = page.getByRole("row").nth(1).getByRole("cell").nth(4);
  await page.getByText("The latest samples as a table").click();
  const total = async () => Number((await newest.textContent())?.replaceAll(/\D/g, ""));
  /** Waits until the page has counted so many. */
  const reaches = async (least: number): Promise<void> => {
    while ((await total()) < least);
  };
  await reaches(50);

  await page.getByRole("button", { name: "Pause" }).click();
  await status("Paused");
  const paused = await total();
  await page.getByRole("button", { name: "Send 50 requests" }).click();
  await status("50 of 50 were answered.");
  expect(await total()).toBe(paused);
  await page.getByRole("button", { name: "Pause", pressed: true }).click();
  await status("Live");
  await reaches(paused + 50);

  line.cut();
  await status("Connection lost");
  line.mend();
  await status("Live");
  await page.setViewportSize({ width: 1280, height: 900 });
  await keepScreenshot(page, "sse-dashboard");
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.locator("html").evaluate((html) => html.scrollWidth <= html.clientWidth)).toBe(true);
  await keepScreenshot(page, "sse-dashboard-phone");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(problems).toEqual([]);
}, 60_000);
