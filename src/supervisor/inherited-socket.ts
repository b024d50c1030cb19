/** A listening socket that one program hands to the next. */
export interface InheritedSocket {
  readonly fd: number;
  /** The address that was asked for, as `--listen` has it; what was asked for again finds its socket by it. */
  readonly asked: string;
  /** The worker slot that it belongs to; 0 is none, or all of them. */
  readonly slot: number;
  /** Whether the server has made the file of a Unix socket, and so is to remove it in the end. */
  readonly ownsFile: boolean;
  /** Whether it is the socket for the metrics. Default false. */
  readonly isForMetrics?: boolean;
}

/** Reads a list of sockets; what is no description of one is left out. */
export function inheritedSockets(value: unknown): InheritedSocket[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isInheritedSocket);
}

function isInheritedSocket(value: unknown): value is InheritedSocket {
  if (typeof value !== "object" || value === null) return false;
  const { fd, asked, slot, ownsFile } = { fd: 0, asked: 0, slot: 0, ownsFile: 0, ...value };
  return (
    typeof fd === "number" &&
    typeof asked === "string" &&
    typeof slot === "number" &&
    typeof ownsFile === "boolean"
  );
}
