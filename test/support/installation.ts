import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { type Folder, Program } from "./program.ts";

const ROOT = path.resolve(import.meta.dir, "../..");

/**
 * A Bun and a bundled `pagi-server` in a folder of their own, so that a test decides who may execute them, wherever this
 * project and its Bun are: `npx` for one keeps Bun in the home directory of root, which nobody else may enter.
 */
export class Installation implements Disposable {
  readonly path = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "pagi-bun-")));
  readonly bun = path.join(this.path, "bun");
  readonly main = path.join(this.path, "pagi-server.js");

  /** @param mode the permissions of the folder; 0755 lets every user in, 0700 only its owner. */
  constructor(mode = 0o755) {
    provide(this.bun);
    const { exitCode, stderr } = Bun.spawnSync(
      [process.execPath, "build", path.join(ROOT, "cli/main.ts"), "--target=bun", `--outfile=${this.main}`],
      { cwd: ROOT },
    );
    if (exitCode !== 0) throw new Error(`pagi-server cannot be bundled: ${stderr.toString()}`);
    fs.chmodSync(this.main, 0o644);
    fs.chmodSync(this.path, mode);
  }

  /** `pagi-server` of this installation with these words. */
  serve(
    folder: Folder,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Program {
    return new Program(folder, [this.main, ...words], environment, { command: [this.bun] });
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }
}

/** A link where that is enough, for Bun is large. */
function provide(file: string): void {
  const isPublic = (fs.statSync(process.execPath).mode & 0o055) === 0o055;
  try {
    if (isPublic) return fs.linkSync(process.execPath, file);
  } catch {
    // Another file system.
  }
  fs.copyFileSync(process.execPath, file, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(file, 0o755);
}
