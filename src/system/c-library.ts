import { dlopen } from "bun:ffi";
import type { FFIFunction, Library } from "bun:ffi";

/** Both names of the library: glibc's, and musl's. */
const LIBRARIES = ["libc.so.6", "libc.so"] as const;

/**
 * Loads functions of the C library. Each costs some 50 µs, so a start loads only those that it calls.
 *
 * @throws Error where this is not a Linux system.
 */
export function loadFunctions<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] {
  let cause: unknown = new Error(`no Linux, but ${process.platform}`);
  for (const name of process.platform === "linux" ? LIBRARIES : []) {
    try {
      return dlopen(name, functions).symbols;
    } catch (error) {
      cause = error;
    }
  }
  throw new Error("This needs the C library of a Linux system, which cannot be loaded.", { cause });
}
