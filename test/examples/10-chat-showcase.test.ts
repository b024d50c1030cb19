import { afterAll, beforeAll, expect, test } from "bun:test";
import { Chat } from "../../examples/10-chat-showcase/chat.ts";
import { parseCommand } from "../../examples/10-chat-showcase/commands.ts";
import { LIMITS } from "../../examples/10-chat-showcase/limits.ts";
import { lineOf } from "../../examples/10-chat-showcase/line.ts";
import { Request, type Change, type ServerMessage } from "../../examples/10-chat-showcase/messages.ts";
import { TokenBucket } from "../../examples/10-chat-showcase/token-bucket.ts";
import { type ServerProcess, startExample } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { Wire } from "../support/wire.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startExample("10-chat-showcase", { env: { CHAT_STATS: "50" } });
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

type Of<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

/** A client that speaks the protocol. */
class Guest {
  readonly socket: WebSocketClient;
  welcome!: Of<"welcome">;
  #seq = 0;

  private constructor(socket: WebSocketClient) {
    this.socket = socket;
  }

  static async enter(
    nick: string,
    more: { token?: string; last?: number } = {},
    to = server,
  ): Promise<Guest> {
    const guest = new Guest(await WebSocketClient.open(`ws://127.0.0.1:${to.port}/ws/chat`));
    guest.ask({ type: "hello", nick, ...more });
    guest.welcome = await guest.hears("welcome");
    return guest;
  }

  ask(request: object): void {
    this.socket.send(JSON.stringify(request));
  }

  say(text: string, room = "general", seq = ++this.#seq): void {
    this.ask({ type: "say", room, text, seq });
  }

  /** The next message of this type that fits; others are passed over. */
  async hears<Type extends ServerMessage["type"]>(
    type: Type,
    fits: (message: Of<Type>) => boolean = () => true,
  ): Promise<Of<Type>> {
    const isWanted = (message: ServerMessage): message is Of<Type> => message.type === type;
    for (;;) {
      const message: ServerMessage = JSON.parse(String(await this.socket.next()));
      if (isWanted(message) && fits(message)) return message;
    }
  }

  /** The next change in a room. */
  async sees(kind: Change["kind"], nick: string): Promise<Of<"members">> {
    return this.hears("members", ({ change }) => change.kind === kind && change.nick === nick);
  }
}

test("what one says in a room the others hear, with the same id", async () => {
  const [ada, bob] = [await Guest.enter("Ada"), await Guest.enter("Bob")];
  expect(bob.welcome.rooms.map(({ name }) => name)).toEqual(["general"]);
  ada.say("  <b>hello</b>\u0007 ");
  const [there, here] = [await bob.hears("message"), await ada.hears("message")];
  expect(there).toEqual(here);
  expect(there).toMatchObject({ room: "general", kind: "text", from: "Ada", text: "<b>hello</b>" });
  expect(await ada.hears("accepted")).toEqual({ type: "accepted", seq: 1 });
  await Promise.all([ada.socket.close(), bob.socket.close()]);
});

test("rooms are opened, have members and a history, and close with the last who leaves", async () => {
  const [ada, bob] = [await Guest.enter("Room-Ada"), await Guest.enter("Room-Bob")];
  ada.ask({ type: "join", room: "#Tea" });
  expect((await ada.hears("joined")).room).toMatchObject({ name: "tea", messages: [] });
  ada.say("first", "tea");
  await ada.hears("message");
  bob.say("not mine", "tea");
  expect((await bob.hears("error")).text).toBe("You are not in #tea.");
  bob.say("/join tea");
  const { room } = await bob.hears("joined");
  expect(room.messages.map(({ text }) => text)).toEqual(["first"]);
  expect(room.members.map(({ nick }) => nick)).toEqual(["Room-Ada", "Room-Bob"]);
  await ada.sees("joined", "Room-Bob");
  expect(await (await fetch(`${server.url}/api/room/tea/users`)).json()).toEqual([
    { nick: "Room-Ada", isAway: false },
    { nick: "Room-Bob", isAway: false },
  ]);
  bob.say("/leave", "tea");
  expect((await bob.hears("left")).room).toBe("tea");
  await ada.sees("left", "Room-Bob");
  ada.ask({ type: "leave", room: "tea" });
  await ada.hears("left");
  expect((await fetch(`${server.url}/api/room/tea/history`)).status).toBe(404);
  ada.ask({ type: "leave", room: "general" });
  expect((await ada.hears("error")).text).toBe("Nobody leaves #general.");
  await Promise.all([ada.socket.close(), bob.socket.close()]);
});

