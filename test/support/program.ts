import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dir, "../..");

/** The command line's entry. */
export const MAIN = path.join(ROOT, "cli/main.ts");

/** The package's entry, for programs that call `serve` themselves. */
export const INDEX = path.join(ROOT, "index.ts");

/** A folder that is removed at the end. */
export class Folder implements Disposable {
  readonly path = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "pagi-")));

  /** @param files their texts by name. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(this.file(name), text);
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** The lines of a file; none if there is no such file. */
  lines(name: string): string[] {
    if (!fs.existsSync(this.file(name))) return [];
    return fs.readFileSync(this.file(name), "utf8").split("\n").slice(0, -1);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }
}

/** A running child process, its output as it comes. It is killed at the end. */
export class Program implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #read: Promise<unknown>;
  readonly #text = { stdout: "", stderr: "" };
  #isOver = false;
  #news = Promise.withResolvers<void>();

  /**
   * Runs a file with Bun. The environment has no settings of the server's but the given ones.
   *
   * @param how the command that the words belong to, if it is not Bun alone; and descriptors that it is to have from 3.
   */
  constructor(
    folder: Folder,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    {
      command = [process.execPath],
      descriptors = [],
    }: { command?: readonly string[]; descriptors?: readonly number[] } = {},
  ) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:PAGI_.*|PORT|HOST)$/.test(name));
    this.#child = Bun.spawn([...command, ...words], {
      cwd: folder.path,
      env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe", ...descriptors],
    });
    const { stdout, stderr, exited } = this.#child;
    this.#read = Promise.all([this.#follow("stdout", stdout), this.#follow("stderr", stderr), exited]).then(
      () => {
        this.#isOver = true;
        this.#tell();
      },
    );
  }

  /** `pagi-server` with these words. */
  static serve(
    folder: Folder,
    words: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Program {
    return new Program(folder, [MAIN, ...words], environment);
  }

  get stdout(): string {
    return this.#text.stdout;
  }

  get stderr(): string {
    return this.#text.stderr;
  }

  /** Resolves with the first match of what it prints. Fails when it ends without. */
  async prints(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.stdout.match(pattern) ?? this.stderr.match(pattern);
      if (match !== null) return match;
      if (this.#isOver) throw new Error(`it never printed ${pattern}, but: ${this.stdout}${this.stderr}`);
      await this.#news.promise;
    }
  }

  /** Resolves when it prints more. Fails when it has ended. */
  async news(): Promise<void> {
    if (this.#isOver) throw new Error(`it has ended, after: ${this.stdout}${this.stderr}`);
    await this.#news.promise;
  }

  /** Where it listens, once it has printed that. */
  async address(): Promise<{ host: string; port: number; url: string }> {
    const [url] = await this.prints(/http:\/\/[\w.]+:\d+\//);
    const { hostname, port } = new URL(url);
    return { host: hostname, port: Number(port), url };
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, once all its output has been read. */
  async ended(): Promise<number | null> {
    await this.#read;
    return this.#child.exitCode;
  }

  /** The signal that ended it. */
  get signal(): string | undefined {
    const { signalCode } = this.#child;
    return signalCode === null ? undefined : String(signalCode);
  }

  /** Whether it ends in this time, for what must not happen. */
  async exitsWithin(milliseconds: number): Promise<boolean> {
    return await Promise.race([
      this.#child.exited.then(() => true),
      Bun.sleep(milliseconds).then(() => false),
    ]);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#read;
  }

  async #follow(name: "stdout" | "stderr", stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.#text[name] += decoder.decode(bytes, { stream: true });
      this.#tell();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/**
 * An application that tells of its life in the file `marks`, for tests of whole processes. It answers
 * - `/` with `PAGI_ENV` and its process id,
 * - `POST /wait` once the request body is complete, with the mark `busy` when its first bytes have come,
 * - an event stream with the first event `hello`, and the event `bye` when it is told of its end.
 */
export const DIARY = `
import { appendFileSync } from "node:fs";
const mark = (text) => appendFileSync("marks", text + "\\n");
const answer = async (send, body, status = 200) => {
  const headers = [["content-length", String(body.length)]];
  await send({ type: "http.response.start", status, headers });
  await send({ type: "http.response.body", body });
};
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    mark("startup");
    await send({ type: "lifespan.startup.complete" });
    await receive();
    mark("shutdown");
    if (process.env.HANG === "shutdown") await new Promise(() => {});
    await send({ type: "lifespan.shutdown.complete" });
  } else if (scope.type === "sse") {
    await receive();
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "hello" });
    const event = await receive();
    mark("told " + event.reason);
    await send({ type: "sse.send", data: "bye" });
    mark("stream returned");
  } else {
    const { path } = scope;
    if (path === "/throw") throw new Error("thrown in a request");
    if (path === "/reject") void Promise.reject(new Error("rejected behind a request"));
    if (path === "/unawaited") {
      send({ type: "http.response.start", status: 200 });
      send({ type: "http.response.body", body: "part", more: true });
      send({ type: "http.response.body", body: 7 });
      return send({ type: "http.response.body", body: "end" });
    }
    if (path === "/timer") setTimeout(() => { throw new Error("thrown in a timer"); }, 1);
    if (path === "/late") void later(1).then(() => { throw new Error("rejected in a timer"); });
    if (path === "/cut") {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "part", more: true });
      throw new Error("thrown in a response");
    }
    if (path === "/wait") {
      for (let first = true, more = true; more; first = false) {
        const event = await receive();
        if (event.type === "http.disconnect") return mark("lost " + scope["pagi.connection"].disconnectReason());
        if (first) mark("busy");
        more = event.more;
      }
    }
    await answer(send, process.env.PAGI_ENV + " " + process.pid);
  }
};
`;
