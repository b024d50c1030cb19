import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpScope, ReceiveEvent } from "../../src/spec/index.ts";
import { PagiRequest, type Part, Upload } from "../../src/toolkit/request.ts";
import { bytes, httpScope, server } from "../support/fake-scope.ts";
import { MULTIPART, multipartBody, partHead } from "../support/multipart.ts";
import { startHttp } from "../support/server.ts";
import { eventually, Wire } from "../support/wire.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-uploads-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const FORM = multipartBody(
  { name: "title", content: "ä" },
  { name: "photo", filename: "../a.png", type: "image/png", content: "x".repeat(100) },
  { name: "photo", filename: "b.txt", content: "small" },
  { name: "title", content: "" },
);

/** A request whose body comes in chunks of a size; then the client goes. */
function request(body: string, size = 64, scope: HttpScope = scopeOf()) {
  const all = bytes(body);
  const events: ReceiveEvent[] = [];
  for (let at = 0; at < all.length; at += size)
    events.push({ type: "http.request", body: all.slice(at, at + size), more: at + size < all.length });
  const side = server(...events, { type: "http.disconnect" });
  return Object.assign(new PagiRequest(scope, side.receive), { received: side.received });
}

function scopeOf(type: string = MULTIPART) {
  return httpScope({ method: "POST", headers: [["content-type", type]] });
}

async function firstPart(body: string): Promise<Part> {
  const part = await request(body).multipart().next();
  if (part === undefined) throw new Error("there is no part");
  return part;
}

