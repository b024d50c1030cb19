import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { FolderWatch } from "../../src/supervisor/folder-watch.ts";
import { Folder } from "../support/program.ts";
import { eventually } from "../support/wire.ts";

/** Watches `.ts` files, except in folders called `out`. */
class Watched implements Disposable {
  readonly folder = new Folder();
  /** Everything that was told. */
  readonly told: string[] = [];
  readonly #watch: FolderWatch;
  #seen = 0;

  constructor(files: readonly string[]) {
    for (const file of files) this.write(file);
    this.#watch = new FolderWatch({
      folder: this.folder.path,
      isWatched: (file) => file.endsWith(".ts"),
      isEntered: (inner) => !inner.endsWith("out"),
      onChange: (changed) => this.told.push(...changed),
      onError: (problem) => this.told.push(problem),
    });
  }

  write(file: string): void {
    fs.mkdirSync(path.dirname(this.folder.file(file)), { recursive: true });
    fs.writeFileSync(this.folder.file(file), String(Math.random()));
  }

  /** Waits until these are told, which were not before `change`. */
  async tells(files: readonly string[], change: () => void): Promise<void> {
    this.#seen = this.told.length;
    change();
    await eventually(`${files.join(" and ")} are told`, () =>
      files.every((file) => this.told.includes(file, this.#seen)),
    );
  }

  [Symbol.dispose](): void {
    this.#watch.close();
    this.folder[Symbol.dispose]();
  }
}

test("files in all folders that are not left out", async () => {
  using watched = new Watched(["a.ts", "in/ner/b.ts", "out/c.ts", "d.txt"]);
  await watched.tells(["a.ts", "in/ner/b.ts", "new.ts"], () => {
    for (const file of ["out/c.ts", "d.txt", "in/ner/b.ts", "a.ts", "new.ts"]) watched.write(file);
  });
  await watched.tells(["a.ts"], () => watched.write("a.ts"));
  expect(new Set(watched.told)).toEqual(new Set(["a.ts", "in/ner/b.ts", "new.ts"]));
});

test("a file that is replaced, as editors do it, and one that is removed", async () => {
  using watched = new Watched(["a.ts", "b.ts"]);
  const { folder } = watched;
  await watched.tells(["a.ts"], () => {
    watched.write("a.ts~");
    fs.renameSync(folder.file("a.ts~"), folder.file("a.ts"));
  });
  await watched.tells(["a.ts"], () => watched.write("a.ts"));
  await watched.tells(["b.ts"], () => fs.rmSync(folder.file("b.ts")));
  expect(watched.told).not.toContain("a.ts~");
});

test("folders that come, go, come again and change their names", async () => {
  using watched = new Watched(["a.ts"]);
  const { folder } = watched;
  await watched.tells(["one/two/b.ts"], () => {
    watched.write("out/c.ts");
    watched.write("one/two/b.ts");
  });
  await watched.tells(["one/two/b.ts"], () => watched.write("one/two/b.ts"));
  await watched.tells(["one/two/b.ts"], () => {
    fs.rmSync(folder.file("one"), { recursive: true });
    watched.write("one/two/b.ts");
  });
  await watched.tells(["one/two/d.ts"], () => watched.write("one/two/d.ts"));
  await watched.tells(["three/two/b.ts", "three/two/d.ts"], () =>
    fs.renameSync(folder.file("one"), folder.file("three")),
  );
  await watched.tells(["three/two/d.ts"], () => watched.write("three/two/d.ts"));
  expect(watched.told.filter((file) => file.startsWith("out"))).toEqual([]);
});

test("a closed one tells nothing and holds no descriptor", async () => {
  const links = (): number =>
    fs.readdirSync("/proc/self/fdinfo").reduce((sum, fd) => {
      try {
        return sum + [...fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").matchAll(/^inotify wd/gm)].length;
      } catch {
        return sum; // the descriptor of the listing itself
      }
    }, 0);
  const before = links();
  {
    using watched = new Watched(["a/b/c.ts"]);
    expect(watched.told).toEqual([]);
    await eventually("it watches", () => links() === before + 3);
  }
  await eventually("it has let go", () => links() === before);
});
