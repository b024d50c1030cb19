import { z } from "zod";
import { LIMITS } from "./limits.ts";

// Letters and digits of any script, so that everybody can have their own name; nothing that cannot be seen, reorders the
// text around it, or has to be quoted in a command.

const FIRST = "[[\\p{L}\\p{N}]--\\p{Default_Ignorable_Code_Point}]";
const OTHER = "[[\\p{L}\\p{M}\\p{N}_\\-]--\\p{Default_Ignorable_Code_Point}]";

/** Letters of these look the same, as the a of Latin and of Cyrillic. */
const LOOKALIKES = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u];

/** Names that are taken for others, or that cover the lines around them with accents upon accents. */
function isPlain(name: string): boolean {
  return LOOKALIKES.filter((script) => script.test(name)).length < 2 && !/\p{M}{4}/u.test(name);
}
const NOT_PLAIN = "Use letters of one script, with at most three accents on one.";

/** A nickname, in one spelling of its letters. */
export const Nick = z
  .string()
  .max(10 * LIMITS.nick)
  .transform((given) => given.trim().normalize("NFKC"))
  .pipe(
    z
      .string()
      .regex(
        new RegExp(`^${FIRST}${OTHER}{1,${LIMITS.nick - 1}}$`, "v"),
        `A nickname has 2 to ${LIMITS.nick} letters, digits, "_" and "-", and begins with a letter or digit.`,
      )
      .refine(isPlain, NOT_PLAIN),
  );

/** The name of a room: in small letters, so that there is only one of them. A "#" before it is left out. */
export const RoomName = z
  .string()
  .max(10 * LIMITS.room)
  .transform((given) => given.trim().replace(/^#/, "").normalize("NFKC").toLowerCase())
  .pipe(
    z
      .string()
      .regex(
        new RegExp(`^${FIRST}${OTHER}{1,${LIMITS.room - 1}}$`, "v"),
        `The name of a room has 2 to ${LIMITS.room} letters, digits, "_" and "-", and begins with a letter or digit.`,
      )
      .refine(isPlain, NOT_PLAIN),
  );

/** Two nicknames with the same key are the same to a reader. */
export function keyOf(nick: string): string {
  return nick.normalize("NFKC").toLowerCase();
}
