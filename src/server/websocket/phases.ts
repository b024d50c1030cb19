// The life of a WebSocket on a connection as a table: what each event leads to in each phase. Pure; session.ts carries it
// out.

/**
 * - `opening`: the handshake is accepted, and the client has no answer yet;
 * - `closing-early`: the same, and the application has closed already: the client first gets its answer, and everything
 *   that was sent;
 * - `open`: messages go both ways;
 * - `closing`: a Close frame is on its way, in either direction;
 * - `over`.
 */
export type Phase = "opening" | "closing-early" | "open" | "closing" | "over";

/**
 * - of the frames' side: `ready` (frames can be read), `failed` (they never can), `close-frame` (the client's was read),
 *   `ended` (nothing more comes);
 * - of the exchange: `close`, `abort`;
 * - of the connection: `gone` (its socket is closed; what was read whole is still delivered), `lost` (it is reset right
 *   after).
 */
export type WebSocketEvent =
  "ready" | "failed" | "close-frame" | "ended" | "close" | "abort" | "gone" | "lost";

export type WebSocketAction =
  /** Answer the handshake with 101. */
  | "answer"
  /** Answer the handshake with an error. */
  | "refuse"
  /** Send the messages that the application has sent meanwhile. */
  | "sendEarly"
  /** Read what the client has sent meanwhile. */
  | "read"
  /** Begin the closing handshake. */
  | "beginClose"
  /** No more bytes of the client come. */
  | "endInput"
  /** Tell the exchange that bytes were taken. */
  | "deliverDrain"
  /** Tell the exchange that nothing more can be sent. */
  | "deliverLoss"
  /** Tell the exchange how the WebSocket was closed. */
  | "deliverClose"
  /** Let go of everything, and report what the client was answered. */
  | "release"
  /** Close the connection once everything has been sent. */
  | "closeConnection"
  /** Reset the connection. */
  | "resetConnection";

interface Step {
  readonly to: Phase;
  readonly actions: readonly WebSocketAction[];
}

/** Ends before the client has its answer, and after. */
const ENDS = {
  ended: { to: "over", actions: ["deliverClose", "release", "closeConnection"] },
  abort: { to: "over", actions: ["release", "resetConnection"] },
  lost: { to: "over", actions: ["deliverLoss", "deliverClose", "release"] },
} as const satisfies Partial<Record<WebSocketEvent, Step>>;

const FAILED = {
  to: "over",
  actions: ["refuse", "deliverLoss", "deliverClose", "release", "closeConnection"],
} as const satisfies Step;

/** What each event leads to. An event that a phase does not list changes nothing there. */
const STEPS: Readonly<Record<Phase, Readonly<Partial<Record<WebSocketEvent, Step>>>>> = {
  opening: {
    ...ENDS,
    ready: { to: "open", actions: ["answer", "sendEarly", "read", "deliverDrain"] },
    failed: FAILED,
    close: { to: "closing-early", actions: [] },
    gone: { to: "opening", actions: ["deliverLoss", "endInput"] },
  },
  "closing-early": {
    ...ENDS,
    ready: { to: "closing", actions: ["answer", "sendEarly", "beginClose", "deliverDrain"] },
    failed: FAILED,
    gone: { to: "closing-early", actions: ["deliverLoss", "endInput"] },
  },
  open: {
    ...ENDS,
    close: { to: "closing", actions: ["beginClose"] },
    "close-frame": { to: "closing", actions: ["deliverClose"] },
    gone: { to: "open", actions: ["deliverLoss", "endInput"] },
  },
  closing: {
    ...ENDS,
    "close-frame": { to: "closing", actions: ["deliverClose"] },
    gone: { to: "closing", actions: ["deliverLoss", "endInput"] },
  },
  over: {},
};

/** What an event leads to; `undefined` where it changes nothing. */
export function advance(phase: Phase, event: WebSocketEvent): Step | undefined {
  return STEPS[phase][event];
}

/** Whether the client has its answer. */
export function isAnswered(phase: Phase): boolean {
  return phase === "open" || phase === "closing";
}
