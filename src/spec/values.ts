import type { FileHandle } from "node:fs/promises";

/**
 * A string whose every char stands for one byte, U+0000 to U+00FF, as in the Fetch standard. Header names and
 * values, `raw_path` and `query_string` are byte strings: the server neither decodes nor re-encodes them.
 */
export type ByteString = string;

/** A header or trailer field: `[name, value]`, the name in lower case. Source: PAGI Www, "Headers Format". */
export type HeaderPair = [name: ByteString, value: ByteString];

/** A list of fields in wire order, duplicates kept. */
export type Headers = HeaderPair[];

/** A flag of an event that is sent. The server itself emits `boolean`. */
export type Flag = boolean | 0 | 1;

/** An optional field of an event that is sent: absent, `undefined` and `null` all mean Perl's `undef`. */
export type Maybe<T> = T | null | undefined;

/** An open file that stays the application's own: the server reads it and never closes it. */
export type FileSource = FileHandle | Blob | number;
