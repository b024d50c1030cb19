import { Connection } from "./connection.js";
import { Conversations } from "./conversations.js";
import * as view from "./view.js";

const $ = (id) => document.getElementById(id);
const address = new URL("ws/chat", location.href);
address.protocol = address.protocol.replace("http", "ws");

const connection = new Connection(address);
const conversations = new Conversations();
/** All rooms of the server, from the feed. */
let allRooms = [];
/** Rooms that a server which was started again has to be told of; nobody has asked to see them now. */
const returning = new Set();

// ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

function refreshLists() {
  view.showLists(conversations, allRooms, { onChoose: choose, onJoin: join });
}

function refreshPeople() {
  view.showPeople(conversations.current, conversations.nick, (nick) => {
    conversations.private(nick);
    choose(`@${nick}`);
  });
}

function choose(key) {
  const before = conversations.current;
  if (before !== undefined) before.draft = $("text").value;
  sayTyping(false);
  conversations.currentKey = key;
  const { current } = conversations;
  current.unread = 0;
  $("text").value = current.draft;
  view.toggleDrawer("rooms", false);
  view.showConversation(current, conversations.nick);
  refreshPeople();
  refreshLists();
  $("text").focus();
}

function addLine(conversation, line) {
  if (conversations.add(conversation, line)) view.showNewLine(conversation, conversations.nick);
  else refreshLists();
}

function note(conversation, text, kind = "note") {
  addLine(conversation, { kind, text, at: Date.now() });
}

// ── what the server says ────────────────────────────────────────────────────────────────────────────────────────

const CHANGES = {
  joined: ({ nick }) => `${nick} has come in`,
  left: ({ nick }) => `${nick} has left`,
  renamed: ({ was, nick }) => `${was} is now called ${nick}`,
};

const ON = {
  welcome({ nick, isResumed, rooms, privates }) {
    const isFirst = conversations.current === undefined;
    conversations.nick = nick;
    const known = new Set(conversations.list("room").map(({ name }) => name));
    for (const { name, members, messages } of rooms) {
      const room = conversations.room(name);
      room.members = members;
      if (known.has(name) && !isResumed) room.lines = [];
      for (const message of messages) conversations.add(room, message);
      known.delete(name);
    }
    for (const message of privates) addPrivate(message);
    // A server that was started again does not know where we were.
    for (const name of known) {
      conversations.room(name).lines = [];
      returning.add(name);
      connection.send({ type: "join", room: name });
    }
    view.showChat(nick);
    if (isFirst) {
      // What was said before this page was opened is not new to its reader.
      for (const each of [...conversations.list("room"), ...conversations.list("private")]) each.unread = 0;
      choose(conversations.currentKey);
    } else {
      view.showConversation(conversations.current, nick, { keepsPlace: true });
      refreshPeople();
      refreshLists();
    }
  },
  joined({ room: { name, members, messages } }) {
    const room = conversations.room(name);
    Object.assign(room, { members, lines: [...messages] });
    if (!returning.delete(name) || room.key === conversations.currentKey) choose(room.key);
  },
  left({ room }) {
    conversations.remove(`#${room}`);
    choose(conversations.currentKey);
  },
  message(message) {
    addLine(conversations.room(message.room), message);
  },
  private: addPrivate,
  members({ room: name, members, change }) {
    const room = conversations.room(name);
    room.members = members;
    if (change.kind === "renamed") conversations.rename(change.was, change.nick);
    const words = CHANGES[change.kind];
    if (words !== undefined) note(room, words(change));
    if (room.key === conversations.currentKey) refreshPeople();
    refreshLists();
  },
  typing({ room: name, nicks }) {
    const room = conversations.room(name);
    room.typing = nicks;
    if (room.key === conversations.currentKey) view.showTyping(room, conversations.nick);
  },
  renamed({ nick }) {
    conversations.nick = nick;
    $("new-nick").value = nick;
  },
  reply({ room, text }) {
    note(conversations.room(room), text);
  },
  error({ text }) {
    note(conversations.current, text, "problem");
  },
  accepted() {},
  pong() {},
};

function addPrivate({ from, to, text, at }) {
  const conversation = conversations.private(from === conversations.nick ? to : from);
  addLine(conversation, { kind: "text", from, text, at });
  refreshLists();
}

connection.addEventListener("message", ({ detail }) => ON[detail.type]?.(detail));

