import { OptionError } from "../errors.ts";
import { cString, libc, ptr, read } from "./libc.ts";

/** Offsets in `struct passwd` and `struct group` of a 64-bit Linux. */
const USER_ID = 16;
const GROUP_ID = 16;

/**
 * The number of a user, given by name or number, wherever the system looks names up.
 *
 * @param option how its user wrote the option, for the message.
 * @throws OptionError for a name that the system does not know.
 */
export function userId(user: string, option: string): number {
  if (/^\d{1,9}$/.test(user)) return Number(user);
  const entry = libc().getpwnam(ptr(cString(user)));
  if (entry === null)
    throw new OptionError(option, `there is no user ${JSON.stringify(user)} on this machine.`);
  return read.u32(entry, USER_ID);
}

/** The number of a group; see {@link userId}. @throws OptionError */
export function groupId(group: string, option: string): number {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const entry = libc().getgrnam(ptr(cString(group)));
  if (entry === null)
    throw new OptionError(option, `there is no group ${JSON.stringify(group)} on this machine.`);
  return read.u32(entry, GROUP_ID);
}