describe("multipart()", () => {
  test("part by part, with what is known of each", async () => {
    const seen: unknown[] = [];
    for await (const part of request(FORM).multipart())
      seen.push([
        part.name,
        part.filename,
        part.type,
        part.contentType,
        part.isFile(),
        (await part.text()).length,
      ]);
    expect(seen).toEqual([
      ["title", undefined, "field", "text/plain", false, 1],
      ["photo", "../a.png", "file", "image/png", true, 100],
      ["photo", "b.txt", "file", "text/plain", true, 5],
      ["title", undefined, "field", "text/plain", false, 0],
    ]);
  });

  test("the body is read only as far as parts are asked for", async () => {
    const it = request(FORM);
    const stream = it.multipart();
    expect(it.received()).toBe(0);
    await stream.next();
    const before = it.received();
    expect(before).toBeLessThan(4);
    const photo = await stream.next();
    await photo?.nextChunk();
    expect(it.received()).toBeLessThan(before + 4);
  });

  test("what is left of a part is skipped; a part that is over says so", async () => {
    const stream = request(FORM).multipart();
    await stream.next();
    const photo = await stream.next();
    await photo?.nextChunk();
    expect((await stream.next())?.filename).toBe("b.txt");
    expect(await photo?.nextChunk()).toBeUndefined();
    expect((await stream.next())?.name).toBe("title");
    expect(await stream.next()).toBeUndefined();
    expect(await stream.next()).toBeUndefined();
  });

  test.each([
    ["maxFields", { maxFields: 1 }, "ERR_PAGI_TOO_MANY_FIELDS"],
    ["maxFiles", { maxFiles: 1 }, "ERR_PAGI_TOO_MANY_FILES"],
    ["maxFieldSize", { maxFieldSize: 1 }, "ERR_PAGI_PART_TOO_LARGE"],
    ["maxFileSize", { maxFileSize: 99 }, "ERR_PAGI_PART_TOO_LARGE"],
    ["maxHeaderSize", { maxHeaderSize: 50 }, "ERR_PAGI_PART_HEADER_TOO_LARGE"],
    ["maxRequestBody", { maxRequestBody: 300 }, "ERR_PAGI_BODY_TOO_LARGE"],
  ] as const)("%s is a limit with an error of its own, which stays", async (_, limits, code) => {
    const stream = request(FORM).multipart(limits);
    const read = async () => {
      for await (const part of stream) await part.skip();
    };
    await expect(read()).rejects.toMatchObject({ code, status: 413 });
    await expect(stream.next()).rejects.toMatchObject({ code });
    await expect(request(FORM).form(limits)).rejects.toMatchObject({ code });
  });

  test("all fields of a form together are a limit, since they stay in memory", async () => {
    const fields = (count: number, size: number) =>
      multipartBody(...Array.from({ length: count }, () => ({ name: "a", content: "x".repeat(size) })));
    const mebibyte = 1024 * 1024;
    const error = { code: "ERR_PAGI_FIELDS_TOO_LARGE", status: 413 };
    await expect(request(fields(3, mebibyte / 2), 65_536).form()).rejects.toMatchObject(error);
    await expect(request(fields(3, 10)).form({ maxBytes: 32 })).rejects.toMatchObject(error);
    expect((await request(fields(3, 10)).form({ maxBytes: 33 })).size).toBe(3);
    const larger = { maxFieldSize: 2 * mebibyte };
    expect((await request(fields(3, mebibyte / 2), 65_536).form(larger)).size).toBe(3);
    // Files go to the disk, and their names count.
    expect((await request(FORM).form({ tempDir: folder, maxBytes: 100 })).size).toBe(4);
    await expect(request(FORM).form({ tempDir: folder, maxBytes: 30 })).rejects.toMatchObject(error);
  });

  test("a part that says twice what it is is refused, for others may take the other one", async () => {
    const twice = FORM.replace("\r\n", '\r\nContent-Disposition: form-data; name="x"\r\n');
    await expect(request(twice).form()).rejects.toThrow(/several Content-Dispositions/);
  });

  test("a body cut short is an error, whether the client went or said that this was all", async () => {
    const cut = FORM.slice(0, 250);
    const gone = server({ type: "http.request", body: bytes(cut), more: true }, { type: "http.disconnect" });
    await expect(new PagiRequest(scopeOf(), gone.receive).form()).rejects.toMatchObject({
      code: "ERR_PAGI_INCOMPLETE_BODY",
    });
    await expect(request(cut).form()).rejects.toMatchObject({ code: "ERR_PAGI_MALFORMED_BODY", status: 400 });
  });

  test("a body of no bytes has no parts; one whose client has gone is still cut short", async () => {
    const nothing = () => server({ type: "http.request", body: bytes(""), more: false });
    expect(await new PagiRequest(scopeOf(), nothing().receive).multipart().next()).toBeUndefined();
    expect((await new PagiRequest(scopeOf(), nothing().receive).form()).keys()).toEqual([]);
    const gone = server({ type: "http.disconnect" });
    await expect(new PagiRequest(scopeOf(), gone.receive).multipart().next()).rejects.toMatchObject({
      code: "ERR_PAGI_INCOMPLETE_BODY",
    });
  });

  test.each([
    ["multipart/form-data", 400],
    ["multipart/form-data; boundary=", 400],
    [`multipart/form-data; boundary=${"x".repeat(71)}`, 400],
    ["text/plain; boundary=x", 415],
  ])("the Content-Type %j is refused", (type, status) => {
    expect(() => request("", 1, scopeOf(type)).multipart()).toThrow(expect.objectContaining({ status }));
  });

  test("a boundary may be quoted, and have any case of its name", async () => {
    const it = request(FORM, 64, scopeOf('Multipart/Form-Data; charset=utf-8; Boundary="----test"'));
    expect((await it.formParams()).keys()).toEqual(["title"]);
  });

  test.each([
    'multipart/form-data; foo="; boundary=a"; boundary=----test',
    'multipart/form-data; foo="\\"; boundary=a"; boundary=----test; boundary=b',
    "multipart/form-data; xboundary=a; boundary = ----test ; charset=utf-8",
    'multipart/form-data;;boundary="\\-\\-\\-\\-test"',
  ])("the boundary of %s is ----test", async (type) => {
    expect((await request(FORM, 64, scopeOf(type)).formParams()).keys()).toEqual(["title"]);
  });

  test.each(['multipart/form-data; foo="; boundary=a"', 'multipart/form-data; boundary="----test'])(
    "%s has no boundary",
    (type) => {
      expect(() => request("", 1, scopeOf(type)).multipart()).toThrow("has no boundary");
    },
  );

  test("streamTo waits for its sink, and what that throws ends the stream", async () => {
    const part = await firstPart(multipartBody({ name: "f", filename: "f", content: "x".repeat(300) }));
    expect(await part.streamTo(() => Bun.sleep(0))).toBe(300);
    const stream = request(FORM).multipart();
    const failing = await stream.next();
    const problem = new Error("no room");
    await expect(failing?.streamTo(() => Promise.reject(problem))).rejects.toBe(problem);
    await expect(stream.next()).rejects.toBe(problem);
  });

  test("streamToFile makes a new file, and none that is too large", async () => {
    const path = join(folder, "f");
    const body = multipartBody({ name: "f", filename: "f", content: "x".repeat(300) });
    expect(await (await firstPart(body)).streamToFile(path)).toBe(300);
    expect(Bun.file(path).size).toBe(300);
    await expect((await firstPart(body)).streamToFile(path)).rejects.toMatchObject({ code: "EEXIST" });
    const large = await request(body).multipart({ maxFileSize: 200 }).next();
    await expect(large?.streamToFile(join(folder, "g"))).rejects.toMatchObject({ status: 413 });
    expect(await readdir(folder)).toEqual(["f"]);
  });
});

