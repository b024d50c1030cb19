import type { Chat } from "./chat.ts";
import { COMMANDS, parseCommand } from "./commands.ts";
import type { Member } from "./member.ts";
import type { Request } from "./messages.ts";
import { Refusal } from "./refusal.ts";

/** Does what a member asks for; what cannot be done it is told of. A request that was done before is not done again. */
export function perform(chat: Chat, member: Member, request: Request): void {
  if ("seq" in request) {
    if (request.seq > member.seq) {
      member.seq = request.seq;
      attempt(chat, member, request);
    }
    member.tell({ type: "accepted", seq: member.seq });
    return;
  }
  attempt(chat, member, request);
}

function attempt(chat: Chat, member: Member, request: Request): void {
  try {
    answer(chat, member, request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    member.tell({ type: "error", text: error.message });
  }
}

function answer(chat: Chat, member: Member, request: Request): void {
  switch (request.type) {
    case "say":
      if (request.text.startsWith("/")) runCommand(chat, member, request.room, request.text);
      else chat.say(member, request.room, request.text);
      return;
    case "private":
      chat.whisper(member, request.to, request.text);
      return;
    case "join":
      chat.join(member, request.room);
      return;
    case "leave":
      chat.leave(member, request.room);
      return;
    case "nick":
      chat.rename(member, request.nick);
      return;
    case "typing":
      chat.roomOf(member, request.room).setTyping(member, request.typing);
      return;
    case "ping":
      member.tell({ type: "pong" });
      return;
  }
}

function runCommand(chat: Chat, member: Member, room: string, text: string): void {
  const command = parseCommand(text, room);
  switch (command.name) {
    case "text":
      chat.say(member, room, command.text);
      return;
    case "me":
      chat.say(member, room, command.text, "action");
      return;
    case "pm":
      chat.whisper(member, command.to, command.text);
      return;
    case "join":
      chat.join(member, command.room);
      return;
    case "leave":
      chat.leave(member, command.room);
      return;
    case "nick":
      chat.rename(member, command.nick);
      return;
    case "users":
      member.tell({ type: "reply", room, text: usersOf(chat, member, room) });
      return;
    case "rooms": {
      const lines = chat.summaries().map(({ name, members }) => `#${name} (${members})`);
      member.tell({ type: "reply", room, text: `Rooms: ${lines.join(", ")}` });
      return;
    }
    case "help": {
      const lines = COMMANDS.map(([usage, meaning]) => `${usage}: ${meaning}`);
      member.tell({ type: "reply", room, text: lines.join("\n") });
      return;
    }
  }
}

function usersOf(chat: Chat, member: Member, room: string): string {
  const nicks = chat.roomOf(member, room).presences();
  return `In #${room}: ${nicks.map(({ nick, isAway }) => (isAway ? `${nick} (away)` : nick)).join(", ")}`;
}
