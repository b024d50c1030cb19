import { LIMITS, TIMES } from "./limits.ts";
import { Member, type Line } from "./member.ts";
import { CLOSE, type Hello, type Message, type RoomSummary } from "./messages.ts";
import { keyOf } from "./names.ts";
import { News } from "./news.ts";
import { Refusal } from "./refusal.ts";
import { Room } from "./room.ts";

/** The numbers of the chat. */
export interface Stats {
  /** Members with a connection. */
  readonly online: number;
  /** Members whose connection is gone, and who may come back. */
  readonly away: number;
  readonly rooms: number;
  /** Messages since the start, private ones included. */
  readonly messages: number;
  /** Open event streams. */
  readonly feeds: number;
  /** Seconds since the start. */
  readonly uptime: number;
}

/** Everything that the process knows of the chat: who is here, where, and what was said. */
export class Chat {
  readonly news = new News();
  readonly #startedAt = Date.now();
  readonly #members = new Map<string, Member>();
  readonly #nicks = new Map<string, Member>();
  readonly #rooms = new Map<string, Room>();
  readonly #lobby: Room;
  #lastId = 0;
  #messages = 0;

  /** The first of the permanent rooms is the one where everybody begins, and that nobody leaves. */
  constructor([lobby, ...others]: readonly [string, ...string[]] = ["general", "random", "help"]) {
    this.#lobby = new Room(lobby, { isPermanent: true });
    this.#rooms.set(lobby, this.#lobby);
    for (const name of others) this.#rooms.set(name, new Room(name, { isPermanent: true }));
  }

  // ── who is here ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a client in, or back, and tells it so. `undefined` when there is no place: then its line is closed. */
  enter({ nick, token, last }: Hello, line: Line): Member | undefined {
    const known = token === undefined ? undefined : this.#members.get(token);
    if (known !== undefined) return this.#resume(known, last, line);
    if (this.#members.size >= LIMITS.members) {
      line.close(CLOSE.full, "The chat is full. Try again later.");
      return undefined;
    }
    const member = new Member(this.#freeNick(nick), line);
    this.#members.set(member.token, member);
    this.#nicks.set(keyOf(member.nick), member);
    this.#put(member, this.#lobby);
    this.#welcome(member, { isResumed: false, last: 0 });
    this.news.add({ event: "arrival", data: { nick: member.nick } });
    return member;
  }

  #resume(member: Member, last: number, line: Line): Member {
    clearTimeout(member.farewell);
    const before = member.line;
    member.line = line;
    before?.close(CLOSE.replaced, "Connected again elsewhere.");
    this.#welcome(member, { isResumed: true, last });
    if (before === undefined) this.#announce(member, { kind: "back", nick: member.nick });
    return member;
  }

