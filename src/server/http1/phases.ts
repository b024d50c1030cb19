/**
 * Where an HTTP/1.1 connection stands:
 * - `idle`: between requests, and nothing of the next one has been read;
 * - `expiring`: it was idle for too long and closes, unless the kernel already has a request;
 * - `head`: a part of a request head has come;
 * - `running`: a response is being made, by the application or by the server, and the client need not send anything;
 * - `body`: the same, and the application waits for a piece of the request body;
 * - `answer`: the client has ended its direction and the application may still answer;
 * - `delivered`: the response is out, and the application has its turn before the next request;
 * - `discard`: the response is out and the rest of the request body is read and dropped;
 * - `over`: nothing follows.
 */
export type Phase =
  "idle" | "expiring" | "head" | "running" | "body" | "answer" | "delivered" | "discard" | "over";

/** What the connection's deadline is for. With `nothing` it may still run, and means nothing. */
export type Wait = "next request" | "last request" | "head" | "body" | "answer" | "nothing";

/** An event, with what matters of its circumstances. */
export type PhaseEvent =
  /** The reader has a part of a head. */
  | "partial head"
  /** The reader has a whole head, which goes to the application. */
  | "request"
  /** The application waits for a piece of the body. */
  | "demand"
  /** Bytes have come, though not a whole piece. */
  | "progress"
  /** A piece of the body was delivered, or dropped. */
  | "piece"
  /** The response was given to the kernel whole, or is held to leave with the next one. */
  | "delivered"
  /** The application has had its turn, and nothing more belongs to the request. */
  | "next"
  /** The same while the server shuts down and another one follows. */
  | "next, last"
  /** The application has had its turn, and a part of the request body is still to come. */
  | "unread"
  /** The application has had its turn, and the connection closes after this response. */
  | "end"
  /** The server has answered a request that did not reach the application. */
  | "refused"
  /** The connection is one too many. */
  | "turned away"
  /** The client has ended its direction, and its request can no longer be answered. */
  | "fin"
  /** The client has ended its direction, and a whole request may still be answered. */
  | "fin, answerable"
  /** What the connection waits for has not happened in time. */
  | "deadline"
  /** The same, but the client has taken bytes of the response meanwhile. */
  | "deadline, flowing"
  /** No request was in the kernel when the connection expired. */
  | "quiet"
  /** The server shuts down. */
  | "shutdown"
  /** The same, and another server follows, for which connections are kept for a moment. */
  | "shutdown, followed"
  /** The client has broken a rule of the protocol. */
  | "fault"
  /** The response ends here, incomplete. */
  | "truncated"
  /** The connection has become a WebSocket. */
  | "upgraded"
  /** The connection is lost. */
  | "lost";

/**
 * What the session has to do:
 * - `close`: close the connection in order; `linger`: the same, and read what the client still sends;
 * - `lose`: the client is treated as gone;
 * - `truncate`: close so that the client cannot take the response for a whole one;
 * - `refuse`: answer the fault; `late head`, `late body`: answer 408;
 * - `notify`: the exchange is notified of the shutdown.
 */
export type Action =
  "close" | "linger" | "lose" | "truncate" | "refuse" | "late head" | "late body" | "notify";

export interface Step {
  readonly to: Phase;
  /** Absent leaves the deadline and its meaning as they are. */
  readonly wait?: Wait;
  readonly action?: Action;
}

type Row = { readonly [Event in PhaseEvent]?: Step };

const LOST: Step = { to: "over" };
const CLOSE: Step = { to: "over", action: "close" };
const REQUEST: Step = { to: "running", wait: "nothing" };
const FAULT: Step = { to: "running", wait: "nothing", action: "refuse" };
const NEXT: Step = { to: "idle", wait: "next request" };
const NEXT_LAST: Step = { to: "idle", wait: "last request" };

// A request may be on its way to a connection that is kept; one that closes now would lose it.
const IDLE: Row = {
  "partial head": { to: "head", wait: "head" },
  request: REQUEST,
  fault: FAULT,
  fin: CLOSE,
  deadline: { to: "expiring" },
  shutdown: CLOSE,
  "shutdown, followed": NEXT_LAST,
  "turned away": REQUEST,
  lost: LOST,
};

/** What is possible as long as there is no whole response. */
const UNANSWERED: Row = {
  delivered: { to: "delivered" },
  truncated: { to: "over", action: "truncate" },
  fault: FAULT,
  lost: LOST,
};