test("a client that lost its connection is the same again, and gets what it has missed", async () => {
  const [ada, bob] = [await Guest.enter("Gone-Ada"), await Guest.enter("Gone-Bob")];
  ada.say("one", "general", 1);
  const { id } = await ada.hears("message", ({ text }) => text === "one");
  ada.socket.drop();
  await bob.sees("away", "Gone-Ada");
  bob.say("two");
  bob.say("/pm Gone-Ada three");
  await bob.hears("private");

  const again = await Guest.enter("whatever", { token: ada.welcome.token, last: id });
  expect(again.welcome).toMatchObject({ nick: "Gone-Ada", isResumed: true, seq: 1 });
  expect(again.welcome.rooms[0]?.messages.map(({ text }) => text)).toEqual(["two"]);
  expect(again.welcome.privates.map(({ text }) => text)).toEqual(["three"]);
  await bob.sees("back", "Gone-Ada");

  // What it was not sure of it sends again; it is said once.
  again.say("one", "general", 1);
  expect(await again.hears("accepted")).toEqual({ type: "accepted", seq: 1 });
  again.say("four", "general", 2);
  expect((await bob.hears("message", ({ from }) => from === "Gone-Ada")).text).toBe("four");

  // From a second place the first is let go.
  const elsewhere = await Guest.enter("whatever", { token: ada.welcome.token });
  expect((await again.socket.closed).code).toBe(4409);
  elsewhere.say("five", "general", 3);
  expect((await bob.hears("message", ({ from }) => from === "Gone-Ada")).text).toBe("five");
  await Promise.all([elsewhere.socket.close(), bob.socket.close()]);
});

test("who does not come back in time has left", async () => {
  await using hasty = await startExample("10-chat-showcase", { env: { CHAT_GRACE: "30", CHAT_STATS: "50" } });
  const [ada, bob] = [await Guest.enter("Ada", {}, hasty), await Guest.enter("Bob", {}, hasty)];
  await ada.socket.close();
  expect((await bob.sees("left", "Ada")).members).toEqual([{ nick: "Bob", isAway: false }]);
  const other = await Guest.enter("ADA", { token: ada.welcome.token }, hasty);
  expect(other.welcome).toMatchObject({ nick: "ADA", isResumed: false });
  await Promise.all([other.socket.close(), bob.socket.close()]);
  expect(await hasty.stop("SIGTERM")).toBe(0);
  expect(hasty.output).toContain("The chat is closed. 0 messages were sent.");
});

