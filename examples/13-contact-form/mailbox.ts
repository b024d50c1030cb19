import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Contact } from "./contact.ts";

const Stored = z.object({
  id: z.uuid(),
  attachments: z.array(z.object({ file: z.string(), name: z.string(), type: z.string(), size: z.number() })),
});

/** What the sender of a message may see of it later. */
export type Receipt = z.output<typeof Stored>;

/** Keeps messages, each with its files in a folder of its own. */
export class Mailbox implements AsyncDisposable {
  readonly folder: string;
  readonly #isTemporary: boolean;

  private constructor(folder: string, isTemporary: boolean) {
    this.folder = folder;
    this.#isTemporary = isTemporary;
  }

  /** @param folder is made where it is missing; undefined for one that is removed at the end */
  static async open(folder: string | undefined): Promise<Mailbox> {
    if (folder === undefined) return new Mailbox(await mkdtemp(join(tmpdir(), "contact-form-")), true);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Mailbox(folder, false);
  }

  /** The names of the files are ours: whatever the client called them stands in `message.json` only. */
  async add({ attachments, ...contact }: Contact): Promise<Receipt> {
    const id = randomUUID();
    const folder = join(this.folder, id);
    await mkdir(folder, { mode: 0o700 });
    try {
      const files: Receipt["attachments"] = [];
      for (const [i, { upload, kind, name }] of attachments.entries()) {
        const file = `${i + 1}.${kind.extension}`;
        files.push({ file, name, type: kind.type, size: upload.size });
        await upload.moveTo(join(folder, file));
      }
      const message = { id, ...contact, attachments: files };
      await writeFile(join(folder, "message.json"), JSON.stringify(message, null, 2), { mode: 0o600 });
      return { id, attachments: files };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Undefined where there is no such message. */
  async receipt(id: string): Promise<Receipt | undefined> {
    if (!z.uuid().safeParse(id).success) return undefined;
    try {
      return Stored.parse(JSON.parse(await readFile(join(this.folder, id, "message.json"), "utf8")));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTemporary) await rm(this.folder, { recursive: true, force: true });
  }
}
