/** A part of an open file, ready to be read. */
export interface FileRange {
  /** What to read from: a descriptor, or a Blob that is no file on disk. */
  readonly source: number | Blob;
  /** Whether reads may name a position; pipes and sockets cannot. */
  readonly seekable: boolean;
  /** Where to begin, in bytes. */
  readonly offset: number;
  /** How many bytes to send; `undefined` where only the end of a stream can tell. */
  readonly length: number | undefined;
  /** Closes what the server opened itself; does nothing to what belongs to the application. */
  close(): void;
}