test("nicknames are shapely and belong to one, however they are written", async () => {
  const [ada, bob] = [await Guest.enter("Nick-Ada"), await Guest.enter("nick-ada")];
  expect(bob.welcome.nick).toBe("nick-ada2");
  bob.ask({ type: "nick", nick: "NICK-ADA" });
  expect((await bob.hears("error")).text).toBe("Somebody is called NICK-ADA already.");
  bob.say("/nick Ørjan");
  expect(await bob.hears("renamed")).toEqual({ type: "renamed", was: "nick-ada2", nick: "Ørjan" });
  await ada.sees("renamed", "Ørjan");
  for (const nick of ["x", "<b>bold</b>", "a b", "-ada", "a".repeat(21), "ada\u202e", "ada\u3164"]) {
    bob.ask({ type: "nick", nick });
    expect((await bob.hears("error")).text).toStartWith("A nickname has 2 to 20 letters");
  }
  // A Cyrillic a among Latin letters; accents upon accents.
  for (const nick of ["\u0430da", `a${"\u0300".repeat(6)}`]) {
    bob.ask({ type: "nick", nick });
    expect((await bob.hears("error")).text).toStartWith("Use letters of one script");
  }
  const refused = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/ws/chat`);
  refused.send(JSON.stringify({ type: "hello", nick: "<b>" }));
  const { code, reason } = await refused.closed;
  expect([code, reason]).toEqual([4400, expect.stringContaining("A nickname has")]);
  await Promise.all([ada.socket.close(), bob.socket.close()]);
});

test("the others see who is typing, and that it is over", async () => {
  const [ada, bob] = [await Guest.enter("Type-Ada"), await Guest.enter("Type-Bob")];
  ada.ask({ type: "typing", room: "general", typing: true });
  expect((await bob.hears("typing")).nicks).toEqual(["Type-Ada"]);
  ada.say("done");
  expect((await bob.hears("typing")).nicks).toEqual([]);
  ada.ask({ type: "typing", room: "general", typing: true });
  expect((await bob.hears("typing")).nicks).toEqual(["Type-Ada"]);
  ada.socket.drop();
  expect((await bob.hears("typing")).nicks).toEqual([]);
  await bob.socket.close();
});

test("a private word is heard by two and by nobody else", async () => {
  const [ada, bob, eve] = [
    await Guest.enter("Priv-Ada"),
    await Guest.enter("Priv-Bob"),
    await Guest.enter("Priv-Eve"),
  ];
  ada.ask({ type: "private", to: "priv-bob", text: "psst", seq: 1 });
  const [there, here] = [await bob.hears("private"), await ada.hears("private")];
  expect(there).toEqual(here);
  expect(there).toMatchObject({ from: "Priv-Ada", to: "Priv-Bob", text: "psst" });
  ada.ask({ type: "private", to: "Nobody", text: "psst", seq: 2 });
  expect((await ada.hears("error")).text).toBe("Nobody here is called Nobody.");
  ada.say("aloud", "general", 3);
  const heard: ServerMessage[] = [];
  for (let message: ServerMessage; ; heard.push(message)) {
    message = JSON.parse(String(await eve.socket.next()));
    if (message.type === "message" && message.text === "aloud") break;
  }
  expect(heard.filter(({ type }) => type === "private")).toEqual([]);
  await Promise.all([ada.socket.close(), bob.socket.close(), eve.socket.close()]);
});

test("commands answer their sender", async () => {
  const ada = await Guest.enter("Cmd-Ada");
  ada.say("/help");
  expect((await ada.hears("reply")).text).toContain("/pm <nick> <text>: ");
  ada.say("/rooms");
  expect((await ada.hears("reply")).text).toMatch(/^Rooms: #general \(\d+\), #help \(0\), #random \(0\)$/);
  ada.say("/users");
  expect((await ada.hears("reply")).text).toContain("Cmd-Ada");
  ada.say("/me waves");
  expect(await ada.hears("message")).toMatchObject({ kind: "action", text: "waves" });
  ada.say("//slash");
  expect(await ada.hears("message")).toMatchObject({ kind: "text", text: "/slash" });
  for (const line of ["/pm Ada", "/me", "/nick", "/join !", "/fly"]) {
    ada.say(line);
    await ada.hears("error");
  }
  await ada.socket.close();
});

test.each([
  ["/join #Tea", { name: "join", room: "tea" }],
  ["/leave", { name: "leave", room: "here" }],
  ["/leave tea", { name: "leave", room: "tea" }],
  ["/pm Ada  two\nlines", { name: "pm", to: "Ada", text: "two\nlines" }],
  ["/nick  Ada ", { name: "nick", nick: "Ada" }],
  ["//me", { name: "text", text: "/me" }],
])("the command %j", (line, command) => {
  expect(parseCommand(line, "here")).toMatchObject(command);
});

test("what is no request, or too much of one, is refused and does no harm", async () => {
  const ada = await Guest.enter("Bad-Ada");
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    `{"type":"fly"}`,
    `{"type":"say","room":"general","text":" ","seq":1}`,
  ]) {
    ada.socket.send(text);
    await ada.hears("error");
  }
  ada.say("x".repeat(LIMITS.text + 1), "general", 1);
  expect((await ada.hears("error")).text).toBe("A message has at most 2000 characters.");
  ada.socket.send(`{"type":"ping","x":"${"x".repeat(LIMITS.frame)}"}`);
  expect((await ada.hears("error")).text).toBe("That is too long.");
  ada.ask({ type: "ping" });
  await ada.hears("pong");
  ada.socket.send(new Uint8Array(3));
  expect((await ada.socket.closed).code).toBe(1003);
  expect(Request.safeParse({ type: "say", room: "general", text: "x", seq: 0 }).success).toBe(false);
});

test("a client that goes on asking too fast is let go", async () => {
  const ada = await Guest.enter("Fast-Ada");
  for (let i = 0; i < 200; i++) ada.ask({ type: "ping" });
  expect((await ada.hears("error")).text).toBe("You are too fast. Wait a moment.");
  expect((await ada.socket.closed).code).toBe(4429);
});

test("a client that says nothing, or nothing that is a hello, is let go", async () => {
  await using other = await startExample("10-chat-showcase", { env: { CHAT_HELLO: "50" } });
  const silent = await WebSocketClient.open(`ws://127.0.0.1:${other.port}/ws/chat`);
  expect((await silent.closed).code).toBe(4408);
  const open = () => WebSocketClient.open(`ws://127.0.0.1:${server.port}/ws/chat`);
  const [binary, wrong] = [await open(), await open()];
  binary.send(new Uint8Array(3));
  expect((await binary.closed).code).toBe(1003);
  wrong.send(`{"type":"ping"}`);
  expect((await wrong.closed).code).toBe(4400);
});

test("a line holds so many messages for one who does not read, and no more", async () => {
  let codes: number[] = [];
  const read = Promise.withResolvers<boolean>();
  const line = lineOf({
    trySendJson: () => read.promise,
    close: async (code = 0) => void codes.push(code),
  });
  for (let i = 0; i < LIMITS.waiting; i++) line.send({ type: "pong" });
  expect(codes).toEqual([]);
  line.send({ type: "pong" });
  expect(codes).toEqual([4413]);
  read.resolve(true);
  await read.promise;
  codes = [];
  await Promise.resolve();
  line.send({ type: "pong" });
  expect(codes).toEqual([]);
});

