import type { Socket } from "bun";

import type { ConnectionInfo } from "../../exchange/transport.ts";
import type { TlsExtension } from "../../spec/scope.ts";
import { CLOSING } from "./closing.ts";
import type { Closing, ClosingAction, ClosingEvent } from "./closing.ts";
import { WriteBuffer } from "./write-buffer.ts";
import type { OutputOwner } from "./write-buffer.ts";
import type { Deadline } from "./timer-wheel.ts";
import type { ServerContext } from "./shared.ts";

/** A protocol on a connection: it gets the bytes and the news, and writes to the connection's output. */
export interface Protocol {
  /** Method and path of the running request, if there is one. From the client, not escaped. */
  readonly request: string | undefined;
  onData(bytes: Buffer): void;
  /** The client sends no more (FIN); it may still read. */
  onEnd(): void;
  /** The kernel took bytes of the output. */
  onWritable(): void;
  /** The turn of the event loop in which `atTurnEnd` was called is over. */
  onTurnEnd(): void;
  /** The connection is gone; `error` is what the kernel said, if the client has not ended it with a FIN. */
  onClose(error: Error | undefined): void;
  /** The deadline set by `connection.deadline` has passed. */
  onDeadline(): void;
  /** The server shuts down: finish what runs, begin nothing. */
  onShutDown(): void;
  /** The client is no longer waited for, or the server no longer waits. The connection is reset right after. */
  onLost(reason: "write_timeout" | "server_shutdown"): void;
}

/** What the connections of a listener have in common. */
export interface ListenerInfo {
  readonly server: ConnectionInfo["server"];
  /** Says what the `tls` extension tells of a connection; absent where connections are plain. */
  readonly describeTls: ((socket: Socket<Connection>) => TlsExtension) | undefined;
}

/**
 * One socket: its bytes in and out, its two deadlines and its ways to close. It knows no HTTP. There may be tens of
 * thousands, most of them idle, so what only a busy one needs is made when it is needed.
 */
export class Connection implements ConnectionInfo, OutputOwner {
  readonly context: ServerContext;
  readonly output: WriteBuffer;
  /** What the protocol waits for from the client; each phase sets its own time. */
  readonly deadline: Deadline;
  readonly #socket: Socket<Connection>;
  readonly #listener: ListenerInfo;
  #client: ConnectionInfo["client"];
  #tls: TlsExtension | undefined;
  /** The write timeout, and what had been taken when it was set; only a connection that was once blocked has one. */
  #stall: { readonly deadline: Deadline; taken: number } | undefined;
  #protocol: Protocol | undefined;
  #state: Closing = "open";
  #paused = false;
  /** The client has sent its FIN. */
  #isHalfClosed = false;

  constructor(socket: Socket<Connection>, listener: ListenerInfo, context: ServerContext) {
    this.#socket = socket;
    this.#listener = listener;
    this.context = context;
    this.output = new WriteBuffer(socket, this);
    this.deadline = context.wheel.deadline(this);
  }

  get secure(): boolean {
    return this.#listener.describeTls !== undefined;
  }

