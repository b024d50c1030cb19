import type { Application } from "pagi-server/spec";
import { dispatch } from "pagi-server/spec";
import { PagiWebSocket } from "pagi-server/websocket";
import type { z } from "zod";
import type { Chat } from "./chat.ts";
import { LIMITS, TIMES } from "./limits.ts";
import { lineOf } from "./line.ts";
import type { Line, Member } from "./member.ts";
import { CLOSE, Hello, Request } from "./messages.ts";
import { perform } from "./requests.ts";

/** Seconds between pings, so that proxies do not take the connection for idle, and for the answer to one. */
const PING = 25;

/** The WebSocket of the chat: a hello, and then requests. */
export function connection(chat: Chat): Application {
  return dispatch({
    async websocket(scope, receive, send) {
      const ws = new PagiWebSocket(scope, receive, send);
      await ws.accept();
      await ws.keepalive(PING, PING);
      const line = lineOf(ws);
      const member = await hello(ws, chat, line);
      if (member === undefined) return;
      ws.onClose(() => chat.lose(member, line));
      await converse(ws, chat, member);
    },
  });
}

/** Waits for the first message, and takes its sender in. */
async function hello(ws: PagiWebSocket, chat: Chat, line: Line): Promise<Member | undefined> {
  const timeout = setTimeout(() => void ws.close(CLOSE.silent, "Say hello."), TIMES.hello);
  try {
    const { value: text } = await ws.texts().next();
    if (text === undefined) return undefined;
    const { data, problem } = read(Hello, text);
    if (data !== undefined) return chat.enter(data, line);
    await ws.close(CLOSE.refused, problem);
    return undefined;
  } finally {
    clearTimeout(timeout);
  }
}

/** Does what the member asks for, one request after the other, as fast as it may ask. */
async function converse(ws: PagiWebSocket, chat: Chat, member: Member): Promise<void> {
  let refusals = 0;
  for await (const text of ws.texts()) {
    const { data, problem } = read(Request, text);
    if (!member.bucket.take()) {
      if (++refusals > LIMITS.refusals) await ws.close(CLOSE.flood, "You are too fast.");
      else if (data?.type !== "typing")
        member.tell({ type: "error", text: "You are too fast. Wait a moment." });
      continue;
    }
    refusals = 0;
    if (data === undefined) member.tell({ type: "error", text: problem });
    else perform(chat, member, data);
  }
}

/** What a schema makes of a message, or what is wrong with it. */
function read<T>(
  schema: z.ZodType<T>,
  text: string,
): { data: T; problem?: never } | { data?: never; problem: string } {
  if (text.length > LIMITS.frame) return { problem: "That is too long." };
  const { data, error } = schema.safeParse(jsonOf(text));
  if (data !== undefined) return { data };
  return { problem: error?.issues[0]?.message ?? "That is no request." };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
