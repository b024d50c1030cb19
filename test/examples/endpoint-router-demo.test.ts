import { afterEach, beforeEach, expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample, type ServerProcess } from "../support/example.ts";
import { openStream } from "../support/sse.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let server: ServerProcess;

beforeEach(async () => {
  server = await startExample("endpoint-router-demo", { env: { METRICS_INTERVAL: "20" } });
});
afterEach(async () => {
  await server.stop("SIGKILL");
});

function post(user: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${server.url}/api/users`, { method: "POST", body: JSON.stringify(user), headers });
}

test("in Chromium: users are added and removed, the metrics go on, the echo answers", async () => {
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url);
  const users = page.getByRole("list", { name: "Users" }).getByRole("listitem");
  await page.getByText("Grace, grace@example.org").waitFor();

  await page.getByLabel("Email address").fill("alan");
  await page.keyboard.press("Enter");
  await page.getByText("Enter a name.").waitFor();
  expect(await page.locator("#email-error").textContent()).toBe("Enter an email address.");
  expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
  expect(await accessibilityProblems(page)).toEqual([]);

  // The field that is wrong has the focus.
  await page.keyboard.type("Alan <b>");
  await page.getByLabel("Email address").fill("alan@example.org");
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByText("Alan <b> was added.").waitFor();
  await page.getByText("Alan <b>, alan@example.org").waitFor();
  expect(await users.count()).toBe(3);
  await page.getByRole("button", { name: "Remove Grace" }).click();
  await page.getByText("Grace was removed.").waitFor();
  await page.getByText("Grace, grace@example.org").waitFor({ state: "detached" });

  await page.getByText("live", { exact: true }).waitFor();
  await page.getByLabel("Say something").fill("Grüße 🌍");
  await page.getByRole("button", { name: "Say" }).click();
  await page.locator("#echoed", { hasText: "Grüße 🌍" }).waitFor();
  await page.locator("#messages", { hasText: "1" }).waitFor();
  await page.locator("#connections", { hasText: "1" }).waitFor();
  await keepScreenshot(page, "endpoint-router-demo");
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(problems).toEqual([]);

  expect(await server.stop("SIGTERM")).toBe(0);
  await page.getByText("closed; load the page again").waitFor();
  expect(server.output).toMatch(/served: {"requests":\d+,"connections":0,"messages":1}/);
}, 60_000);

test("the API: parameters, steps, names, and what is refused", async () => {
  const added = await post({ name: "Alan", email: "alan@example.org" });
  expect([added.status, added.headers.get("location")]).toEqual([201, "/api/users/3"]);
  expect((await post({ name: "Alan", email: "alan@example.org" })).status).toBe(409);
  expect((await post({ name: "", email: "x" })).status).toBe(422);
  expect(await (await fetch(`${server.url}/api/info`)).json()).toEqual({ api: "v1", users: 3 });
  for (const [path, status] of [
    ["/api/users/3", 200],
    ["/api/users/9", 404],
    ["/api/users/x", 404],
    ["/page.css", 200],
    ["/page.html", 404],
    ["/..%2fapp.ts", 404],
  ] as const)
    expect([path, (await fetch(server.url + path)).status]).toEqual([path, status]);
  for (let id = 4; id <= 100; id++)
    expect((await post({ name: "x", email: `x${id}@example.org` })).status).toBe(201);
  expect((await post({ name: "x", email: "last@example.org" })).status).toBe(503);
});

test("the echo: messages come back as they were, and connections are counted", async () => {
  const client = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/echo`);
  client.send("Hello");
  expect(await client.next()).toBe("Hello");
  client.send(new Uint8Array(3));
  expect(await client.next()).toEqual(new Uint8Array(3));
  await client.close();
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).toContain('served: {"requests":1,"connections":0,"messages":2}');
});

test("the metrics: who comes back is told what was missed", async () => {
  const address = { host: "127.0.0.1", port: server.port };
  const first = await openStream(address, { target: "/metrics" });
  expect(await first.readTo("\n\n")).toContain("event: connected");
  expect(await first.readTo("\n\n")).toContain('data: {"requests":1,"connections":0,"messages":0}');
  const [, later = ""] = /id: (\d+)/.exec(await first.readTo("\n\n")) ?? [];
  first.reset();
  const second = await openStream(address, { target: "/metrics", fields: ["Last-Event-ID: 0"] });
  const hello = await second.readTo("\n\n");
  expect(hello).toContain("event: reconnected");
  const [, missed = ""] = /"missed":(\d+)/.exec(hello) ?? [];
  const [, id = ""] = /id: (\d+)/.exec(hello) ?? [];
  expect(missed).toBe(id);
  expect(Number(missed)).toBeGreaterThanOrEqual(Number(later));
  second.reset();
});
