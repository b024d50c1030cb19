import type { ServerOptions } from "../options/resolve.ts";

/**
 * Whether this process logs what all processes of one server would log alike, such as what the application does with its
 * lifespan: the supervisor if it runs one, else the first worker.
 *
 * @param workerNumber 1, 2, ... in a worker; absent in a supervisor and in a process that serves alone.
 */
export function speaksForAll(
  options: Pick<ServerOptions, "workers" | "lifespan" | "supervisorLifespan">,
  workerNumber: number | undefined,
): boolean {
  if (workerNumber === undefined) return true;
  const { workers, lifespan, supervisorLifespan } = options;
  const hasSpoken = workers !== 1 && supervisorLifespan && lifespan !== "off";
  return workerNumber === 1 && !hasSpoken;
}
