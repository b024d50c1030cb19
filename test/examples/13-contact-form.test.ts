import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { accessibilityProblems, keepScreenshot, openPage } from "../support/browser.ts";
import { launchChromium } from "../support/chromium.ts";
import { startExample, type ServerProcess } from "../support/example.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const MEGABYTE = 1024 * 1024;

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-example-"));
  server = await startExample("13-contact-form", { env: { CONTACT_FOLDER: folder } });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

const GOOD = { name: "Ada", email: "ada@example.org", topic: "support", message: "Hello" } as const;

interface SentFile {
  readonly name: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
}

/** Sends the form as a program does. */
async function send(
  fields: Readonly<Record<string, string>>,
  files: readonly SentFile[] = [],
  accept = "application/json",
): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const { name, content, type = "" } of files)
    form.append("attachments", new File([content], name, { type }));
  return await fetch(server.url, { method: "POST", body: form, headers: { accept }, redirect: "manual" });
}

async function messagesOf(response: Response): Promise<string[]> {
  const { errors } = (await response.json()) as { errors: { pointer: string; message: string }[] };
  return errors.map(({ pointer, message }) => `${pointer} ${message}`);
}

test("an address that is made for slow expressions takes no longer than another", async () => {
  const email = `a@${".".repeat(65_000)}@`;
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => send({ ...GOOD, email })));
  for (const answer of answers)
    expect(await messagesOf(answer)).toContain(
      "/email Enter an email address in the correct form, as name@example.org.",
    );
});

describe("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);
  afterAll(() => browser.close());

  const summary = (page: Page) => page.getByRole("alert", { name: "There is a problem" });
  const submit = (page: Page) => page.getByRole("button", { name: "Send message" }).click();

  test("a person makes mistakes, is told of them, and is thanked; without JavaScript", async () => {
    const { page, problems } = await openPage(browser, server.url, { javaScriptEnabled: false });
    await submit(page);
    await summary(page).waitFor();
    expect(await page.title()).toBe("Error: Contact us");
    expect(await summary(page).getByRole("link").allTextContents()).toEqual([
      "Enter your name.",
      "Enter your email address.",
      "Choose a topic.",
      "Enter a message.",
    ]);

    // By keyboard: the summary has the focus, its first link leads to the field.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Ada <b>Lovelace</b>");
    expect(await page.getByLabel("Name").inputValue()).toBe("Ada <b>Lovelace</b>");
    await page.keyboard.press("Tab");
    await page.keyboard.type("ada@example");
    await page.getByLabel("Topic").selectOption("Feedback");
    await page.getByLabel("Message").fill("Two lines,\nand a “quote”.");
    await page.getByLabel("newsletter").check();
    await page.getByLabel("Files").setInputFiles([
      { name: "holiday.png", mimeType: "image/png", buffer: Buffer.from("MZ\x90\x00 a program") },
      { name: "large.txt", mimeType: "text/plain", buffer: Buffer.alloc(2 * MEGABYTE + 1, "x") },
    ]);
    await submit(page);

    const email = page.getByLabel("Email address");
    await page.locator("#email-error").waitFor();
    expect(await summary(page).getByRole("link").allTextContents()).toEqual([
      "Enter an email address in the correct form, as name@example.org.",
      "“holiday.png” is not one of the accepted kinds: PDF, PNG, JPEG, plain text.",
      "“large.txt” is larger than 2 MB.",
    ]);
    expect(await email.getAttribute("aria-invalid")).toBe("true");
    expect(await email.getAttribute("aria-describedby")).toBe("email-hint email-error");
    expect(await page.getByLabel("Name").inputValue()).toBe("Ada <b>Lovelace</b>");
    expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBeNull();
    expect(await email.inputValue()).toBe("ada@example");
    expect(await page.getByLabel("Topic").inputValue()).toBe("feedback");
    expect(await page.getByLabel("Message").inputValue()).toBe("Two lines,\nand a “quote”.");
    expect(await page.getByLabel("newsletter").isChecked()).toBe(true);
    expect(await page.locator("#attachments-hint").textContent()).toContain(
      "Please choose your files again.",
    );
    await keepScreenshot(page, "13-contact-form-errors");

    await email.fill("ada@example.org");
    await page.getByLabel("Files").setInputFiles([
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("Notes on the engine\n") },
      { name: "dot.png", mimeType: "image/png", buffer: PNG },
    ]);
    await submit(page);
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    expect(await page.getByRole("listitem").allTextContents()).toEqual([
      "notes.txt (20 bytes)",
      `dot.png (${PNG.byteLength} bytes)`,
    ]);
    await keepScreenshot(page, "13-contact-form-thanks");
    const id = await page.locator("strong").textContent();
    expect(page.url()).toBe(`${server.url}/thanks/${id}`);

    // Loading the page anew does not send the message again.
    await page.reload();
    expect(await readdir(folder)).toEqual([String(id)]);
    const kept = join(folder, String(id));
    expect((await readdir(kept)).sort()).toEqual(["1.txt", "2.png", "message.json"]);
    expect(await Bun.file(join(kept, "2.png")).bytes()).toEqual(new Uint8Array(PNG));
    expect(await Bun.file(join(kept, "message.json")).json()).toMatchObject({
      name: "Ada <b>Lovelace</b>",
      message: "Two lines,\nand a “quote”.",
      newsletter: true,
      attachments: [
        { file: "1.txt", name: "notes.txt" },
        { file: "2.png", name: "dot.png" },
      ],
    });
    await page.getByRole("link", { name: "Write another message" }).click();
    expect(await page.getByLabel("Name").inputValue()).toBe("");
    expect(problems).toEqual([]);
  }, 60_000);

  for (const colorScheme of ["light", "dark"] as const) {
    test(`the page fits a small and ${colorScheme} screen, and keeps nobody out`, async () => {
      const { page, problems } = await openPage(browser, server.url, {
        colorScheme,
        viewport: { width: 320, height: 640 },
      });
      expect(await accessibilityProblems(page)).toEqual([]);
      await submit(page);
      await summary(page).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(320);
      const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "dark" ? "rgb(13, 17, 23)" : "rgb(246, 248, 250)");
      await keepScreenshot(page, `13-contact-form-small-${colorScheme}`);
      expect(problems).toEqual([]);
    }, 60_000);
  }
});

