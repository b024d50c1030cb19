import { afterEach, describe, expect, test } from "bun:test";

import type { Logger } from "../../src/logging/logger.ts";
import { runUntilSignal } from "../../src/process/run-until-signal.ts";
import type { Controlled, Follower } from "../../src/process/run-until-signal.ts";
import { RecordingLogger } from "../support/server.ts";
import { eventually } from "../support/wire.ts";

// The policy of signals by itself: signals are events of this process, which nobody sends.

const TABLE = {
  SIGTERM: "stop",
  SIGQUIT: "cut",
  SIGHUP: "reload",
  SIGUSR2: "restart",
  SIGUSR1: "reopen",
  SIGTTIN: "ignore",
} as const;

/** Something that runs, and starts of a program that wait until the test lets them go. */
class Running implements Controlled {
  readonly done: string[] = [];
  readonly recorded = new RecordingLogger();
  readonly logger: Logger = this.recorded;
  readonly signals: Controlled["signals"];
  readonly stopText = "Stopping";
  readonly starts: {
    readonly command: string;
    readonly givenUp: AbortSignal;
    end(follower?: Follower): void;
    fail(): void;
  }[] = [];
  readonly #stopped = Promise.withResolvers<boolean>();

  constructor(hasSignals = true) {
    this.signals = hasSignals ? TABLE : undefined;
  }

  get whenStopped(): Promise<boolean> {
    return this.#stopped.promise;
  }

  stop({ force }: { force: boolean }): void {
    this.done.push(force ? "cut" : "stop");
  }

  end(isClean = true): void {
    this.#stopped.resolve(isClean);
  }

  readonly commands = { reopen: (): void => void this.done.push("reopen") };
  readonly follows = { reload: this.#follow("reload"), restart: this.#follow("restart") };

  #follow(command: string): (givenUp: AbortSignal) => Promise<Follower | undefined> {
    return (givenUp) => {
      const { promise, resolve, reject } = Promise.withResolvers<Follower | undefined>();
      this.starts.push({ command, givenUp, end: resolve, fail: () => reject(new Error("a fault")) });
      return promise;
    };
  }

  /** A start that can take over. */
  follower(replaces = false): Follower {
    const stop = (): void => void this.done.push("stop for the follower");
    const replace = (): never => {
      this.done.push("replace");
      throw new Error("replaced");
    };
    return replaces ? { stop, replace } : { stop };
  }

  get begun(): string[] {
    return this.starts.map(({ command }) => command);
  }
}

const send = (...signals: (keyof typeof TABLE)[]): void => {
  for (const signal of signals) process.emit(signal, signal);
};

afterEach(() => {
  for (const signal of Object.keys(TABLE))
    expect([signal, process.listenerCount(signal)]).toEqual([signal, 0]);
});

describe("stop", () => {
  test("the first signal stops, a second one cuts; the end says whether it was a clean one", async () => {
    for (const isClean of [true, false]) {
      const running = new Running();
      const ended = runUntilSignal(running);
      send("SIGTERM", "SIGTERM");
      running.end(isClean);
      expect(await ended).toEqual({ isSignaled: true, isClean });
      expect(running.done).toEqual(["stop", "cut"]);
      expect(running.recorded.messages("info")).toEqual(["Stopping. Press Ctrl-C again to stop at once."]);
    }
  });

  test("SIGQUIT cuts at once, and says nothing", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGQUIT");
    running.end(false);
    expect(await ended).toEqual({ isSignaled: true, isClean: false });
    expect(running.done).toEqual(["cut"]);
    expect(running.recorded.messages("info")).toEqual([]);
  });

  test("one that ends by itself is not ended by a signal; other commands are carried out meanwhile", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGUSR1", "SIGTTIN");
    running.end();
    expect(await ended).toEqual({ isSignaled: false, isClean: true });
    expect(running.done).toEqual(["reopen"]);
  });

  test("without signals there are no handlers", async () => {
    const before = process.listenerCount("uncaughtException");
    const running = new Running(false);
    const ended = runUntilSignal(running);
    expect(process.listenerCount("SIGTERM")).toBe(0);
    expect(process.listenerCount("uncaughtException")).toBe(before);
    running.end();
    expect(await ended).toEqual({ isSignaled: false, isClean: true });
  });
});

describe("another start of the program", () => {
  test("takes over once it is ready, and replaces the program when this one has stopped", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGHUP");
    running.starts[0]?.end(running.follower(true));
    await eventually("it stops", () => running.done.length > 0);
    running.end();
    expect(ended).rejects.toThrow("replaced");
    await ended.catch(() => {});
    expect(running.done).toEqual(["stop for the follower", "replace"]);
  });

  test("is not waited for by a stop, which gives it up", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGUSR2", "SIGTERM");
    const [start] = running.starts;
    expect(start?.givenUp.aborted).toBe(true);
    start?.end(running.follower());
    await Bun.sleep(0);
    running.end();
    expect(await ended).toEqual({ isSignaled: true, isClean: true });
    expect(running.done).toEqual(["stop"]);
  });

  test("a stop while this one stops for it keeps the program from being replaced", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGHUP");
    running.starts[0]?.end(running.follower(true));
    await eventually("it stops", () => running.done.length > 0);
    send("SIGTERM");
    running.end();
    expect(await ended).toEqual({ isSignaled: true, isClean: true });
    expect(running.done).toEqual(["stop for the follower", "stop"]);
  });

  test("only one at a time; of those that were asked for meanwhile, the last comes next if it fails", async () => {
    const running = new Running();
    const ended = runUntilSignal(running);
    send("SIGHUP", "SIGHUP", "SIGUSR2");
    expect(running.begun).toEqual(["reload"]);
    running.starts[0]?.end();
    await eventually("the next one begins", () => running.starts.length === 2);
    expect(running.begun).toEqual(["reload", "restart"]);
    running.starts[1]?.fail();
    await eventually("it has failed", () => running.recorded.messages("error").length === 1);
    expect(running.recorded.messages("error")[0]).toContain(
      "The restart has failed. Keeping the current server",
    );
    // And nothing was asked for since then.
    expect(running.begun).toHaveLength(2);
    send("SIGUSR2");
    expect(running.begun).toHaveLength(3);
    running.starts[2]?.end(running.follower());
    await eventually("it stops", () => running.done.length > 0);
    send("SIGHUP"); // too late
    expect(running.begun).toHaveLength(3);
    running.end();
    expect(await ended).toEqual({ isSignaled: true, isClean: true });
  });
});
