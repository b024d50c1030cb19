import { Server } from "node:http";
import { Duplex } from "node:stream";
import { Socket } from "node:net";

import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import { RequestSocket } from "./socket.ts";
import { addTlsMembers } from "./tls-members.ts";

/** What a stream hands to `_writev`. */
export interface Written {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding;
}

/** What the socket of an exchange needs of it. */
export interface SocketOwner {
  /** Bytes of the request's head, as HTTP/1.1 has it. */
  readonly headLength: number;
  /** The socket has become a stream. */
  onAwake(): void;
  onSocketDestroyed(): void;
  /** Text of a response that was written to the socket itself. Calls back when more may come. */
  takeRaw(chunks: readonly Written[], callback: () => void): void;
  endRaw(callback: () => void): void;
}

/**
 * `request.socket` of an exchange without a connection. Most handlers only ask for the address, so it is an ordinary
 * object first ({@link ExchangeSocket.make}): it becomes a stream, with all of its state, when somebody uses it as one.
 */
export class ExchangeSocket extends RequestSocket {
  declare owner: SocketOwner;
  declare isAwake: boolean;
  declare _httpMessage: unknown;

  /** @param handle the key under which Bun looks for the owner. */
  static make(scope: HttpScope | SseScope, owner: SocketOwner, handle: symbol): ExchangeSocket {
    if (!Object.hasOwn(Asleep.prototype, handle)) answerFor(handle);
    const asleep = new Sleeper(scope, owner);
    const tls = scope.extensions?.tls;
    if (tls !== undefined) addTlsMembers(asleep, tls);
    return asleep;
  }

  /** The listener was given so many bytes of the request's body. */
  countBody(bytes: number): void {
    this.taken += bytes;
  }

  /** The listener has written so many bytes: the time of `setTimeout` starts again. */
  touch(given: number): void {
    this.given += given;
    if (this.isAwake) this._unrefTimer();
  }

  override _read(): void {}
  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: () => void): void {
    this.owner.takeRaw([{ chunk, encoding }], callback);
  }
  override _writev(chunks: readonly Written[], callback: () => void): void {
    this.owner.takeRaw(chunks, callback);
  }
  override _final(callback: () => void): void {
    this.owner.endRaw(callback);
  }
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.owner.onSocketDestroyed();
    super._destroy(error, callback);
  }
}

/** Makes a socket without the work of its constructors. */
class Asleep {
  readonly scope: HttpScope | SseScope;
  readonly owner: SocketOwner;
  readonly _httpMessage: unknown = null;

  constructor(scope: HttpScope | SseScope, owner: SocketOwner) {
    this.scope = scope;
    this.owner = owner;
  }
}
Object.setPrototypeOf(Asleep.prototype, ExchangeSocket.prototype);
/** The same with the members that its prototypes give it, which TypeScript does not see. */
const Sleeper: new (scope: HttpScope | SseScope, owner: SocketOwner) => ExchangeSocket = Asleep as never;

function answerFor(handle: symbol): void {
  Object.defineProperty(Asleep.prototype, handle, {
    configurable: true,
    get(this: ExchangeSocket): SocketOwner {
      return this.owner;
    },
    set() {},
  });
}

/** A server for those who ask a socket for it. It never listens. */
let neverListening: Server | undefined;

const answers = new Map<string, unknown>([
  ["readable", true],
  ["writable", true],
  ["destroyed", false],
  ["readableHighWaterMark", 65536],
  ["writableHighWaterMark", 65536],
]);
for (const [name, asleep] of answers) {
  const inherited = descriptorOf(Duplex.prototype, name);
  Object.defineProperty(Asleep.prototype, name, {
    configurable: true,
    get(this: ExchangeSocket): unknown {
      return this.isAwake ? inherited?.get?.call(this) : asleep;
    },
    set(this: ExchangeSocket, value: unknown) {
      wake(this);
      inherited?.set?.call(this, value);
    },
  });
}
/** What Bun calls on the way of every request. */
for (const name of ["resume", "pause", "_unrefTimer"] as const) {
  Object.defineProperty(Asleep.prototype, name, {
    configurable: true,
    writable: true,
    value(this: ExchangeSocket): unknown {
      return this.isAwake ? Reflect.apply(RequestSocket.prototype[name], this, []) : this;
    },
  });
}
Object.defineProperties(Asleep.prototype, {
  isAwake: { value: false, writable: true, configurable: true },
  encrypted: {
    configurable: true,
    get(this: ExchangeSocket): true | undefined {
      return this.scope.scheme === "https" ? true : undefined;
    },
    set: replaceBy("encrypted"),
  },
  server: {
    configurable: true,
    get: () => (neverListening ??= new Server()),
    set: replaceBy("server"),
  },
  bytesRead: {
    configurable: true,
    get(this: ExchangeSocket): number {
      return this.owner.headLength + this.taken;
    },
    set() {},
  },
});

const ANSWERED = ["encrypted", "server", "bytesRead"];

/** What the constructors of a socket make: code that reads one of these uses the socket as a stream. */
const STATE = Reflect.ownKeys(new Socket({ allowHalfOpen: true })).filter(
  (key) => !Object.hasOwn(Asleep.prototype, key),
);
for (const key of STATE) {
  Object.defineProperty(Asleep.prototype, key, {
    configurable: true,
    get(this: ExchangeSocket): unknown {
      // EventEmitter compares `_events` with that of the prototype, to see that it is nobody's yet.
      if (this === Asleep.prototype) return undefined;
      wake(this);
      return Reflect.get(this, key);
    },
    set(this: ExchangeSocket, value: unknown) {
      wake(this);
      Reflect.set(this, key, value);
    },
  });
}

/** Runs the constructors that were left out. What was assigned before stays. */
function wake(socket: ExchangeSocket): void {
  const assigned = Object.getOwnPropertyDescriptors(socket);
  for (const key of STATE)
    Object.defineProperty(socket, key, {
      value: undefined,
      writable: true,
      configurable: true,
      enumerable: true,
    });
  socket.isAwake = true;
  // In Bun and in Node.js a function, which the types do not say.
  Reflect.apply(Socket, socket, [{ allowHalfOpen: true }]);
  // Those that are answered for have been assigned undefined.
  for (const name of ANSWERED) Reflect.deleteProperty(socket, name);
  Object.defineProperties(socket, assigned);
  socket.owner.onAwake();
}

function replaceBy(name: string): (this: object, value: unknown) => void {
  return function (value) {
    Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
  };
}

function descriptorOf(from: object | null, name: string): PropertyDescriptor | undefined {
  for (let at = from; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
