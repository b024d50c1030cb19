import { afterAll, beforeAll, expect, test } from "bun:test";
import { keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { request } from "../support/wire.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await startExample("12-utf8");
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

const SAMPLES = ["λ", "🔥", "中文", "♥", "café", "a b&c=d", "<script>", "100%"];

test.each(SAMPLES)("%s comes back from path, query and body", async (text) => {
  const encoded = encodeURIComponent(text);
  const form = { method: "POST", body: new URLSearchParams({ text }) };
  for (const [source, response] of [
    ["path", await fetch(`${server.url}/echo/${encoded}`)],
    ["query", await fetch(`${server.url}/?text=${encoded}`)],
    ["body", await fetch(server.url, form)],
  ] as const) {
    const body = await response.text();
    expect(body).toStartWith(`source: ${source}\ntext: ${text}\ncharacters: ${[...text].length}, `);
    expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(body)));
  }
});

test("a character that is cut in two between chunks of the body is one character", async () => {
  const address = { host: "127.0.0.1", port: server.port };
  const response = await request(
    address,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ntext=\xce\r\n1\r\n\xbb\r\n0\r\n\r\n",
  );
  expect(Buffer.from(response.body, "latin1").toString()).toContain(
    "text: λ\ncharacters: 1, UTF-8 bytes: 2\n",
  );
});

test("a path that is no UTF-8 is read as latin-1", async () => {
  expect(await (await fetch(`${server.url}/echo/%E9`)).text()).toContain("text: é\n");
});

test("a browser gets a page in which everything from outside is escaped", async () => {
  const response = await fetch(`${server.url}/echo/%3Cscript%3E%22`, { headers: { accept: "text/html" } });
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const body = await response.text();
  expect(body).toContain("text: &lt;script&gt;&quot;\n");
  expect(body).toContain(`<a href="/echo/%F0%9F%94%A5">🔥</a>`);
  expect(body).not.toContain("<script>");
});

test("in Chromium: text comes back from the path, the query and the body; without JavaScript", async () => {
  await using browser = await launchChromium();
  const { page, problems } = await openPage(browser, server.url, { javaScriptEnabled: false });
  const report = page.getByRole("status");
  await report.getByText("Send text in the path").waitFor();
  await page.getByRole("link", { name: "🔥" }).click();
  await report.getByText("source: path").waitFor();
  expect(await report.textContent()).toContain("text: 🔥\ncharacters: 1, UTF-8 bytes: 4\n");
  for (const [label, button, source] of [
    ["Text for the query", "GET", "query"],
    ["Text for the body", "POST", "body"],
  ] as const) {
    await page.getByLabel(label).fill("<i>λ</i>");
    await page.getByRole("button", { name: button }).click();
    await report.getByText(`source: ${source}`).waitFor();
    expect(await report.textContent()).toContain("text: <i>λ</i>\ncharacters: 8, UTF-8 bytes: 9\n");
  }
  await keepScreenshot(page, "12-utf8");
  expect(problems).toEqual([]);
}, 60_000);
