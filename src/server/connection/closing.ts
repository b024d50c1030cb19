/**
 * How far a connection has come on its way to its end:
 * - `open`;
 * - `flushing`: it closes once what is queued has left;
 * - `flushing, then lingering`: the same, and what the client still sends is read away;
 * - `lingering`: our FIN is out, and what the client sends is read until its own;
 * - `closed`.
 */
export type Closing = "open" | "flushing" | "flushing, then lingering" | "lingering" | "closed";

export type ClosingEvent =
  /** The protocol has nothing more to write, and the client nothing more to say. */
  | "close when flushed"
  /** The protocol has nothing more to write, and the client may still be sending. */
  | "lingering close"
  /** Nothing is queued any more. */
  | "flushed"
  /** The client has ended its direction. */
  | "fin"
  /** The deadline has passed. */
  | "deadline"
  /** The socket is closed. */
  | "gone";

/**
 * What the connection has to do:
 * - `tell`: the protocol decides;
 * - `flush`: the protocol's deadline ends; see whether anything is queued;
 * - `fin`: end our direction and wait for the client's end;
 * - `close`: close the socket.
 */
export type ClosingAction = "tell" | "flush" | "fin" | "close";

interface Step {
  readonly to: Closing;
  readonly action?: ClosingAction;
}

/** Every transition. An event that is missing changes nothing. */
export const CLOSING: { readonly [From in Closing]: { readonly [Event in ClosingEvent]?: Step } } = {
  open: {
    "close when flushed": { to: "flushing", action: "flush" },
    "lingering close": { to: "flushing, then lingering", action: "flush" },
    fin: { to: "open", action: "tell" },
    deadline: { to: "open", action: "tell" },
    gone: { to: "closed" },
  },
  flushing: {
    flushed: { to: "flushing", action: "close" },
    gone: { to: "closed" },
  },
  "flushing, then lingering": {
    flushed: { to: "lingering", action: "fin" },
    fin: { to: "flushing" },
    gone: { to: "closed" },
  },
  lingering: {
    fin: { to: "lingering", action: "close" },
    deadline: { to: "lingering", action: "close" },
    gone: { to: "closed" },
  },
  closed: {},
};