const STATUS = {
  connecting: ["Connecting"],
  connected: ["Connected"],
  waiting: ["Connection lost", "The page tries to come back by itself. What you say is sent then."],
  replaced: ["Open elsewhere", "You are in the chat in another tab."],
};

connection.addEventListener("status", ({ detail }) => {
  if (detail.state === "refused") view.showEntrance(detail.text);
  else {
    const [text, trouble] = STATUS[detail.state];
    view.showStatus(detail.state, text, detail.text ? `${detail.text} ${trouble}` : trouble);
    // Who has not come in yet sees only the entrance.
    if (trouble !== undefined && conversations.current === undefined)
      view.showEntrance(detail.text || "The server does not answer. The page tries again by itself.");
  }
  $("entrance-form").querySelector("button").disabled = detail.state === "connecting";
});

// ── what the user does ──────────────────────────────────────────────────────────────────────────────────────────

/** For what is asked for now or not at all. */
function ask(request) {
  if (!connection.send(request))
    note(conversations.current, "There is no connection. Try again later.", "problem");
}

function join(name) {
  if (conversations.get(`#${name}`) === undefined) ask({ type: "join", room: name });
  else choose(`#${name}`);
}

$("entrance-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const nick = $("nick").value.trim();
  if (nick.length < 2) view.showEntrance("Please give a nickname of at least 2 characters.");
  else connection.open({ nick });
});

$("join-form").addEventListener("submit", (event) => {
  event.preventDefault();
  join($("join-name").value.trim().replace(/^#/, "").toLowerCase());
  $("join-form").reset();
});

$("nick-form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask({ type: "nick", nick: $("new-nick").value });
});

$("say-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text === "") return;
  const { current } = conversations;
  // The server reads commands in rooms, where everybody would see what was meant for one.
  if (current.kind === "private" && text.startsWith("/"))
    return note(current, "Commands work in rooms.", "problem");
  if (current.kind === "room") connection.deliver({ type: "say", room: current.name, text });
  else connection.deliver({ type: "private", to: current.name, text });
  $("text").value = "";
  isTyping = false;
  view.scrollToEnd();
});

$("text").addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("say-form").requestSubmit();
});

let isTyping = false;
let typingTimer;
function sayTyping(typing) {
  clearTimeout(typingTimer);
  const { current } = conversations;
  if (typing) typingTimer = setTimeout(() => sayTyping(false), 4000);
  if (typing === isTyping || current?.kind !== "room") return;
  isTyping = typing;
  connection.send({ type: "typing", room: current.name, typing });
}
$("text").addEventListener("input", () => sayTyping(!/^\s*(\/|$)/.test($("text").value)));

$("leave").addEventListener("click", () => {
  const { current } = conversations;
  if (current.kind === "room") ask({ type: "leave", room: current.name });
  else {
    conversations.remove(current.key);
    choose(conversations.currentKey);
  }
});

$("retry").addEventListener("click", () => connection.retry());
$("newest").addEventListener("click", view.scrollToEnd);
$("log").addEventListener("scroll", view.onLogScroll, { passive: true });
$("rooms-toggle").addEventListener("click", () => view.toggleDrawer("rooms"));
$("people-toggle").addEventListener("click", () => view.toggleDrawer("people"));
addEventListener("keydown", (event) => {
  const name = view.openDrawer();
  if (event.key !== "Escape" || name === undefined) return;
  view.toggleDrawer(name, false);
  $(`${name}-toggle`).focus();
});
$("conversation").addEventListener("click", () => {
  const name = view.openDrawer();
  if (name !== undefined) view.toggleDrawer(name, false);
});

// ── the feed ────────────────────────────────────────────────────────────────────────────────────────────────────

const NEWS = {
  arrival: ({ nick }) => `${nick} has arrived.`,
  departure: ({ nick }) => `${nick} has gone.`,
  "room-opened": ({ room }) => `#${room} has been opened.`,
  "room-closed": ({ room }) => `#${room} has been closed.`,
};

/** The browser connects it again by itself, and says which news it has had. */
const feed = new EventSource("events");
feed.addEventListener("stats", ({ data }) => view.showFigures(JSON.parse(data)));
feed.addEventListener("rooms", ({ data }) => {
  allRooms = JSON.parse(data);
  refreshLists();
});
for (const [type, words] of Object.entries(NEWS)) {
  feed.addEventListener(type, ({ data }) => view.showNews(words(JSON.parse(data))));
}

const remembered = Connection.remembered();
if (remembered === undefined) view.showEntrance();
else {
  $("entrance").hidden = true;
  connection.open(remembered);
}
