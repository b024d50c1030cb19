import { Socket, type AddressInfo } from "node:net";

import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import { addTlsMembers } from "./tls-members.ts";

/**
 * `request.socket` as listeners and middleware use it: a `net.Socket` without a descriptor that describes the client's
 * connection from the scope. `RequestConnection` moves the bytes.
 *
 * Timeouts work as on any socket, for each request separately. Options of the kernel's socket (`setNoDelay`,
 * `setKeepAlive`) belong to the server; setting them here has no effect.
 */
export class RequestSocket extends Socket {
  readonly scope: HttpScope | SseScope;
  /** True for `https`, which frameworks look at; assignable, as on a socket of `node:net`. */
  declare encrypted: boolean | undefined;
  /** Starts the time of `setTimeout` again; in Node.js and in Bun, though not in their types. */
  declare _unrefTimer: () => void;
  /** Bytes that the listener was given, and those that it wrote; on the prototype until there are any. */
  declare protected taken: number;
  declare protected given: number;

  // The types of `node:net` have properties here, which a class cannot override by accessors.
  static {
    Object.assign(this.prototype, { taken: 0, given: 0 });
    Object.defineProperties(this.prototype, {
      remoteAddress: assignable("remoteAddress", (socket) => socket.scope.client?.[0]),
      remotePort: assignable("remotePort", (socket) => socket.scope.client?.[1]),
      remoteFamily: assignable("remoteFamily", (socket) => familyOf(socket.remoteAddress)),
      localAddress: assignable("localAddress", ({ scope: { server } }) =>
        server?.[1] === null ? undefined : server?.[0],
      ),
      localPort: assignable("localPort", (socket) => socket.scope.server?.[1] ?? undefined),
      localFamily: assignable("localFamily", (socket) => familyOf(socket.localAddress)),
      // A socket without a descriptor would pass for one that is still connecting.
      pending: answering(() => false),
      bufferSize: answering((socket) => socket.writableLength),
      bytesRead: answering((socket) => socket.taken),
      // With the bytes that still wait, as in Node.js.
      bytesWritten: answering((socket) => socket.given + socket.writableLength),
    });
  }

  constructor(scope: HttpScope | SseScope) {
    super({ allowHalfOpen: true });
    this.scope = scope;
    if (scope.scheme === "https") this.encrypted = true;
    const tls = scope.extensions?.tls;
    if (tls !== undefined) addTlsMembers(this, tls);
  }

  /** Empty on a Unix socket. */
  override address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    if (address === undefined || port === undefined || family === undefined) return {};
    return { address, port, family };
  }
  override ref(): this {
    return this;
  }
  override unref(): this {
    return this;
  }
  /** There is no descriptor to reset; the server cuts the connection, as for `destroy()`. */
  override resetAndDestroy(): this {
    return this.destroy();
  }

  /** Bytes have come for the listener: its request's head or body. */
  protected countRead(bytes: number): void {
    this.taken += bytes;
    this._unrefTimer();
  }
  /** Bytes of the response have been taken. */
  protected countWritten(bytes: number): void {
    this.given += bytes;
    this._unrefTimer();
  }
}

/** An accessor. `node:net` assigns to some of them in its constructor; that has no effect. */
function answering(get: (socket: RequestSocket) => unknown): PropertyDescriptor & ThisType<RequestSocket> {
  return {
    configurable: true,
    get() {
      return get(this);
    },
    set() {},
  };
}

/** An accessor that middleware may replace by a value, as it may on Bun's own sockets. */
function assignable(
  name: string,
  get: (socket: RequestSocket) => unknown,
): PropertyDescriptor & ThisType<RequestSocket> {
  return {
    ...answering(get),
    set(value: unknown) {
      Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
    },
  };
}

function familyOf(address: string | undefined): "IPv4" | "IPv6" | undefined {
  if (address === undefined) return undefined;
  return address.includes(":") ? "IPv6" : "IPv4";
}
