import { closePayload } from "../../support/websocket.ts";
import type { FrameOptions, MessageOptions, ServerMessage } from "../../support/websocket.ts";

// The cases follow those of the Autobahn test suite (crossbario/autobahn-testsuite) for a server that echoes: the same
// numbers, the same bytes, the same demands, told in our own words and data. Sizes and counts are smaller where a case
// is about load. Where Autobahn waits for a time, the cases here wait for an answer.

/** One thing that the client does. */
export type Step =
  | { readonly frame: FrameOptions }
  | { readonly message: MessageOptions }
  /** Bytes as they are: a part of a frame. */
  | { readonly bytes: Uint8Array }
  /** Goes on once so many messages and control frames have come back. */
  | { readonly received: number };

/** A message or a pong of the server. The close frame is not among them. */
export type Event = Exclude<ServerMessage, { type: "close" }>;

/** Who closes, and what is right then. */
export type Close =
  /** The runner sends 1000 once all is back: answered with 1000, and the server ends the connection. */
  | { readonly by: "runner" }
  /** The steps hold a close frame: answered with one of the codes. */
  | { readonly by: "steps"; readonly codes: readonly number[] }
  /** The server fails the connection: with one of the codes, or by ending it without a close frame. */
  | { readonly by: "server"; readonly codes: readonly number[] };

export interface Case {
  /** Autobahn's. */
  readonly number: string;
  readonly title: string;
  readonly steps: readonly Step[];
  /** How the bytes are cut: by frame, or into pieces of so many bytes. Default: as few writes as can be. */
  readonly chop?: "frame" | number;
  /** The offer of permessage-deflate. Default: none. */
  readonly offer?: string;
  /** What has to come back, in this order. */
  readonly events: readonly Event[];
  /** What may come back instead. A case that ends so is passed, but not strictly. */
  readonly nonStrict?: readonly Event[];
  readonly close: Close;
}

export const NORMAL: Close = { by: "runner" };
export const PROTOCOL_ERROR: Close = { by: "server", codes: [1002] };
export const INVALID_PAYLOAD: Close = { by: "server", codes: [1007] };

/** A frame to send. */
export function frame(
  opcode: FrameOptions["opcode"],
  payload: string | Uint8Array = "",
  more: Partial<FrameOptions> = {},
): Step {
  return { frame: { opcode, payload, ...more } };
}

/** A frame that is not the last of its message. */
export function part(opcode: FrameOptions["opcode"], payload: string | Uint8Array = ""): Step {
  return frame(opcode, payload, { fin: false });
}

export function closeFrame(code: number, reason: string | Uint8Array = ""): Step {
  return frame("close", closePayload(code, reason));
}

export function text(value: string): Event {
  return { type: "text", text: value };
}

export function binary(bytes: Uint8Array): Event {
  return { type: "binary", bytes };
}

export function pong(payload: string | Uint8Array = ""): Event {
  return { type: "pong", bytes: new Uint8Array(Buffer.from(payload)) };
}

/** Bytes from hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits.replaceAll(" ", ""));
}

/** `length` bytes that repeat a pattern. */
export function repeated(pattern: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => pattern[index % pattern.length] ?? 0);
}