test("there is a limit to members, to rooms, and to the rooms of one member", () => {
  const chat = new Chat();
  const closed: number[] = [];
  const line = { send() {}, close: (code: number) => void closed.push(code) };
  const enter = (nick: string) => chat.enter({ type: "hello", nick, last: 0 }, line);
  const members = Array.from({ length: LIMITS.members }, () => enter("Ada"));
  expect(new Set(members.map((member) => member?.nick)).size).toBe(LIMITS.members);
  expect(closed).toEqual([]);
  expect(enter("Bob")).toBeUndefined();
  expect(closed).toEqual([4503]);

  let opened = 3;
  for (const member of members) {
    if (member === undefined || opened === LIMITS.rooms) break;
    while (member.rooms.size < LIMITS.roomsOfMember && opened < LIMITS.rooms)
      chat.join(member, `r${opened++}`);
  }
  const [first, last] = [members[0], members.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nobody is there");
  expect(() => chat.join(first, "random")).toThrow("You are in 20 rooms; leave one of them first.");
  expect(() => chat.join(last, "one-more")).toThrow("There are 100 rooms, and cannot be more.");
  chat.close();
});

test("TokenBucket: a burst, and then the rate", () => {
  let now = 0;
  const bucket = new TokenBucket(3, 2, () => now);
  const taken = (count: number) => Array.from({ length: count }, () => bucket.take());
  expect(taken(4)).toEqual([true, true, true, false]);
  now += 500;
  expect(taken(2)).toEqual([true, false]);
  now += 60_000;
  expect(taken(4)).toEqual([true, true, true, false]);
});

/** The events of the feed, one after the other. */
async function* feed(to: ServerProcess, lastEventId?: string): AsyncGenerator<Record<string, string>> {
  await using wire = await Wire.open({ host: "127.0.0.1", port: to.port });
  const resume = lastEventId === undefined ? "" : `Last-Event-ID: ${lastEventId}\r\n`;
  await wire.send(`GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n${resume}\r\n`);
  await wire.readTo("\r\n\r\n");
  for (;;) {
    const event = await wire.readTo("\n\n");
    yield Object.fromEntries(
      [...event.matchAll(/^(event|id|data): (.*)$/gm)].map(([, name, value]) => [name, value]),
    );
  }
}

test("the feed has rooms, statistics and news, and brings back the news that were missed", async () => {
  await using other = await startExample("10-chat-showcase", { env: { CHAT_STATS: "50", CHAT_GRACE: "20" } });
  const events = feed(other);
  const next = async (name: string, fits = (_data: unknown): boolean => true) => {
    for await (const { event, id, data = "" } of {
      [Symbol.asyncIterator]: () => ({ next: () => events.next() }),
    })
      if (event === name && fits(JSON.parse(data))) return { id, data: JSON.parse(data) };
    throw new Error("the feed has ended");
  };
  expect((await next("rooms")).data).toContainEqual({ name: "help", members: 0 });
  const ada = await Guest.enter("Ada", {}, other);
  const arrival = await next("arrival");
  expect(arrival.data).toEqual({ nick: "Ada" });
  ada.ask({ type: "join", room: "tea" });
  const opened = await next("room-opened");
  expect(opened.data).toEqual({ room: "tea" });
  expect(Number(opened.id)).toBeGreaterThan(Number(arrival.id));
  ada.say("counted");
  expect((await next("stats", (data) => Object(data).messages === 1)).data).toMatchObject({
    online: 1,
    away: 0,
    rooms: 4,
    feeds: 1,
  });
  await events.return(undefined);
  await ada.socket.close();

  const again = feed(other, arrival.id);
  const missed: string[] = [];
  for await (const { event = "" } of again) {
    if (event !== "stats" && event !== "rooms") missed.push(event);
    if (event === "departure") break;
  }
  expect(missed).toEqual(["room-opened", "room-closed", "departure"]);
});

test("the API, and a page that lets nothing else in", async () => {
  const stats = await fetch(`${server.url}/api/stats`);
  expect(stats.headers.get("cache-control")).toBe("no-store");
  expect(await stats.json()).toMatchObject({ rooms: expect.any(Number), uptime: expect.any(Number) });
  expect(await (await fetch(`${server.url}/api/rooms`)).json()).toContainEqual({
    name: "random",
    members: 0,
  });
  for (const path of ["/api/none", "/api/room/none/users", "/api/room/%00/history"])
    expect((await fetch(server.url + path)).status).toBe(404);
  const page = await fetch(server.url);
  expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'; script-src 'self';");
  expect((await fetch(`${server.url}/ws/chat`)).status).toBe(404);
});
