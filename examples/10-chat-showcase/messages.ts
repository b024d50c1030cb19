import { z } from "zod";
import { LIMITS } from "./limits.ts";
import { Nick, RoomName } from "./names.ts";

// What goes over the WebSocket, as JSON.

/** Text for people: without control characters, and not empty. */
const Text = z
  .string()
  .max(LIMITS.text, `A message has at most ${LIMITS.text} characters.`)
  .transform((given) =>
    given
      .toWellFormed()
      .replace(/[^\P{Cc}\n\t]/gu, "")
      .trim(),
  )
  .pipe(z.string().min(1, "The message is empty."));

/**
 * Counts what a client has sent, so that it can send again what may not have arrived: the server does nothing twice.
 */
const Seq = z.int().min(1);

/** The first message of a client: who it is, or was. */
export const Hello = z.object({
  type: z.literal("hello"),
  nick: Nick,
  /** What `welcome` gave to this client before its connection was lost. */
  token: z.string().max(100).optional(),
  /** The id of the last message that it has seen. */
  last: z.int().min(0).default(0),
});
export type Hello = z.infer<typeof Hello>;

/** Everything that a client can ask for after that. */
export const Request = z.discriminatedUnion("type", [
  z.object({ type: z.literal("say"), room: RoomName, text: Text, seq: Seq }),
  z.object({ type: z.literal("private"), to: Nick, text: Text, seq: Seq }),
  z.object({ type: z.literal("join"), room: RoomName }),
  z.object({ type: z.literal("leave"), room: RoomName }),
  z.object({ type: z.literal("nick"), nick: Nick }),
  z.object({ type: z.literal("typing"), room: RoomName, typing: z.boolean() }),
  z.object({ type: z.literal("ping") }),
]);
export type Request = z.infer<typeof Request>;

/** What was said in a room. */
export interface Message {
  readonly type: "message";
  readonly id: number;
  readonly room: string;
  /** `action` is what `/me` makes. */
  readonly kind: "text" | "action";
  readonly from: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What one member said to another. Both get it. */
export interface PrivateMessage {
  readonly type: "private";
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly at: number;
}

export interface Presence {
  readonly nick: string;
  /** Its connection is gone, and it may come back. */
  readonly isAway: boolean;
}

/** A room as one that comes in sees it. */
export interface RoomView {
  readonly name: string;
  readonly members: readonly Presence[];
  readonly messages: readonly Message[];
}

export interface RoomSummary {
  readonly name: string;
  readonly members: number;
}

export type Change =
  | { readonly kind: "joined" | "left" | "away" | "back"; readonly nick: string }
  | { readonly kind: "renamed"; readonly was: string; readonly nick: string };

/** Everything that the server tells a client. */
export type ServerMessage =
  | Message
  | PrivateMessage
  | {
      type: "welcome";
      token: string;
      nick: string;
      /** Whether the server has known the client: if so, messages are those that it has missed. */
      isResumed: boolean;
      /** The last request with a `seq` that was taken. */
      seq: number;
      rooms: readonly RoomView[];
      privates: readonly PrivateMessage[];
    }
  | { type: "joined"; room: RoomView }
  | { type: "left"; room: string }
  | { type: "members"; room: string; members: readonly Presence[]; change: Change }
  | { type: "typing"; room: string; nicks: readonly string[] }
  | { type: "renamed"; was: string; nick: string }
  /** An answer to a command, for its sender only. */
  | { type: "reply"; room: string; text: string }
  | { type: "error"; text: string }
  /** Requests up to this `seq` have been done, or refused with an `error`. */
  | { type: "accepted"; seq: number }
  | { type: "pong" };

/** Codes with which the server closes a WebSocket (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications). */
export const CLOSE = {
  /** The hello was not understood; the reason is for the user. */
  refused: 4400,
  /** No hello came. */
  silent: 4408,
  /** The same client has connected again, from another tab perhaps. */
  replaced: 4409,
  /** It does not read what it is sent. It can come back and get the rest. */
  slow: 4413,
  /** It goes on asking beyond the rate. */
  flood: 4429,
  /** There is no room for one more. */
  full: 4503,
} as const;