describe("as a program", () => {
  test("a message is answered with 201 and its place", async () => {
    const response = await send(GOOD);
    expect(response.status).toBe(201);
    const { id, attachments } = (await response.json()) as { id: string; attachments: unknown[] };
    expect(attachments).toEqual([]);
    expect(response.headers.get("location")).toBe(`/thanks/${id}`);
    expect(await (await fetch(`${server.url}/thanks/${id}`)).text()).toContain(id);
  });

  test("what is wrong is a problem document", async () => {
    const response = await send({
      ...GOOD,
      name: "Ada\r\nBcc: all@example.org",
      topic: "x",
      newsletter: "maybe",
    });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      422,
      "application/problem+json",
    ]);
    expect(await messagesOf(response)).toEqual([
      "/name Your name has characters that cannot be seen.",
      "/topic Choose a topic.",
      "/newsletter The newsletter is either chosen or not.",
    ]);
    const long = await send({ ...GOOD, name: "x".repeat(101), message: "x".repeat(5001) });
    expect(await messagesOf(long)).toEqual([
      "/name Your name can have 100 characters at most.",
      "/message The message can have 5000 characters at most.",
    ]);
  });

  test("no file gets the name or the type that its client gives it", async () => {
    const response = await send(GOOD, [
      { name: "../../../evil.html", content: "<script>alert(1)</script>", type: "text/html" },
      { name: "<img src=x>", content: "%PDF-1.7\n", type: "image/png" },
    ]);
    const { id, attachments } = (await response.json()) as { id: string; attachments: unknown };
    expect(attachments).toEqual([
      { file: "1.txt", name: "evil.html", type: "text/plain", size: 25 },
      { file: "2.pdf", name: "<img src=x>", type: "application/pdf", size: 9 },
    ]);
    expect(await (await fetch(`${server.url}/thanks/${id}`)).text()).toContain("&lt;img src=x&gt; (9 bytes)");
  });

  test("files that are too many, too large or something else are refused, and nothing is kept", async () => {
    const before = await readdir(folder);
    const text = { name: "a.txt", content: "a" };
    expect(await messagesOf(await send(GOOD, [text, text, text, text]))).toEqual([
      "/attachments Choose 3 files at most.",
    ]);
    expect(
      await messagesOf(
        await send(GOOD, [text, { name: "", content: "" }, { name: "a.gif", content: "GIF89a\x00" }]),
      ),
    ).toEqual(["/attachments/1 “a.gif” is not one of the accepted kinds: PDF, PNG, JPEG, plain text."]);
    expect(await messagesOf(await send({ ...GOOD, attachments: "no file" }))).toEqual([
      "/attachments/0 Choose files.",
    ]);
    expect(await readdir(folder)).toEqual(before);
  });

  test("what is far too much is not read: 413, as a page too", async () => {
    const file = { name: "huge.txt", content: "x".repeat(8_500_000) };
    expect((await send(GOOD, [file])).status).toBe(413);
    const page = await send(GOOD, [file], "text/html");
    expect(page.status).toBe(413);
    expect(await page.text()).toContain("That was too much to be read. Choose 3 files at most");
    const many = Array.from({ length: 11 }, () => ({ name: "a.txt", content: "a" }));
    expect((await send(GOOD, many)).status).toBe(413);
  });

  test("a form without files may be URL-encoded; anything else is 415", async () => {
    const headers = { accept: "application/json" };
    const encoded = await fetch(server.url, { method: "POST", body: new URLSearchParams(GOOD), headers });
    expect(encoded.status).toBe(201);
    const json = await fetch(server.url, {
      method: "POST",
      body: JSON.stringify(GOOD),
      headers: { ...headers, "content-type": "application/json" },
    });
    expect(json.status).toBe(415);
  });

  test("numbers of no message are 404", async () => {
    for (const id of ["x", "..%2f..%2fetc", crypto.randomUUID()])
      expect((await fetch(`${server.url}/thanks/${id}`)).status).toBe(404);
  });
});

test("without a folder of its operator's, messages are gone at the end", async () => {
  await using other = await startExample("13-contact-form");
  const [, kept = ""] = await other.shows(/messages are kept in (\S+)/);
  const response = await fetch(other.url, {
    method: "POST",
    body: new URLSearchParams(GOOD),
    redirect: "manual",
  });
  expect(response.status).toBe(303);
  expect(await readdir(kept)).toHaveLength(1);
  expect(await other.stop("SIGTERM")).toBe(0);
  expect(await readdir(kept).catch((error: NodeJS.ErrnoException) => error.code)).toBe("ENOENT");
});
