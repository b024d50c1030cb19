import { frame, messageFrames, WebSocketWire } from "../../support/websocket.ts";
import type { ServerMessage } from "../../support/websocket.ts";
import type { Case, Event, Step } from "./case.ts";

/**
 * How a server did. `strict`: as is right. `non-strict`: as is allowed. `declined`: it did not take the offer of
 * permessage-deflate. `failed`: otherwise.
 */
export interface Verdict {
  readonly verdict: "strict" | "non-strict" | "declined" | "failed";
  /** What was wrong, for `failed`. */
  readonly faults: readonly string[];
}

/** A case that takes so long hangs. In ms. */
const DEADLINE = 4000;

/** Plays a case with an echoing server at `ws://host:port/` and judges what came back. */
export async function play(each: Case, url: string): Promise<Verdict> {
  const offer = each.offer === undefined ? {} : { "Sec-WebSocket-Extensions": each.offer };
  await using client = await WebSocketWire.open(url, offer);
  if (each.offer !== undefined && !client.isDeflating) return { verdict: "declined", faults: [] };
  const transcript = new Transcript(client);
  const deadline = setTimeout(() => transcript.giveUp(), DEADLINE);
  const reading = transcript.read();
  try {
    await sendSteps(each, client, transcript);
    if (each.close.by === "runner") {
      await transcript.received(each.events.length);
      if (!transcript.isOver) await client.sendClose(1000);
    }
  } catch (error) {
    // A server that fails the connection may reset it under what is still being sent.
    if (each.close.by !== "server") transcript.faults.push(`sending failed: ${String(error)}`);
  }
  await reading;
  clearTimeout(deadline);
  return judge(each, transcript);
}

/** What a server has said so far. */
class Transcript {
  readonly #client: WebSocketWire;
  readonly events: Event[] = [];
  readonly faults: string[] = [];
  close: { code: number; reason: string } | undefined;
  #isEnded = false;
  #news = Promise.withResolvers<void>();

  constructor(client: WebSocketWire) {
    this.#client = client;
  }

  /** True once the server has closed, or is gone. */
  get isOver(): boolean {
    return this.close !== undefined || this.#isEnded;
  }

  /** Why the connection ended, if not by a FIN. */
  get error(): Error | undefined {
    return this.#client.wire.error;
  }

  /** Reads until the server ends the connection. */
  async read(): Promise<void> {
    try {
      for (
        let next = await this.#client.nextMessage();
        next !== null;
        next = await this.#client.nextMessage()
      )
        this.#add(next);
    } catch (error) {
      this.faults.push(String(error));
    }
    this.#isEnded = true;
    this.#tell();
  }

  /** Waits for so many events, or for the end. */
  async received(count: number): Promise<void> {
    while (this.events.length < count && !this.isOver) await this.#news.promise;
  }

  giveUp(): void {
    this.faults.push(`the connection was still open after ${DEADLINE} ms`);
    this.#client.wire.reset();
  }

  #add(message: ServerMessage): void {
    if (this.close !== undefined) this.faults.push(`after the close frame came: ${show(message)}`);
    else if (message.type === "close") this.close = message;
    else this.events.push(message);
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

async function sendSteps(each: Case, client: WebSocketWire, transcript: Transcript): Promise<void> {
  let units: Uint8Array[] = [];
  const flush = async (): Promise<void> => {
    for (const chop of chopped(units, each.chop)) {
      if (transcript.isOver) return;
      await client.wire.send(chop);
      // The server reads this piece before the next one follows.
      if (each.chop !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
    units = [];
  };
  for (const step of each.steps) {
    if ("received" in step) {
      await flush();
      await transcript.received(step.received);
    } else units.push(...bytesOf(step));
  }
  await flush();
}

function bytesOf(step: Exclude<Step, { received: number }>): Uint8Array[] {
  if ("bytes" in step) return [step.bytes];
  return ("frame" in step ? [step.frame] : messageFrames(step.message)).map(frame);
}

function chopped(units: readonly Uint8Array[], chop: Case["chop"]): readonly Uint8Array[] {
  if (chop === "frame") return units;
  const all = Buffer.concat(units);
  if (chop === undefined) return all.length === 0 ? [] : [all];
  return Array.from({ length: Math.ceil(all.length / chop) }, (_, index) =>
    all.subarray(index * chop, (index + 1) * chop),
  );
}

function judge(each: Case, transcript: Transcript): Verdict {
  const { events, close } = transcript;
  const faults = [...transcript.faults];
  const isStrict = Bun.deepEquals(events, each.events);
  if (!isStrict && (each.nonStrict === undefined || !Bun.deepEquals(events, each.nonStrict)))
    faults.push(`expected ${showAll(each.events)}, but got ${showAll(events)}`);
  const codes = each.close.by === "runner" ? [1000] : each.close.codes;
  if (close !== undefined && !codes.includes(close.code))
    faults.push(`expected the close code ${codes.join(" or ")}, but got ${close.code} ${close.reason}`);
  if (each.close.by !== "server") {
    if (close === undefined) faults.push("the connection ended without a close frame");
    if (transcript.error !== undefined)
      faults.push(`the connection did not end cleanly: ${transcript.error.message}`);
  }
  if (faults.length > 0) return { verdict: "failed", faults };
  return { verdict: isStrict ? "strict" : "non-strict", faults };
}

function showAll(messages: readonly ServerMessage[]): string {
  return `[${messages.map(show).join(", ")}]`;
}

function show(message: ServerMessage): string {
  if (message.type === "close") return `close ${message.code}`;
  const value = message.type === "text" ? JSON.stringify(message.text) : message.bytes.toHex();
  return value.length > 60
    ? `${message.type} ${value.slice(0, 60)}… (${value.length})`
    : `${message.type} ${value}`;
}
