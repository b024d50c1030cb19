import { expect, test } from "bun:test";
import fs from "node:fs";

import { Front, recipe } from "../support/front.ts";
import { MIXED_APP, MixedLoad } from "../support/mixed-load.ts";
import { Folder, Program } from "../support/program.ts";
import { eventually } from "../support/wire.ts";
import { Log, runs } from "../support/workers.ts";

/** Answers between two reloads. For a long run by hand, set the variable. */
const ANSWERS = Number(process.env["MIXED_LOAD_ANSWERS"] ?? 400);

test.each([
  ["with two workers", ["-w", "2"]],
  ["in one process", []],
])(
  "nginx: event streams, uploads and clients that leave, during three reloads and a hot restart %s: nothing is lost",
  async (_name, words) => {
    using folder = new Folder({ "app.ts": MIXED_APP });
    const socket = folder.file("http.sock");
    await using program = Program.serve(folder, [
      ...recipe("nginx.conf", { "/run/pagi-server/http.sock": socket }),
      ...["-E", "production", "--no-access-log", "--pid", "pid", ...words, "app.ts"],
    ]);
    const log = new Log(program);
    await log.until(/Serving app\.ts/);
    // nginx tries nothing again, so each request that is lost is seen.
    await using front = await Front.nginx(folder, socket, "proxy_next_upstream off;");
    await using load = new MixedLoad(front);
    const more = async (): Promise<void> => {
      const { answered, streams } = load;
      while (load.answered < answered + ANSWERS || load.streams < streams + 6) await Bun.sleep(10);
    };
    try {
      for (let turn = 0; turn < 3; turn++) {
        await more();
        program.kill("SIGHUP");
        await log.until(words.length > 0 ? /Reloaded: every worker is a new one/ : /Serving app\.ts/);
      }
      await more();
      program.kill("SIGUSR2");
      await eventually("the old server has ended", () => !program.isRunning, 20_000);
      await more();
      await load.stop();
      if (process.env["MIXED_LOAD_ANSWERS"] !== undefined)
        console.log(
          `${load.answered} answers, ${load.streams} streams, ${load.aborts} aborts, ${load.lost.length} lost`,
        );
      expect(load.lost).toEqual([]);
    } finally {
      await load.stop();
      const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
      if (successor !== program.pid) {
        process.kill(successor, "SIGTERM");
        await eventually("the successor has ended", () => !runs(successor));
      }
    }
  },
  60_000 + ANSWERS * 50,
);
