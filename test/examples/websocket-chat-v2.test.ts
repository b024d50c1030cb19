import { afterAll, beforeAll, expect, test } from "bun:test";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { request } from "../support/wire.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startExample("websocket-chat-v2", { env: { CHAT_PACE: "5" } });
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

function enter(room: string, name: string): Promise<WebSocketClient> {
  return WebSocketClient.open(`ws://127.0.0.1:${server.port}/rooms/${room}?name=${encodeURIComponent(name)}`);
}

/** The answer to a handshake. */
function handshake(target: string): ReturnType<typeof request> {
  const fields = [
    "Host: a",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const address = { host: "127.0.0.1", port: server.port };
  return request(address, `GET ${target} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`);
}

test("people of a room hear each other, and others do not", async () => {
  const ada = await enter("tea", "Ada");
  expect(JSON.parse(String(await ada.next()))).toEqual({ type: "people", names: ["Ada"] });
  const bob = await enter("tea", "Bøb");
  const both = { type: "people", names: ["Ada", "Bøb"] };
  expect(JSON.parse(String(await ada.next()))).toEqual(both);
  expect(JSON.parse(String(await bob.next()))).toEqual(both);
  const eve = await enter("coffee", "Ada");
  expect(JSON.parse(String(await eve.next()))).toEqual({ type: "people", names: ["Ada"] });
  for (let i = 0; i < 20; i++) ada.send(JSON.stringify({ text: ` ${i} ` }));
  for (const each of [ada, bob]) {
    for (let i = 0; i < 20; i++)
      expect(JSON.parse(String(await each.next()))).toEqual({ type: "said", from: "Ada", text: String(i) });
  }
  bob.drop();
  expect(JSON.parse(String(await ada.next()))).toEqual({ type: "people", names: ["Ada"] });
  eve.send(JSON.stringify({ text: "alone" }));
  expect(JSON.parse(String(await eve.next()))).toEqual({ type: "said", from: "Ada", text: "alone" });
  await Promise.all([ada.close(), eve.close()]);
});

test("who cannot come in is told why, and a message that is none ends the connection", async () => {
  const ada = await enter("denied", "Ada");
  expect(await handshake("/rooms/denied?name=Ada")).toMatchObject({
    status: 409,
    body: "Somebody in the room is called Ada already.\n",
  });
  expect((await handshake("/rooms/denied?name=%3Cb%3E")).status).toBe(400);
  expect((await handshake("/rooms/denied")).status).toBe(400);
  expect((await handshake("/rooms/a%2Fb?name=Ada")).status).toBe(400);
  // The same to a reader: an invisible char behind it, a letter for nothing, an é of two chars.
  expect((await handshake("/rooms/denied?name=Ada%EF%B8%8F")).status).toBe(400);
  expect((await handshake("/rooms/denied?name=%E3%85%A4")).status).toBe(400);
  const rene = await enter("denied", "Ren\u00e9");
  await rene.next();
  expect((await handshake("/rooms/denied?name=Rene%CC%81")).status).toBe(409);
  await rene.close();
  ada.send("{");
  expect((await ada.closed).code).toBe(1007);
  const again = await enter("denied", "Ada");
  again.send(JSON.stringify({ text: "x".repeat(501) }));
  expect((await again.closed).code).toBe(1007);
});

test("in Chromium: a message that is typed in one tab is seen in both", async () => {
  await using browser = await launchChromium();
  const [ada, bob] = await Promise.all([
    openPage(browser, server.url),
    openPage(browser, server.url, { viewport: { width: 390, height: 844 } }),
  ]);
  for (const [{ page }, name] of [
    [ada, "Ada"],
    [bob, "Boris"],
  ] as const) {
    await page.getByRole("textbox", { name: "Your name" }).fill(name);
    await page.keyboard.press("Enter");
    await page
      .getByRole("status")
      .filter({ hasText: `In lobby, as ${name}` })
      .waitFor();
  }
  await ada.page.getByText("Here: Ada, Boris").waitFor();
  await ada.page.keyboard.type("Hello <b>there</b>");
  await ada.page.keyboard.press("Enter");
  for (const { page } of [ada, bob]) await page.getByRole("log").getByText("Hello <b>there</b>").waitFor();
  await keepScreenshot(bob.page, "websocket-chat-v2");
  expect(await accessibilityProblems(bob.page)).toEqual([]);
  expect([...ada.problems, ...bob.problems]).toEqual([]);
}, 60_000);