  #welcome(member: Member, { isResumed, last }: { isResumed: boolean; last: number }): void {
    const { token, nick, seq } = member;
    const rooms = [...member.rooms].map((room) => room.view(last));
    const privates = member.privatesAfter(last);
    member.tell({ type: "welcome", token, nick, isResumed, seq, rooms, privates });
  }

  /** The line has gone. Its member has a while to come back, and goes then. */
  lose(member: Member, line: Line): void {
    if (member.line !== line) return; // it has come back already
    member.line = undefined;
    for (const room of member.rooms) room.setTyping(member, false);
    this.#announce(member, { kind: "away", nick: member.nick });
    member.farewell = setTimeout(() => this.#dismiss(member), TIMES.grace);
  }

  #dismiss(member: Member): void {
    for (const room of member.rooms) this.#take(member, room);
    this.#members.delete(member.token);
    this.#nicks.delete(keyOf(member.nick));
    this.news.add({ event: "departure", data: { nick: member.nick } });
  }

  #announce(member: Member, change: { kind: "away" | "back"; nick: string }): void {
    for (const room of member.rooms) {
      room.tell({ type: "members", room: room.name, members: room.presences(), change }, member);
    }
    this.news.changed();
  }

  /** For the end of the process. */
  close(): void {
    for (const member of this.#members.values()) clearTimeout(member.farewell);
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────────────────────

  memberNamed(nick: string): Member | undefined {
    return this.#nicks.get(keyOf(nick));
  }

  /** @throws Refusal when somebody else has the name. */
  rename(member: Member, nick: string): void {
    const was = member.nick;
    if (nick === was) return;
    const holder = this.memberNamed(nick);
    if (holder !== undefined && holder !== member) throw new Refusal(`Somebody is called ${nick} already.`);
    this.#nicks.delete(keyOf(was));
    this.#nicks.set(keyOf(nick), member);
    member.nick = nick;
    member.tell({ type: "renamed", was, nick });
    const change = { kind: "renamed", was, nick } as const;
    for (const room of member.rooms) {
      room.setTyping(member, false);
      room.tell({ type: "members", room: room.name, members: room.presences(), change });
    }
  }

  /** The name, or the name with a number behind it. */
  #freeNick(wanted: string): string {
    if (this.memberNamed(wanted) === undefined) return wanted;
    for (let number = 2; ; number++) {
      const nick = `${[...wanted].slice(0, LIMITS.nick - 4).join("")}${number}`;
      if (this.memberNamed(nick) === undefined) return nick;
    }
  }

  // ── rooms ───────────────────────────────────────────────────────────────────────────────────────────────────

  room(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** @throws Refusal when the member is not there. */
  roomOf(member: Member, name: string): Room {
    const room = this.#rooms.get(name);
    if (room === undefined || !member.rooms.has(room)) throw new Refusal(`You are not in #${name}.`);
    return room;
  }

  /** Goes into a room, which is opened if there is none. @throws Refusal when there are too many. */
  join(member: Member, name: string): void {
    let room = this.#rooms.get(name);
    if (room !== undefined && member.rooms.has(room)) throw new Refusal(`You are in #${name} already.`);
    if (member.rooms.size >= LIMITS.roomsOfMember)
      throw new Refusal(`You are in ${LIMITS.roomsOfMember} rooms; leave one of them first.`);
    if (room === undefined) {
      if (this.#rooms.size >= LIMITS.rooms)
        throw new Refusal(`There are ${LIMITS.rooms} rooms, and cannot be more.`);
      room = new Room(name);
      this.#rooms.set(name, room);
      this.news.add({ event: "room-opened", data: { room: name } });
    }
    this.#put(member, room);
    member.tell({ type: "joined", room: room.view() });
  }

  /** @throws Refusal for a room where the member is not, and for the one that nobody leaves. */
  leave(member: Member, name: string): void {
    const room = this.roomOf(member, name);
    if (room === this.#lobby) throw new Refusal(`Nobody leaves #${name}.`);
    this.#take(member, room);
    member.tell({ type: "left", room: name });
  }

  summaries(): RoomSummary[] {
    return [...this.#rooms.values()]
      .map((room) => room.summary)
      .sort((a, b) => a.name.localeCompare(b.name, "en"));
  }

  #put(member: Member, room: Room): void {
    room.members.add(member);
    member.rooms.add(room);
    const change = { kind: "joined", nick: member.nick } as const;
    room.tell({ type: "members", room: room.name, members: room.presences(), change }, member);
    this.news.changed();
  }

  #take(member: Member, room: Room): void {
    room.setTyping(member, false);
    room.members.delete(member);
    member.rooms.delete(room);
    const change = { kind: "left", nick: member.nick } as const;
    room.tell({ type: "members", room: room.name, members: room.presences(), change });
    if (room.members.size === 0 && !room.isPermanent) {
      this.#rooms.delete(room.name);
      this.news.add({ event: "room-closed", data: { room: room.name } });
    }
    this.news.changed();
  }

  // ── what is said ────────────────────────────────────────────────────────────────────────────────────────────

  say(member: Member, name: string, text: string, kind: Message["kind"] = "text"): void {
    const room = this.roomOf(member, name);
    room.setTyping(member, false);
    const id = this.#count();
    room.tell({ type: "message", id, room: name, kind, from: member.nick, text, at: Date.now() });
  }

  /** @throws Refusal when nobody has the name. */
  whisper(member: Member, nick: string, text: string): void {
    const other = this.memberNamed(nick);
    if (other === undefined) throw new Refusal(`Nobody here is called ${nick}.`);
    if (other === member) throw new Refusal("That would be a word to yourself.");
    const id = this.#count();
    const message = { type: "private", id, from: member.nick, to: other.nick, text, at: Date.now() } as const;
    other.tell(message);
    member.tell(message);
  }

  /** Ids of messages grow over all rooms, so that one number says what a client has seen. */
  #count(): number {
    this.#messages++;
    return ++this.#lastId;
  }

  stats(): Stats {
    const online = [...this.#members.values()].filter(({ line }) => line !== undefined).length;
    return {
      online,
      away: this.#members.size - online,
      rooms: this.#rooms.size,
      messages: this.#messages,
      feeds: this.news.readers,
      uptime: Math.floor((Date.now() - this.#startedAt) / 1000),
    };
  }
}
