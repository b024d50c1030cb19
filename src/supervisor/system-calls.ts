import { dlopen, ptr, read } from "bun:ffi";

// What neither Bun nor node:process can do. Linux only, as the whole of worker processes.

/** From <linux/prctl.h>, <fcntl.h> and <signal.h>. */
const PR_SET_PDEATHSIG = 1;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const SIGKILL = 9;
const SIG_IGN = 1n;

const load = () =>
  dlopen("libc.so.6", {
    prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
    fcntl: { args: ["int", "int", "int"], returns: "int" },
    dup2: { args: ["int", "int"], returns: "int" },
    signal: { args: ["int", "u64"], returns: "u64" },
    execve: { args: ["ptr", "ptr", "ptr"], returns: "int" },
    __errno_location: { args: [], returns: "ptr" },
  }).symbols;

let loaded: ReturnType<typeof load> | undefined;
const libc = (): ReturnType<typeof load> => (loaded ??= load());

/** Lets the kernel kill this process as soon as its parent is gone, however that ends. Cleared by setuid and exec. */
export function dieWithParent(): void {
  check("prctl", libc().prctl(PR_SET_PDEATHSIG, BigInt(SIGKILL), 0n, 0n, 0n));
}

/** Lets a descriptor outlive {@link execute}. */
export function keepOverExec(fd: number): void {
  check("fcntl", libc().fcntl(fd, F_SETFD, 0));
}

/** Makes `target` another descriptor of what `source` is. */
export function redirect(source: number, target: number): void {
  check("dup2", libc().dup2(source, target));
}

/** A second descriptor for the same open file, closed when another program is executed. */
export function duplicate(fd: number): number {
  return check("fcntl", libc().fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/** Ignores a signal, over {@link execute} too, until a handler is set. */
export function ignoreSignal(number: number): void {
  libc().signal(number, SIG_IGN);
}

/**
 * Replaces this program by another one, which keeps the process id. Returns only by throwing.
 *
 * @param words the program's file, and its arguments.
 */
export function execute(words: readonly string[], environment: Readonly<Record<string, string>>): never {
  const file = zeroEnded(words[0] ?? "");
  const argv = pointers(words);
  const env = pointers(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  libc().execve(ptr(file), ptr(argv.list), ptr(env.list));
  throw failure("execve");
}

function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** A list of texts as C has it. The texts are returned too, for they must not be collected before they are used. */
function pointers(texts: readonly string[]): { list: BigUint64Array; texts: Buffer[] } {
  const buffers = texts.map(zeroEnded);
  const list = new BigUint64Array(buffers.length + 1);
  for (const [at, buffer] of buffers.entries()) list[at] = BigInt(ptr(buffer));
  return { list, texts: buffers };
}

function check(call: string, result: number): number {
  if (result < 0) throw failure(call);
  return result;
}

function failure(call: string): Error {
  const at = libc().__errno_location();
  return new Error(`${call} failed with error ${at === null ? "unknown" : read.i32(at)}`);
}
