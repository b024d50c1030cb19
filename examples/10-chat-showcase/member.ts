import { randomBytes } from "node:crypto";
import { LIMITS } from "./limits.ts";
import type { Presence, PrivateMessage, ServerMessage } from "./messages.ts";
import type { Room } from "./room.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What carries messages to a member while it is connected. */
export interface Line {
  send(message: ServerMessage): void;
  close(code: number, reason: string): void;
}

/** Somebody in the chat. It outlives its connection for a while, so that a lost one can be taken up again. */
export class Member {
  /** Whoever has it is this member. */
  readonly token = randomBytes(24).toString("base64url");
  readonly rooms = new Set<Room>();
  readonly bucket = new TokenBucket(LIMITS.burst, LIMITS.rate);
  readonly #privates: PrivateMessage[] = [];
  nick: string;
  /** Absent while its connection is gone. */
  line: Line | undefined;
  /** The last request with a number that was done. */
  seq = 0;
  /** Runs while it is away. */
  farewell: Timer | undefined;

  constructor(nick: string, line: Line) {
    this.nick = nick;
    this.line = line;
  }

  get presence(): Presence {
    return { nick: this.nick, isAway: this.line === undefined };
  }

  /** Tells it, if it can hear. */
  tell(message: ServerMessage): void {
    if (message.type === "private") {
      this.#privates.push(message);
      if (this.#privates.length > LIMITS.privateHistory) this.#privates.shift();
    }
    this.line?.send(message);
  }

  privatesAfter(id: number): PrivateMessage[] {
    return this.#privates.filter((message) => message.id > id);
  }
}
