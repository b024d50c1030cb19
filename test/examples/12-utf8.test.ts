import { afterAll, beforeAll, expect, test } from "bun:test";
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
