import { readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const READY = /https?:\/\/127\.0\.0\.1:(\d+)/;

/** The names of all examples. */
export const EXAMPLES: readonly string[] = readdirSync(join(ROOT, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** A `pagi-server` process on a free port. `await using` ends it. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #readers: Promise<void>[];
  #output = "";
  #news: PromiseWithResolvers<void> = Promise.withResolvers();
  #hasEnded = false;
  #port: number | undefined;

  private constructor(command: string[], env: Record<string, string>, cwd: string) {
    this.#child = Bun.spawn(command, {
      cwd,
      env: { ...process.env, PAGI_ENV: "production", NO_COLOR: "1", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#readers = [this.#read(this.#child.stdout), this.#read(this.#child.stderr)];
    void Promise.all(this.#readers).then(() => {
      this.#hasEnded = true;
      this.#news.resolve();
    });
  }

  /** Runs the command line of this tree and waits until it serves. */
  static start(args: readonly string[], env: Record<string, string> = {}): Promise<ServerProcess> {
    return ServerProcess.run([process.execPath, "cli/main.ts", ...args], env);
  }

  /** Runs any command that starts a server, and waits until it serves. */
  static async run(command: string[], env: Record<string, string> = {}, cwd = ROOT): Promise<ServerProcess> {
    const server = new ServerProcess(command, env, cwd);
    try {
      const [, port] = await server.shows(READY);
      server.#port = Number(port);
      return server;
    } catch (error) {
      await server.stop("SIGKILL");
      throw error;
    }
  }

  get port(): number {
    if (this.#port === undefined) throw new Error("the server has not started");
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Everything that it has written so far, to standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  /** Waits until its output matches. Fails when it ends without. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found !== null) return found;
      if (this.#hasEnded) throw new Error(`the server ended, and ${pattern} was not in: ${this.#output}`);
      await this.#news.promise;
    }
  }

  /** Ends it and returns its exit code. */
  async stop(signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGTERM"): Promise<number> {
    this.#child.kill(signal);
    const code = await this.#child.exited;
    await Promise.all(this.#readers);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.#output += decoder.decode(bytes, { stream: true });
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    }
  }
}

/** Starts an example by its name. */
export function startExample(
  name: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<ServerProcess> {
  return ServerProcess.start([`examples/${name}/app.ts`, "-p", "0", ...args], env);
}
