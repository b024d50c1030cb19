/** The first descriptor after the standard ones: where a process that is started once more finds its sockets. */
export const FIRST_DESCRIPTOR = 3;

/** A listening socket that one program hands to the next. */
export interface InheritedSocket {
  readonly fd: number;
  /** The address that was asked for, as `--listen` has it; what was asked for again finds its socket by it. */
  readonly asked: string;
  /** The worker slot that it belongs to; 0 is none, or all of them. */
  readonly slot: number;
  /**
   * The `id` of the file of a Unix socket that the server has made, and so is to remove in the end or to create again; it
   * may be missing, or replaced by somebody else's. Empty for none.
   */
  readonly fileId: string;
  /** Whether it is the socket for the metrics. Default false. */
  readonly isForMetrics?: boolean;
}

/** Reads a list of sockets; entries that do not describe one are left out. */
export function inheritedSockets(value: unknown): InheritedSocket[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isInheritedSocket);
}

function isInheritedSocket(value: unknown): value is InheritedSocket {
  if (typeof value !== "object" || value === null) return false;
  const { fd, asked, slot, fileId } = { fd: 0, asked: 0, slot: 0, fileId: 0, ...value };
  return (
    typeof fd === "number" &&
    typeof asked === "string" &&
    typeof slot === "number" &&
    typeof fileId === "string"
  );
}
