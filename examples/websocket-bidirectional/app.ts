import type {
  WebSocketHandler,
  WebSocketReceive,
  WebSocketReceiveEvent,
  WebSocketSendEvent,
} from "pagi-server";
import { dispatch } from "pagi-server";
import { page } from "./page.ts";

/** Milliseconds between two ticks, until the client wants something else. */
const INTERVAL = Number(process.env["TICK_INTERVAL"] ?? 1000);
/** The least and the most a client may ask for: none shall keep the server busy alone. */
const RANGE = [10, 60_000] as const;

const HELP = `Send stop, start or {"interval": milliseconds}.`;

/**
 * When the next tick is due. It belongs to one connection, whose two loops share it: the one that sends waits for it,
 * the one that receives changes it.
 */
class Pace {
  #interval: number;
  #isRunning = true;
  #isEnded = false;
  #timer: Timer | undefined;
  #tell: ((goesOn: boolean) => void) | undefined;

  constructor(interval: number) {
    this.#interval = interval;
  }

  /** The interval in milliseconds, `null` while there are no ticks. */
  get interval(): number | null {
    return this.#isRunning ? this.#interval : null;
  }

  /** Resolves with true when the next tick is due, and with false when there will be none. */
  next(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#tell = resolve;
      this.#plan();
    });
  }

  start(interval = this.#interval): void {
    this.#interval = interval;
    this.#isRunning = true;
    this.#plan();
  }

  stop(): void {
    this.#isRunning = false;
    this.#plan();
  }

  end(): void {
    this.#isEnded = true;
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#isEnded) this.#tell?.(false);
    else if (this.#isRunning) this.#timer = setTimeout(() => this.#tell?.(true), this.#interval);
  }
}

/**
 * `receive` and `send` are independent of each other: each has a loop of its own, and both run at the same time. A
 * promise cannot be cancelled, so each loop has to come to its end: the one at `websocket.disconnect`, by which it
 * ends the other one.
 */
const websocket: WebSocketHandler = async (_scope, receive, send) => {
  await receive(); // websocket.connect
  await send({ type: "websocket.accept" });
  const pace = new Pace(INTERVAL);
  await Promise.all([sendTicks(pace, send), followCommands(pace, receive, send)]);
};

type Receive = () => Promise<WebSocketReceiveEvent>;
type Send = (event: WebSocketSendEvent) => Promise<void>;

/** From the server to the client, when the time has come. */
async function sendTicks(pace: Pace, send: Send): Promise<void> {
  for (let tick = 1; await pace.next(); tick++) {
    // Waits while the client does not read. The next tick is due after that, so that none pile up.
    await send({ type: "websocket.send", text: JSON.stringify({ tick }) });
  }
}

/** From the client to the server, whenever it likes. */
async function followCommands(pace: Pace, receive: Receive, send: Send): Promise<void> {
  try {
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      if (event.type === "websocket.connect") continue; // comes once, and was taken before
      await send({ type: "websocket.send", text: JSON.stringify(follow(event, pace)) });
    }
  } finally {
    pace.end(); // also after an error: the other loop must not go on alone
  }
}

/** Does what a message says, and returns what to tell the client. */
function follow({ text }: WebSocketReceive, pace: Pace): { interval: number | null } | { error: string } {
  if (text === undefined) return { error: `A command is text. ${HELP}` };
  if (text === "stop") pace.stop();
  else if (text === "start") pace.start();
  else {
    const [least, most] = RANGE;
    const interval = intervalOf(text);
    if (interval === undefined) return { error: `There is no such command. ${HELP}` };
    if (!Number.isInteger(interval) || interval < least || interval > most) {
      return { error: `The interval is a whole number of milliseconds, ${least} to ${most}.` };
    }
    pace.start(interval);
  }
  return { interval: pace.interval };
}

/** The number in `{"interval": 200}`. Clients send what they like, so nothing is taken for granted. */
function intervalOf(text: string): number | undefined {
  let command: unknown;
  try {
    command = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof command !== "object" || command === null || !("interval" in command)) return undefined;
  return typeof command.interval === "number" ? command.interval : Number.NaN;
}

export default dispatch({ websocket, http: page });
