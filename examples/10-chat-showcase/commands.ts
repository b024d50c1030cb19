import type { z } from "zod";
import { Nick, RoomName } from "./names.ts";
import { Refusal } from "./refusal.ts";

/** How each command is written, and what it does. */
export const COMMANDS = [
  ["/help", "this list"],
  ["/rooms", "all rooms"],
  ["/users", "who is in this room"],
  ["/join <room>", "go into a room, or open one"],
  ["/leave", "leave this room"],
  ["/pm <nick> <text>", "say something to one person only"],
  ["/nick <name>", "take another name"],
  ["/me <text>", "say what you do"],
  ["//text", "say something that begins with a slash"],
] as const;

/** What somebody wants who has typed a line that begins with a slash. */
export type Command =
  | { readonly name: "help" | "rooms" | "users" }
  | { readonly name: "join" | "leave"; readonly room: string }
  | { readonly name: "nick"; readonly nick: string }
  | { readonly name: "pm"; readonly to: string; readonly text: string }
  | { readonly name: "me" | "text"; readonly text: string };

/** Reads a command that was typed in a room. @throws Refusal that says how it is written. */
export function parseCommand(line: string, room: string): Command {
  if (line.startsWith("//")) return { name: "text", text: line.slice(1) };
  const [, word = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  const argument = rest.trim();
  switch (word) {
    case "help":
    case "rooms":
    case "users":
      return { name: word };
    case "join":
      return { name: "join", room: checked(RoomName, argument) };
    case "leave":
      return { name: "leave", room: argument === "" ? room : checked(RoomName, argument) };
    case "nick":
      return { name: "nick", nick: checked(Nick, argument) };
    case "me":
      if (argument === "") throw new Refusal("Write it as: /me <text>");
      return { name: "me", text: argument };
    case "pm": {
      const [, to = "", text = ""] = /^(\S+)\s+(.+)$/s.exec(argument) ?? [];
      if (text === "") throw new Refusal("Write it as: /pm <nick> <text>");
      return { name: "pm", to: checked(Nick, to), text };
    }
    default:
      throw new Refusal(`There is no command /${word.slice(0, 20)}. /help lists those there are.`);
  }
}

function checked(schema: z.ZodType<string>, value: string): string {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal(result.error.issues[0]?.message ?? "That is not a name.");
}
