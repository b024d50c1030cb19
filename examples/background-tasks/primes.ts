/**
 * Counts the primes below a number in a thread of its own. A calculation in the thread of the server would hold up every
 * other request: only waiting is asynchronous, calculating is not.
 *
 * A thread takes milliseconds to start. Who has many small calculations keeps some threads and gives them one after the
 * other.
 *
 * @throws the reason of the signal when that is aborted; the thread is then ended, wherever it is.
 */
export async function countPrimes(below: number, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./primes-worker.ts", import.meta.url));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(below);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    worker.terminate();
  }
}
