import { expect, test } from "bun:test";
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { curl } from "../support/curl.ts";
import { Folder, Program } from "../support/program.ts";
import { eventually } from "../support/wire.ts";

// Uploads that do not fit into the memory that they may take. The server is a process of its own, and so is the client.

const MIB = 1024 * 1024;
const REQUEST = fileURLToPath(import.meta.resolve("../../src/toolkit/request.ts"));
/** What every upload begins and ends with; between them are zeros, which take no place on the disk of the client. */
const MARK = "the first and the last bytes";

const APP = `
import { open } from "node:fs/promises";
import { PagiRequest } from ${JSON.stringify(REQUEST)};

const LIMITS = { maxFileSize: 2 ** 31, maxRequestBody: 2 ** 31 };
const READERS = {
  async multipart(request, path) {
    for await (const part of request.multipart(LIMITS)) await part.streamToFile(path, { overwrite: true });
    return path;
  },
  async form(request) {
    return (await request.upload("file", LIMITS)).tempPath;
  },
  async body(request, path) {
    await request.bodyStream().streamToFile(path, { overwrite: true });
    return path;
  },
};

export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("none");
  const request = new PagiRequest(scope, receive);
  const path = await READERS[scope.path.slice(1)](request, "received.bin");
  const file = await open(path);
  const { size } = await file.stat();
  const ends = Buffer.alloc(${2 * MARK.length});
  await file.read(ends, 0, ${MARK.length}, 0);
  await file.read(ends, ${MARK.length}, ${MARK.length}, size - ${MARK.length});
  await file.close();
  await request.response().json({ size, ends: ends.toString() }).respond(send);
};
`;

/** Bytes: the most that the process ever had in memory. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}

function makeUpload(path: string, size: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  writeSync(file, MARK, 0);
  writeSync(file, MARK, size - MARK.length);
  closeSync(file);
}

// `bun run bench toolkit-stream` does the same with 1 GiB.
test.if(process.platform === "linux").each(["multipart", "form", "body"])(
  "%s: an upload of 256 MiB goes to the disk in flat memory",
  async (reader) => {
    const size = 256 * MIB;
    using folder = new Folder({ "app.ts": APP });
    await using server = Program.serve(folder, ["app.ts", "--port", "0", "--max-body-size", "0"], {
      TMPDIR: folder.path,
    });
    const { url } = await server.address();
    const upload = async (bytes: number): Promise<unknown> => {
      const path = folder.file("upload.bin");
      makeUpload(path, bytes);
      const how = reader === "body" ? ["-T", path, "-X", "POST"] : ["-F", `file=@${path}`];
      const { out, err } = await curl("--max-time", "60", "-H", "Expect:", ...how, `${url}${reader}`);
      return err === "" ? JSON.parse(out) : err;
    };
    // What runs first is loaded and compiled, and fills the heap to where it is tidied up.
    expect(await upload(32 * MIB)).toEqual({ size: 32 * MIB, ends: MARK + MARK });
    const before = peakOf(server.pid);
    expect(await upload(size)).toEqual({ size, ends: MARK + MARK });
    expect(peakOf(server.pid) - before).toBeLessThan(128 * MIB);
    const left = () => readdirSync(folder.path).filter((name) => name.startsWith("pagi-upload-"));
    await eventually("temporary files are removed", () => left().length === 0);
  },
  90_000,
);
