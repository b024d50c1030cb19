import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where an upload may be written. */
export const uploadPath = (): string => join(tmpdir(), `upload-${randomUUID()}`);

/** At `/digest` an upload is answered with its SHA-256, which proves that it is on the disk, else with its size. */
export async function uploadAnswer(requestPath: string, file: string): Promise<string> {
  if (requestPath !== "/digest") return String(Bun.file(file).size);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
