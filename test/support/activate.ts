import { dlopen, ptr } from "bun:ffi";
import path from "node:path";
import { cString } from "../../src/system/libc.ts";
import { formatListenAddress, parseListenAddress } from "../../src/options/listen-address.ts";
import { openListeningSocket } from "../../src/listening/listening-socket.ts";

// Does what a service manager does: makes listening sockets, and becomes a Bun program that finds them at descriptor 3
// and above, its process id in LISTEN_PID.
//
//     bun activate.ts NAME=ADDRESS... -- PROGRAM...

/** The first descriptor that is passed, and how far away the sockets are kept until they are moved there. */
const FIRST = 3;
const ASIDE = 100;
const DUPLICATE_FROM = 0; // F_DUPFD

const libc = dlopen("libc.so.6", {
  dup2: { args: ["int", "int"], returns: "int" },
  fcntl: { args: ["int", "int", "int"], returns: "int" },
  execve: { args: ["ptr", "ptr", "ptr"], returns: "int" },
}).symbols;

const words = process.argv.slice(2);
const split = words.indexOf("--");
const names: string[] = [];
const sockets = words.slice(0, split).map((word) => {
  const [, name = "", text = ""] = /^(.*?)=(.*)$/.exec(word) ?? [];
  const address = parseListenAddress(text);
  if (address?.type !== "tcp" && address?.type !== "unix") throw new Error(`no address: ${word}`);
  names.push(name);
  const socket = openListeningSocket(address);
  console.log(`passes ${formatListenAddress(socket.address)}`);
  return libc.fcntl(socket.fd, DUPLICATE_FROM, ASIDE);
});

const program = [process.execPath, ...words.slice(split + 1)];
const environment = {
  ...process.env,
  LISTEN_PID: process.env["ACTIVATE_PID"] ?? String(process.pid),
  LISTEN_FDS: String(sockets.length),
  LISTEN_FDNAMES: names.join(":"),
};
const argumentList = program.map(cString);
const variables = Object.entries(environment).map(([name, value]) => cString(`${name}=${value}`));
const pointers = (texts: readonly Buffer[]) =>
  BigUint64Array.from([...texts.map((text) => BigInt(ptr(text))), 0n]);
const [argv, envp] = [pointers(argumentList), pointers(variables)];
// From here on this program's own descriptors are overwritten.
for (const [i, fd] of sockets.entries()) libc.dup2(fd, FIRST + i);
libc.execve(ptr(cString(path.resolve(process.execPath))), ptr(argv), ptr(envp));
process.exit(1);
