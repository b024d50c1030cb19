import { createHash, timingSafeEqual } from "node:crypto";

/** Whether two secrets are the same, in a time that does not tell how much of them is. */
export function areSameSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

// Digests are of one length, whatever the secrets are.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
