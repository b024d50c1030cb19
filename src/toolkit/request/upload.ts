import { randomUUID } from "node:crypto";
import { mkdir, open, rm, type FileHandle } from "node:fs/promises";
import { unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { limit, TEXT, type OptionRules } from "../../spec/option-rules.ts";
import { moveFile, writeNewFile, type NewFileOptions } from "./new-file.ts";
import type { Part } from "./multipart-stream.ts";

/** Where the content of an upload is; `gone` once it was moved or discarded. */
type Content = { in: "memory"; bytes: Uint8Array } | { in: "file"; path: string } | { in: "gone" };

/** How uploads are kept. */
export interface SpoolOptions {
  /** Bytes of one file that are kept in memory; more go to the disk. Default 64 KiB. */
  spoolThreshold?: number | undefined;
  /** Where temporary files are made. Default: that of the system. */
  tempDir?: string | undefined;
}

/** What {@link SpoolOptions} may be. */
export const SPOOL_RULES: OptionRules<SpoolOptions> = { spoolThreshold: limit(0), tempDir: TEXT };

/** Removes the file of an upload that nobody discarded and nobody can reach any more. */
const forgotten = new FinalizationRegistry<string>((path) => {
  try {
    unlinkSync(path);
  } catch {
    // It was moved or removed; nothing is left to do.
  }
});

const INVISIBLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A file that a client sent with a form: in memory while it is small, else in a temporary file. */
export class Upload implements AsyncDisposable {
  readonly fieldName: string;
  /** As the client sent it: never to be used as a path. See {@link basename}. */
  readonly filename: string;
  /** As the client says; it may be anything. `application/octet-stream` where it says nothing. */
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  #content: Content;
  /** Of the file; over where there is nothing to remove. */
  #removal: Promise<void> = Promise.resolve();

  constructor(
    about: { fieldName: string; filename: string; contentType: string; size: number },
    content: Content,
  ) {
    this.fieldName = about.fieldName;
    this.filename = about.filename;
    this.contentType = about.contentType;
    this.size = about.size;
    this.#content = content;
    if (content.in === "file") forgotten.register(this, content.path, this);
  }

  /** Reads the content of a part. A temporary file is private, and removed again when this fails. */
  static async receive(
    part: Part,
    { spoolThreshold = 64 * 1024, tempDir = tmpdir() }: SpoolOptions,
  ): Promise<Upload> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let content: Content | undefined;
    for (let chunk = await part.nextChunk(); chunk !== undefined; chunk = await part.nextChunk()) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size <= spoolThreshold) continue;
      const path = join(tempDir, `pagi-upload-${randomUUID()}`);
      size = await writeNewFile(path, both(chunks, part));
      content = { in: "file", path };
    }
    const about = {
      fieldName: part.name,
      filename: part.filename ?? "",
      contentType: part.headers.get("content-type") ?? "application/octet-stream",
      size,
    };
    return new Upload(about, content ?? { in: "memory", bytes: Buffer.concat(chunks) });
  }

  /**
   * The last segment of the file name, on any system, 255 bytes at most: it leads nowhere else. Without leading dots, and
   * without chars that cannot be seen: controls, line ends, and those that turn the direction of writing, with which
   * `fdp.exe` looks like `exe.pdf`. Empty where nothing is left.
   */
  get basename(): string {
    const last = this.filename.split(/[/\\]/).at(-1) ?? "";
    const visible = last.replace(INVISIBLE, "").replace(/^[.\s]+/, "");
    let name = visible.slice(0, 255).trimEnd();
    while (Buffer.byteLength(name) > 255) name = name.slice(0, -1);
    return name.toWellFormed();
  }

  /** The temporary file, where there is one. */
  get tempPath(): string | undefined {
    return this.#content.in === "file" ? this.#content.path : undefined;
  }

  isEmpty(): boolean {
    return this.size === 0;
  }

  isInMemory(): boolean {
    return this.#content.in === "memory";
  }

  isOnDisk(): boolean {
    return this.#content.in === "file";
  }

  /** The whole content. @throws Error once it was moved or discarded. */
  async bytes(): Promise<Uint8Array> {
    const content = this.#present();
    return content.in === "memory" ? content.bytes : await Bun.file(content.path).bytes();
  }

  /** The same as {@link bytes}, by the name it has in the Perl toolkit. */
  slurp(): Promise<Uint8Array> {
    return this.bytes();
  }

  /** The whole content as UTF-8. @throws Error once it was moved or discarded. */
  async text(): Promise<string> {
    return Buffer.from(await this.bytes()).toString("utf8");
  }

  /** The content as a `Blob`, which is read only when it is used. @throws Error once it was moved or discarded. */
  blob(): Blob {
    const content = this.#present();
    if (content.in === "file") return Bun.file(content.path, { type: this.contentType });
    return new Blob([Uint8Array.from(content.bytes)], { type: this.contentType });
  }

  /**
   * Opens the temporary file for reading; its user closes it.
   *
   * @throws Error where the content is in memory, or was moved or discarded.
   */
  async fh(): Promise<FileHandle> {
    const content = this.#present();
    if (content.in === "memory")
      throw new Error("A small upload has no file; use bytes(), blob() or moveTo().");
    return await open(content.path, "r");
  }

  /**
   * Makes a file of the upload, in a folder that is made where it is missing. The upload itself is then over.
   *
   * @throws Error with the code of the operating system, `EEXIST` where there is a file and it is not to be
   *   overwritten; the upload is then still there.
   */
  async moveTo(path: string, options: NewFileOptions = {}): Promise<this> {
    const content = this.#present();
    this.#content = { in: "gone" };
    try {
      await mkdir(dirname(path), { recursive: true });
      if (content.in === "memory") await writeNewFile(path, [content.bytes], options);
      else await moveFile(content.path, path, options);
    } catch (error) {
      this.#content = content;
      throw error;
    }
    forgotten.unregister(this);
    return this;
  }

  /**
   * Removes the content; does nothing when it was moved. Requests do so themselves when they end. Every call resolves
   * once the content is removed, whichever of them removes it.
   */
  discard(): Promise<void> {
    const content = this.#content;
    this.#content = { in: "gone" };
    forgotten.unregister(this);
    if (content.in === "file") this.#removal = rm(content.path, { force: true });
    return this.#removal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #present(): Exclude<Content, { in: "gone" }> {
    if (this.#content.in === "gone")
      throw new Error(
        `The upload ${JSON.stringify(this.filename)} is over: it was moved, discarded, or its request has ended.`,
      );
    return this.#content;
  }
}

async function* both(first: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first.splice(0);
  yield* rest;
}
