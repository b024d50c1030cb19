import { dlopen, ptr } from "bun:ffi";
import { AF, checked, libc, SOCK, unixAddress } from "../../src/system/libc.ts";
import { eventually } from "./wire.ts";

const { recv } = dlopen("libc.so.6", {
  recv: { args: ["int", "ptr", "u64", "int"], returns: "i64" },
}).symbols;

/** The receiving end of sd_notify(3): a Unix datagram socket. A path that begins with NUL is an abstract name. */
export class DatagramSocket implements Disposable {
  readonly received: string[] = [];
  readonly #fd: number;

  constructor(path: string) {
    const address = unixAddress(path);
    this.#fd = checked(libc().socket(AF.unix, SOCK.datagram | SOCK.nonblock | SOCK.cloexec, 0), "socket");
    checked(libc().bind(this.#fd, ptr(address), address.length), "bind");
  }

  /** Waits until a datagram matches. */
  async receives(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await eventually(`a datagram like ${pattern}`, () => {
      const bytes = Buffer.alloc(4096);
      for (let size = 1; size > 0;) {
        size = Number(recv(this.#fd, ptr(bytes), bytes.length, 0));
        if (size > 0) this.received.push(bytes.toString("utf8", 0, size));
      }
      found = this.received.find((text) => pattern.test(text));
      return found !== undefined;
    });
    return found ?? "";
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}
