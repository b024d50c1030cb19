import { checked, cString, libc, ptr } from "./libc.ts";

/** From <linux/prctl.h> and <signal.h>. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9n;
const SIG_IGN = 1n;

/**
 * Lets the kernel kill this process as soon as its parent is gone, however that ends. A change of the user and the
 * execution of another program end it.
 *
 * @throws SystemError
 */
export function dieWithParent(): void {
  checked(libc().prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n), "prctl");
}

/** Ignores a signal, over {@link execute} too, until a handler is set. */
export function ignoreSignal(number: number): void {
  libc().signal(number, SIG_IGN);
}

/**
 * Replaces this program by another one, which keeps the process id. It returns only by throwing.
 *
 * @param words the name that the program is called by, and its arguments.
 * @throws SystemError
 */
export function execute(
  file: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): never {
  const path = cString(file);
  const argv = listOf(words);
  const variables = listOf(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  checked(libc().execve(ptr(path), ptr(argv.addresses), ptr(variables.addresses)), "execve");
  throw new Error(`execve returned for ${argv.texts.length} words`);
}

/** A list of texts as C has it. The texts come with it, for they must not be collected before they are used. */
function listOf(words: readonly string[]): { addresses: BigUint64Array; texts: readonly Buffer[] } {
  const texts = words.map(cString);
  const addresses = new BigUint64Array(texts.length + 1);
  for (const [at, text] of texts.entries()) addresses[at] = BigInt(ptr(text));
  return { addresses, texts };
}