describe("form()", () => {
  const options = () => ({ spoolThreshold: 50, tempDir: folder });

  test("fields and uploads in order, large files on the disk and private", async () => {
    const it = request(FORM);
    const form = await it.form(options());
    expect(form.keys()).toEqual(["title", "photo"]);
    expect(form.fields.getAll("title")).toEqual(["ä", ""]);
    const [large, small] = await it.uploadAll("photo");
    expect([large?.isOnDisk(), large?.size, large?.contentType]).toEqual([true, 100, "image/png"]);
    expect([small?.isInMemory(), small?.size, small?.contentType]).toEqual([
      true,
      5,
      "application/octet-stream",
    ]);
    expect(await large?.text()).toBe("x".repeat(100));
    expect(await small?.slurp()).toEqual(bytes("small"));
    expect(await large?.blob().text()).toBe("x".repeat(100));
    expect(await small?.blob().text()).toBe("small");
    expect((await stat(large?.tempPath ?? "")).mode & 0o777).toBe(0o600);
    await using file = await large?.fh();
    expect((await file?.stat())?.size).toBe(100);
    expect(await it.upload("photo")).toBe(small);
    expect((await it.rawFormParams()).getAll("title")).toEqual(["\xc3\xa4", ""]);
    await form.discard();
    expect(await readdir(folder)).toEqual([]);
  });

  test("a stream of the body excludes the form, and a form that is too large to be kept all others", async () => {
    const streamed = request(FORM);
    streamed.multipart();
    await expect(streamed.form()).rejects.toMatchObject({ code: "ERR_PAGI_BODY_USED" });
    const large = multipartBody({ name: "file", filename: "a", content: "x".repeat(2 ** 20) });
    const read = request(large, 2 ** 16);
    await (await read.form({ maxBytes: 2 ** 21 })).discard();
    expect(() => read.multipart()).toThrow(/multipart form/);
    await expect(read.bytes()).rejects.toThrow(/multipart form/);
  });

  test("a small form may be read in any other way, and a body that was read whole as a form", async () => {
    const read = request(FORM);
    expect((await read.form()).fields.get("title")).toBe("");
    expect(await read.text()).toBe(FORM);
    expect((await Array.fromAsync(read.multipart())).map(({ name }) => name)).toHaveLength(4);
    const whole = request(FORM);
    await whole.bytes();
    const form = await whole.form(options());
    expect(form.fields.getAll("title")).toEqual(["ä", ""]);
    expect(form.uploads.getAll("photo").map(({ size }) => size)).toEqual([100, 5]);
    expect(await (await whole.upload("photo"))?.text()).toBe("small");
    await form.discard();
  });

  test("moveTo makes the folder, replaces only on demand, and leaves no temporary file", async () => {
    const form = await request(FORM).form(options());
    const target = join(folder, "kept", "a.png");
    const [large, small] = form.uploads.getAll("photo");
    await large?.moveTo(target);
    expect(Bun.file(target).size).toBe(100);
    await expect(small?.moveTo(target)).rejects.toMatchObject({ code: "EEXIST" });
    await small?.moveTo(target, { overwrite: true, mode: 0o644 });
    expect(await Bun.file(target).text()).toBe("small");
    await expect(large?.bytes()).rejects.toThrow(/is over/);
    await form.discard();
    expect(await readdir(folder)).toEqual(["kept"]);
    expect(await readdir(join(folder, "kept"))).toEqual(["a.png"]);
    const again = await request(FORM).upload("photo", { ...options(), spoolThreshold: 0 });
    await expect(again?.moveTo(target)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await again?.text()).toBe("small");
    const temporary = again?.tempPath ?? "";
    expect(await Bun.file(temporary).exists()).toBe(true);
    await again?.moveTo(target, { overwrite: true });
    expect(await Bun.file(temporary).exists()).toBe(false);
  });

  test.each([0, 1000])(
    "moveTo replaces a link and does not write through it (threshold %i)",
    async (spoolThreshold) => {
      const upload = await request(FORM).upload("photo", { ...options(), spoolThreshold });
      const [link, other] = [join(folder, "link"), join(folder, "other")];
      await writeFile(other, "somebody else's", { mode: 0o644 });
      await symlink(other, link);
      await upload?.moveTo(link, { overwrite: true });
      expect(await Bun.file(other).text()).toBe("somebody else's");
      expect(await Bun.file(link).text()).toBe("small");
      const { mode, isSymbolicLink } = await lstat(link).then((it) => ({
        mode: it.mode & 0o777,
        isSymbolicLink: it.isSymbolicLink(),
      }));
      expect({ mode, isSymbolicLink }).toEqual({ mode: 0o600, isSymbolicLink: false });
      const made = (await readdir(folder)).filter((name) => !name.startsWith("pagi-upload-"));
      expect(made.sort()).toEqual(["link", "other"]);
    },
  );

  test("when the form cannot be read to its end, nothing of it stays", async () => {
    const early = multipartBody(
      { name: "a", filename: "a", content: "x".repeat(100) },
      { name: "b", filename: "b", content: "x".repeat(200) },
    );
    await expect(request(early).form({ ...options(), maxFileSize: 150 })).rejects.toMatchObject({
      status: 413,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("when the response is delivered, the files of the request go", async () => {
    const scope = scopeOf();
    const callbacks: (() => void)[] = [];
    scope["pagi.connection"].onComplete = (callback?: () => void) =>
      void callbacks.push(callback ?? (() => {}));
    const form = await request(FORM, 64, scope).form(options());
    expect(form.uploads.get("photo")?.isInMemory()).toBe(true);
    for (const callback of callbacks) callback();
    expect(form.uploads.values().some((upload) => upload.isOnDisk() || upload.isInMemory())).toBe(false);
    await removed();
  });

  test("when the client goes, the files of the request go", async () => {
    const scope = scopeOf();
    const form = await request(FORM, 64, scope).form(options());
    expect(await readdir(folder)).toHaveLength(1);
    scope["pagi.connection"].lose("client_closed");
    expect(form.uploads.values().some((upload) => upload.isOnDisk())).toBe(false);
    await removed();
  });

  test.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\a.txt", "a.txt"],
    ["..", ""],
    ["dir/", ""],
    [".htaccess", "htaccess"],
    ["a\0b\r\n.txt", "ab.txt"],
    ["photo\u202egnp.exe", "photognp.exe"],
    ["a\u2028b\x85c\u2066.txt", "abc.txt"],
    ["ä".repeat(200), "ä".repeat(127)],
    [`${"x".repeat(253)}😀`, "x".repeat(253)],
  ])("the basename of %j leads nowhere", (filename, basename) => {
    const upload = new Upload(
      { fieldName: "f", filename, contentType: "text/plain", size: 0 },
      { in: "memory", bytes: new Uint8Array(0) },
    );
    expect(upload.basename).toBe(basename);
  });
});

describe("on the server", () => {
  test("files go to the disk, and are gone when the response is delivered", async () => {
    let paths: (string | undefined)[] = [];
    await using it = await startHttp(async (scope, receive, send) => {
      const form = await new PagiRequest(scope, receive).form({ tempDir: folder });
      paths = form.uploads.values().map((upload) => upload.tempPath);
      const sizes = form.uploads.values().map((upload) => upload.size);
      await form.uploads.get("keep")?.moveTo(join(folder, "kept"));
      await send({
        type: "http.response.start",
        status: 200,
        headers: [["content-type", "application/json"]],
      });
      await send({ type: "http.response.body", body: JSON.stringify([form.fields.toObject(), sizes]) });
    });
    const form = new FormData();
    form.set("name", "Zoë");
    form.set("keep", new File([new Uint8Array(3_000_000).fill(1)], "a.bin"));
    form.set("drop", new File([new Uint8Array(200_000)], "b.bin"));
    const response = await fetch(it.url, { method: "POST", body: form });
    expect(await response.json()).toEqual([{ name: "Zoë" }, [3_000_000, 200_000]]);
    expect(paths.every((path) => path?.startsWith(folder))).toBe(true);
    await removed(["kept"]);
    expect(await Bun.file(join(folder, "kept")).bytes()).toEqual(new Uint8Array(3_000_000).fill(1));
  });

  test("every discard() of an upload resolves once its file is removed", async () => {
    await using it = await startHttp(async (scope, receive, send) => {
      const form = await new PagiRequest(scope, receive).form({ tempDir: folder, spoolThreshold: 10 });
      const upload = form.uploads.get("a");
      void upload?.discard();
      await upload?.discard();
      const body = JSON.stringify(readdirSync(folder));
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body });
    });
    const form = new FormData();
    form.set("a", new File(["x".repeat(1000)], "a.txt"));
    expect(await (await fetch(it.url, { method: "POST", body: form })).text()).toBe("[]");
  });

  test("when the client goes in the middle of a file, the file goes too", async () => {
    const { promise: failed, resolve } = Promise.withResolvers<unknown>();
    await using it = await startHttp(async (scope, receive) => {
      await new PagiRequest(scope, receive).form({ tempDir: folder, spoolThreshold: 10 }).catch(resolve);
    });
    await using wire = await Wire.open(it);
    await wire.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${MULTIPART}\r\nContent-Length: 100000\r\n\r\n`,
    );
    await wire.send(`${partHead({ name: "a", filename: "a" })}${"x".repeat(1000)}\r\n`);
    await wire.send(`${partHead({ name: "b", filename: "b" })}${"x".repeat(1000)}`);
    await eventually("both files are begun", () => readdirSync(folder).length === 2);
    wire.reset();
    expect(await failed).toMatchObject({ code: "ERR_PAGI_INCOMPLETE_BODY" });
    expect(await readdir(folder)).toEqual([]);
  });

  test("a sink that does not take a part holds the client back", async () => {
    const opened = Promise.withResolvers<Part>();
    const release = Promise.withResolvers<void>();
    await using it = await startHttp(
      async (scope, receive, send) => {
        const part = await new PagiRequest(scope, receive).multipart().next();
        if (part !== undefined) opened.resolve(part);
        await release.promise;
        const size = await part?.streamTo(() => {});
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: String(size) });
      },
      { maxBodySize: "1g" },
    );
    const size = 64 * 1024 * 1024;
    const head = partHead({ name: "f", filename: "f" });
    const end = "\r\n------test--\r\n";
    await using wire = await Wire.open(it);
    const length = head.length + size + end.length;
    await wire.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${MULTIPART}\r\nContent-Length: ${length}\r\n\r\n${head}`,
    );
    await opened.promise;
    let taken = false;
    const sent = wire.send(new Uint8Array(size)).then(() => (taken = true));
    await fetch(it.url).catch(() => {}); // a whole other request, for which there was time
    expect(taken).toBe(false);
    release.resolve();
    await sent;
    await wire.send(end);
    expect((await wire.response("POST")).body).toBe(String(size));
  }, 20_000);
});

/** Waits until the folder holds nothing but the given files. */
async function removed(but: string[] = []): Promise<void> {
  await eventually("temporary files are removed", () => readdirSync(folder).length === but.length);
  expect(await readdir(folder)).toEqual(but);
}
