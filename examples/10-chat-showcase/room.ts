import { LIMITS } from "./limits.ts";
import type { Member } from "./member.ts";
import type { Message, RoomSummary, RoomView, ServerMessage } from "./messages.ts";

/** A place where members hear each other. */
export class Room {
  readonly name: string;
  /** Stays when the last member leaves. */
  readonly isPermanent: boolean;
  readonly members = new Set<Member>();
  readonly #history: Message[] = [];
  readonly #typing = new Set<Member>();

  constructor(name: string, { isPermanent = false }: { isPermanent?: boolean } = {}) {
    this.name = name;
    this.isPermanent = isPermanent;
  }

  get summary(): RoomSummary {
    return { name: this.name, members: this.members.size };
  }

  /** With the messages after an id that are still remembered. */
  view(after = 0): RoomView {
    return { name: this.name, members: this.presences(), messages: this.messagesAfter(after) };
  }

  presences(): RoomView["members"] {
    return [...this.members]
      .map((member) => member.presence)
      .sort((a, b) => a.nick.localeCompare(b.nick, "en"));
  }

  messagesAfter(id: number): Message[] {
    return this.#history.filter((message) => message.id > id);
  }

  /** Tells everybody in it, but for one perhaps. */
  tell(message: ServerMessage, except?: Member): void {
    if (message.type === "message") {
      this.#history.push(message);
      if (this.#history.length > LIMITS.history) this.#history.shift();
    }
    for (const member of this.members) if (member !== except) member.tell(message);
  }

  setTyping(member: Member, isTyping: boolean): void {
    if (this.#typing.has(member) === isTyping || !this.members.has(member)) return;
    if (isTyping) this.#typing.add(member);
    else this.#typing.delete(member);
    const nicks = [...this.#typing].map(({ nick }) => nick);
    this.tell({ type: "typing", room: this.name, nicks });
  }
}
