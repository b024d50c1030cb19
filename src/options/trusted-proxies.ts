import { BlockList, isIP } from "node:net";

import { OptionError } from "../errors.ts";

/** The proxies whose word is taken. */
export interface TrustedProxies {
  /** `address` is a plain IP address; undefined is the other end of a Unix socket. */
  trusts(address: string | undefined): boolean;
}

/** Addresses whose answer is kept, for they come with every request. When there are more, all are forgotten. */
const MOST_ADDRESSES = 1024;

const EVERYBODY = "*";
const UNIX = "unix";

/**
 * Reads a list such as `127.0.0.1, 10.0.0.0/8, fd00::/8, unix`.
 *
 * @param name how the user wrote the option, for messages.
 * @throws OptionError for a member that is none of an address, a network, `unix` and `*`, and for a list of nothing.
 */
export function parseTrustedProxies(list: string, name = "forwardedAllowIps"): TrustedProxies {
  const members = list
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0)
    throw new OptionError(
      name,
      "names nobody. Give the addresses of the proxies, or leave --proxy-headers out.",
    );
  const networks = new BlockList();
  for (const member of members) if (member !== EVERYBODY && member !== UNIX) add(networks, member, name);
  if (members.includes(EVERYBODY)) return { trusts: () => true };
  const trustsUnix = members.includes(UNIX);
  const answers = new Map<string, boolean>();
  return {
    trusts(address) {
      if (address === undefined) return trustsUnix;
      let answer = answers.get(address);
      if (answer === undefined) {
        const zone = address.indexOf("%");
        const plain = zone === -1 ? address : address.slice(0, zone);
        answer = networks.check(plain, plain.includes(":") ? "ipv6" : "ipv4");
        if (answers.size === MOST_ADDRESSES) answers.clear();
        answers.set(address, answer);
      }
      return answer;
    },
  };
}

function add(networks: BlockList, member: string, name: string): void {
  const [, address = member, digits] = /^([^/]*)\/(\d{1,3})$/.exec(member) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes("%"))
    throw new OptionError(
      name,
      `must be a list of IP addresses, networks such as 10.0.0.0/8, unix and *, but ${JSON.stringify(member)} is none of these.`,
    );
  const widest = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? widest : Number(digits);
  if (prefix > widest)
    throw new OptionError(
      name,
      `has the network ${member}, but a prefix of IPv${version} has ${widest} bits at most.`,
    );
  networks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
}