  /** Made at the first request, and then the same for all of them. */
  get tls(): TlsExtension | undefined {
    return (this.#tls ??= this.#listener.describeTls?.(this.#socket));
  }

  /**
   * Asked of the kernel once, for it is a system call, and a closed socket has no address any more. One that was reset
   * before it was asked is `-`, as logs write what they do not know.
   */
  get client(): ConnectionInfo["client"] {
    if (this.#listener.server[1] === null) return undefined;
    if (this.#client !== undefined) return this.#client;
    // The types say that they are always there.
    const { remoteAddress, remotePort }: { remoteAddress?: string; remotePort?: number } = this.#socket;
    return (this.#client = [plainAddress(remoteAddress ?? "-"), remotePort ?? 0]);
  }

  get server(): ConnectionInfo["server"] {
    return this.#listener.server;
  }

  /** Waits for its TLS handshake, after which it is started. */
  awaitHandshake(milliseconds: number): void {
    this.deadline.set(milliseconds);
  }

  /** Hands the connection to a protocol. */
  start(protocol: Protocol): void {
    this.#protocol = protocol;
  }

  /** The client has ended its direction. */
  get isHalfClosed(): boolean {
    return this.#isHalfClosed;
  }

  /** Nothing is read now. */
  get isPaused(): boolean {
    return this.#paused;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Stops reading, so that TCP slows the client down; a FIN is not noticed meanwhile. */
  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Closes once what is queued has left. For when the client has nothing more to say. */
  closeWhenFlushed(): void {
    this.#on("close when flushed");
  }

  /** Closes once what is queued has left, and reads and drops what the client still sends. */
  lingeringClose(): void {
    if (this.#state === "open") this.resume();
    this.#on(this.#isHalfClosed ? "close when flushed" : "lingering close");
  }

  /** Closes now; what is queued is lost. The client sees a reset. */
  reset(): void {
    if (this.#state === "closed") return;
    this.output.close();
    this.#socket.terminate();
  }

  /** Closes now; what is queued is lost, what the kernel has is delivered, and then the client sees an end. */
  close(): void {
    if (this.#state === "closed") return;
    this.output.close();
    this.#socket.end();
  }

  // ── what the socket tells ──────────────────────────────────────────────────────────────────────────────────────

  onData(bytes: Buffer): void {
    if (this.#state === "open") this.#protocol?.onData(bytes);
  }

  onEnd(): void {
    this.#isHalfClosed = true;
    if (this.#on("fin") !== "tell") return;
    if (this.#protocol === undefined) this.close();
    else this.#protocol.onEnd();
  }

  onSocketWritable(): void {
    this.output.resume();
    if (this.output.isBlocked) this.#armWriteDeadline();
    else this.#stall?.deadline.clear();
    this.#protocol?.onWritable();
    this.#onFlushed();
  }

  onSocketClose(error: Error | undefined): void {
    if (this.#state === "closed") return;
    this.#on("gone");
    this.deadline.clear();
    this.#stall?.deadline.clear();
    this.#protocol?.onClose(this.#isHalfClosed || isResetAfterFin(error) ? undefined : error);
    this.output.close();
  }

  // ── what the output, the deadline and the event loop tell ────────────────────────────────────────────────────────────────────

  /** What the kernel left has to move within the write timeout. */
  onBlocked(): void {
    if (this.#stall?.deadline.armed !== true) this.#armWriteDeadline();
  }

  onDeadline(): void {
    if (this.#on("deadline") !== "tell") return;
    if (this.#protocol === undefined) this.close();
    else this.#protocol.onDeadline();
  }

  onHeld(): void {
    this.atTurnEnd();
  }

  /** Calls the protocol back when the turn is over. */
  atTurnEnd(): void {
    this.context.turnEnd.add(this);
  }

  onTurnEnd(): void {
    if (this.#state === "closed") return;
    this.#protocol?.onTurnEnd();
    this.output.release();
    this.#protocol?.onWritable();
    this.#onFlushed();
  }

  // ── what the server tells ──────────────────────────────────────────────────────────────────────────────────────

  /** The server shuts down. */
  shutDown(): void {
    if (this.#state !== "open") return;
    if (this.#protocol === undefined) this.close();
    else this.#protocol.onShutDown();
  }

  /** Method and path of the running request, if there is one. From the client, not escaped. */
  get request(): string | undefined {
    return this.#protocol?.request;
  }

  /** The server waits no longer. */
  resetByServer(): void {
    if (this.#state !== "closed") this.#protocol?.onLost("server_shutdown");
    this.reset();
  }

  // ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes the step that the table has for an event, and what is to be done with it. */
  #on(event: ClosingEvent): ClosingAction | undefined {
    const step = CLOSING[this.#state][event];
    if (step === undefined) return undefined;
    this.#state = step.to;
    switch (step.action) {
      case "flush":
        this.deadline.clear();
        this.#onFlushed();
        break;
      case "fin":
        this.#socket.shutdown();
        if (this.context.times.linger === 0) this.close();
        else this.deadline.set(this.context.times.linger);
        break;
      case "close":
        this.close();
        break;
      case "tell":
      case undefined:
    }
    return step.action;
  }

  #onFlushed(): void {
    if (this.#state !== "open" && this.output.size === 0) this.#on("flushed");
  }

  #armWriteDeadline(): void {
    const { wheel, times } = this.context;
    this.#stall ??= { deadline: wheel.deadline(() => this.#onWriteDeadline()), taken: 0 };
    this.#stall.taken = this.output.taken;
    this.#stall.deadline.set(times.write);
  }

  #onWriteDeadline(): void {
    if (this.#stall !== undefined && this.output.taken > this.#stall.taken) {
      this.#armWriteDeadline();
      return;
    }
    this.#protocol?.onLost("write_timeout");
    this.reset();
  }
}

/**
 * Whether a reset answers bytes that were sent after the client's FIN, which makes it an orderly end: Linux reports it as
 * EPIPE, and any other reset as ECONNRESET. The FIN itself is not reported while reading is paused.
 */
function isResetAfterFin(error: Error | undefined): boolean {
  return error !== undefined && "code" in error && error.code === "EPIPE";
}

/** An IPv4 address that a socket for both families shows as an IPv6 one (RFC 4291 section 2.5.5.2). */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