/** Every transition. An event that is missing changes nothing, as a deadline that no longer has a meaning. */
export const TRANSITIONS: { readonly [From in Phase]: Row } = {
  idle: IDLE,
  expiring: {
    "partial head": { to: "head", wait: "head" },
    request: REQUEST,
    fault: FAULT,
    fin: CLOSE,
    quiet: CLOSE,
    shutdown: CLOSE,
    "shutdown, followed": NEXT_LAST,
    lost: LOST,
  },
  // A request that has begun is still served when the server shuts down; its response announces the close.
  head: {
    request: REQUEST,
    fault: FAULT,
    fin: CLOSE,
    deadline: { to: "running", wait: "nothing", action: "late head" },
    lost: LOST,
  },
  running: {
    ...UNANSWERED,
    demand: { to: "body", wait: "body" },
    fin: { to: "over", action: "lose" },
    "fin, answerable": { to: "answer", wait: "answer" },
    shutdown: { to: "running", action: "notify" },
    "shutdown, followed": { to: "running", action: "notify" },
    upgraded: { to: "over", wait: "nothing" },
  },
  body: {
    ...UNANSWERED,
    piece: { to: "running", wait: "nothing" },
    progress: { to: "body", wait: "body" },
    deadline: { to: "running", wait: "nothing", action: "late body" },
    fin: { to: "over", action: "lose" },
    shutdown: { to: "body", action: "notify" },
    "shutdown, followed": { to: "body", action: "notify" },
  },
  answer: {
    ...UNANSWERED,
    // A client that is really gone answers the bytes of a response with a reset. As long as they flow, it is there.
    "deadline, flowing": { to: "answer", wait: "answer" },
    deadline: { to: "over", action: "lose" },
    shutdown: { to: "answer", action: "notify" },
    "shutdown, followed": { to: "answer", action: "notify" },
  },
  delivered: {
    next: NEXT,
    "next, last": NEXT_LAST,
    unread: { to: "discard", wait: "body" },
    end: CLOSE,
    refused: { to: "over", action: "linger" },
    lost: LOST,
  },
  // Its request has been answered: another answer would be taken for the next one's.
  discard: {
    next: NEXT,
    "next, last": NEXT_LAST,
    end: CLOSE,
    fault: CLOSE,
    fin: CLOSE,
    deadline: CLOSE,
    shutdown: CLOSE,
    lost: LOST,
  },
  over: {},
};

/** What a phase takes from the reader: a head for the application, a piece of a body to deliver or to drop, or nothing. */
export const READS: { readonly [At in Phase]: "head" | "body" | "rest" | "nothing" } = {
  idle: "head",
  expiring: "head",
  head: "head",
  running: "nothing",
  body: "body",
  answer: "nothing",
  delivered: "nothing",
  discard: "rest",
  over: "nothing",
};

/** A phase with its row of the table, as the session goes through it. */
export interface PhaseNode {
  readonly phase: Phase;
  readonly reads: (typeof READS)[Phase];
  readonly on: { readonly [Event in PhaseEvent]: PhaseStep | undefined };
}

/** A step of the table, with the phase that it leads to. */
export interface PhaseStep {
  readonly to: PhaseNode;
  readonly wait: Wait | undefined;
  readonly action: Action | undefined;
}

const EVENTS: { readonly [Event in PhaseEvent]: undefined } = {
  "partial head": undefined,
  request: undefined,
  demand: undefined,
  progress: undefined,
  piece: undefined,
  delivered: undefined,
  next: undefined,
  "next, last": undefined,
  unread: undefined,
  end: undefined,
  refused: undefined,
  "turned away": undefined,
  fin: undefined,
  "fin, answerable": undefined,
  deadline: undefined,
  "deadline, flowing": undefined,
  quiet: undefined,
  shutdown: undefined,
  "shutdown, followed": undefined,
  fault: undefined,
  truncated: undefined,
  upgraded: undefined,
  lost: undefined,
};

/** All rows with all events, so that every step of a request is found at the same place: this runs several times for each. */
export const PHASES: { readonly [At in Phase]: PhaseNode } = linked();

function linked(): { readonly [At in Phase]: PhaseNode } {
  type Draft = {
    phase: Phase;
    reads: PhaseNode["reads"];
    on: { [Event in PhaseEvent]: PhaseStep | undefined };
  };
  const node = (phase: Phase): Draft => ({ phase, reads: READS[phase], on: { ...EVENTS } });
  const nodes: { [At in Phase]: Draft } = {
    idle: node("idle"),
    expiring: node("expiring"),
    head: node("head"),
    running: node("running"),
    body: node("body"),
    answer: node("answer"),
    delivered: node("delivered"),
    discard: node("discard"),
    over: node("over"),
  };
  for (const { phase, on } of Object.values(nodes)) {
    for (const event of eventsOf(TRANSITIONS[phase])) {
      const step = TRANSITIONS[phase][event];
      if (step !== undefined) on[event] = { to: nodes[step.to], wait: step.wait, action: step.action };
    }
  }
  return nodes;
}

function eventsOf(row: Row): PhaseEvent[] {
  return Object.keys(row).filter((key): key is PhaseEvent => key in EVENTS);
}
