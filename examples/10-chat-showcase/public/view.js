const $ = (id) => document.getElementById(id);

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
/** Milliseconds within which messages of one author stand under one name. */
const TOGETHER = 5 * 60_000;
/** Pixels from the end within which somebody is reading the newest messages. */
const NEAR = 80;

/** An element with text: whatever a user has written gets onto the page through here, and is never HTML. */
function element(name, { text, ...properties } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key.startsWith("data-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** The same colour for the same name, everywhere. */
function hueOf(nick) {
  let hash = 0x811c9dc5;
  for (const char of nick) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193);
  return ((hash >>> 8) * 137) % 360;
}

/** Text that only the eye needs, since a label says it in words. */
function drawn(className, text) {
  return element("span", { className: `drawn ${className}`, "data-text": text, "aria-hidden": "true" });
}

function avatar(nick) {
  const made = drawn("avatar", [...nick][0].toUpperCase());
  made.style.setProperty("--hue", hueOf(nick));
  return made;
}

// ── the conversation ────────────────────────────────────────────────────────────────────────────────────────────

function isNearEnd() {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
}

export function scrollToEnd() {
  const log = $("log");
  log.scrollTop = log.scrollHeight;
  $("newest").hidden = true;
}

export function onLogScroll() {
  if (isNearEnd()) $("newest").hidden = true;
}

function lineElement(line, before, nick) {
  if (line.kind === "note" || line.kind === "problem") {
    return element("li", { className: line.kind }, element("p", { text: line.text, dir: "auto" }));
  }
  const time = element("time", {
    dateTime: new Date(line.at).toISOString(),
    title: WHOLE.format(line.at),
    text: CLOCK.format(line.at),
  });
  const isOwn = line.from === nick;
  if (line.kind === "action") {
    const words = element("p", { dir: "auto" }, element("b", { text: line.from }), ` ${line.text}`);
    return element("li", { className: isOwn ? "action own" : "action" }, words, time);
  }
  const goesOn = before?.kind === "text" && before.from === line.from && line.at - before.at < TOGETHER;
  const author = element("b", { className: "author", text: line.from });
  author.style.setProperty("--hue", hueOf(line.from));
  const head = element("div", { className: goesOn ? "head hidden-text" : "head" }, author, time);
  const text = element("p", { text: line.text, dir: "auto" });
  const item = element("li", { className: "text" }, head, text);
  if (!goesOn) item.prepend(avatar(line.from));
  else item.classList.add("goes-on");
  if (isOwn) item.classList.add("own");
  return item;
}

/** The whole conversation, from its end or where the reader is. Screen readers are not read all of it. */
export function showConversation(conversation, nick, { keepsPlace = false } = {}) {
  const log = $("log");
  const place = keepsPlace && !isNearEnd() ? log.scrollTop : undefined;
  log.setAttribute("aria-busy", "true");
  const items = conversation.lines.map((line, index, all) => lineElement(line, all[index - 1], nick));
  $("messages").replaceChildren(...items);
  $("empty").hidden = items.length > 0;
  log.setAttribute("aria-busy", "false");
  const sign = conversation.kind === "room" ? "#" : "@";
  const title = `${sign}${conversation.name}`;
  $("title").replaceChildren(element("span", { className: "sign", text: sign }), conversation.name);
  $("title").dir = "auto";
  $("text-label").textContent = `Message to ${title}`;
  $("text").placeholder = `Message to ${title}`;
  if (place === undefined) scrollToEnd();
  else log.scrollTop = place;
  showTyping(conversation, nick);
}

/** The newest line of the conversation that is shown. */
export function showNewLine(conversation, nick) {
  const isReading = isNearEnd();
  const line = conversation.lines.at(-1);
  $("messages").append(lineElement(line, conversation.lines.at(-2), nick));
  while ($("messages").children.length > conversation.lines.length) $("messages").firstElementChild.remove();
  $("empty").hidden = true;
  if (isReading || line.from === nick) scrollToEnd();
  else $("newest").hidden = false;
}

export function showTyping({ typing }, nick) {
  const others = typing.filter((each) => each !== nick);
  const [first, second] = others;
  const names = { 0: "", 1: `${first} is typing`, 2: `${first} and ${second} are typing` };
  const text = names[others.length] ?? `${others.length} people are typing`;
  $("typing").textContent = text;
  $("typing").classList.toggle("active", text !== "");
}

// ── the lists ───────────────────────────────────────────────────────────────────────────────────────────────────

function conversationItem(conversation, currentKey, onChoose) {
  const { key, kind, name, unread } = conversation;
  const button = element(
    "button",
    { type: "button" },
    drawn("sign", kind === "room" ? "#" : "@"),
    element("span", { className: "name", text: name, dir: "auto" }),
  );
  if (unread > 0) {
    button.append(drawn("badge", unread > 99 ? "99+" : unread));
    button.setAttribute("aria-label", `${name}, ${unread} unread`);
  }
  if (key === currentKey) button.setAttribute("aria-current", "true");
  button.dataset.key = key;
  button.addEventListener("click", () => onChoose(key));
  return element("li", {}, button);
}

/** Fills a list without taking the focus from the button that has it. */
function refill(list, items) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  list.replaceChildren(...items);
  if (focused !== undefined) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

export function showLists(conversations, allRooms, { onChoose, onJoin }) {
  const { currentKey } = conversations;
  const item = (each) => conversationItem(each, currentKey, onChoose);
  const privates = conversations.list("private");
  refill($("room-list"), conversations.list("room").map(item));
  refill($("private-list"), privates.map(item));
  $("private-part").hidden = privates.length === 0;
  const others = allRooms.filter(({ name }) => conversations.get(`#${name}`) === undefined);
  refill(
    $("other-list"),
    others.map(({ name, members }) => {
      const button = element(
        "button",
        { type: "button", "aria-label": `Join #${name}, ${members} ${members === 1 ? "person" : "people"}` },
        drawn("sign", "#"),
        element("span", { className: "name", text: name, dir: "auto" }),
        drawn("count", members),
      );
      button.dataset.key = `#${name}`;
      button.addEventListener("click", () => onJoin(name));
      return element("li", {}, button);
    }),
  );
  $("other-part").hidden = others.length === 0;
  const { unread } = conversations;
  $("unread-total").textContent = unread > 99 ? "99+" : unread;
  $("unread-total").hidden = unread === 0;
  document.title = unread === 0 ? "Chat" : `(${unread}) Chat`;
}

export function showPeople(conversation, nick, onPrivate) {
  const members = conversation.kind === "room" ? conversation.members : [];
  $("people").hidden = $("people-toggle").hidden = conversation.kind !== "room";
  $("chat").classList.toggle("without-people", conversation.kind !== "room");
  $("people-count").textContent = members.length;
  refill(
    $("people-list"),
    members.map((member) => {
      const name = element("span", { className: "name", text: member.nick, dir: "auto" });
      const parts = [avatar(member.nick), name];
      if (member.isAway) parts.push(drawn("remark", "away"));
      if (member.nick === nick) parts.push(element("span", { className: "remark", text: "you" }));
      const className = member.isAway ? "person away" : "person";
      if (member.nick === nick) return element("li", {}, element("div", { className }, ...parts));
      const label = `Private message to ${member.nick}${member.isAway ? ", who is away" : ""}`;
      const button = element("button", { type: "button", className, "aria-label": label }, ...parts);
      button.dataset.key = member.nick;
      button.addEventListener("click", () => onPrivate(member.nick));
      return element("li", {}, button);
    }),
  );
  const canLeave = conversation.kind === "private" || conversation.name !== "general";
  $("leave").hidden = !canLeave;
  $("leave").textContent = conversation.kind === "private" ? "Close" : "Leave room";
}

// ── around it ───────────────────────────────────────────────────────────────────────────────────────────────────

export function showStatus(state, text, trouble = "") {
  $("status").dataset.state = state;
  // The same words again would be read out again.
  if ($("status-text").textContent !== text) $("status-text").textContent = text;
  // While it is tried again the strip stays, so that nothing jumps.
  if (state === "connecting") return;
  $("trouble").hidden = trouble === "";
  $("trouble-text").textContent = trouble;
  $("retry").textContent = state === "replaced" ? "Use it here" : "Try now";
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export function showFigures({ online, rooms, messages, uptime }) {
  const people = `${count(online, "person", "people")} online`;
  for (const place of document.querySelectorAll("[data-figures]")) {
    place.textContent =
      place.dataset.figures === "short"
        ? `${people} in ${count(rooms, "room", "rooms")}`
        : `${people}, ${count(rooms, "room", "rooms")}, ${count(messages, "message", "messages")}. Up for ${duration(uptime)}.`;
  }
}

function duration(seconds) {
  if (seconds < 60) return count(seconds, "second", "seconds");
  if (seconds < 3600) return count(Math.floor(seconds / 60), "minute", "minutes");
  return count(Math.floor(seconds / 3600), "hour", "hours");
}

export function showNews(text) {
  $("news").textContent = text;
}

export function showEntrance(error = "") {
  $("chat").hidden = true;
  $("entrance").hidden = false;
  if ($("nick-error").textContent === error) return;
  $("nick-error").textContent = error;
  $("nick").setAttribute("aria-invalid", String(error !== ""));
  $("nick").focus();
}

export function showChat(nick) {
  $("new-nick").value = nick;
  $("nick-error").textContent = "";
  if (!$("chat").hidden) return;
  $("entrance").hidden = true;
  $("chat").hidden = false;
  $("text").focus();
}

/** On a narrow page the lists are drawers: at most one is open, and the focus goes in and comes back. */
export function toggleDrawer(name, isOpen = !$("chat").classList.contains(`${name}-open`)) {
  for (const each of ["rooms", "people"]) {
    const opens = each === name && isOpen;
    $("chat").classList.toggle(`${each}-open`, opens);
    $(`${each}-toggle`).setAttribute("aria-expanded", String(opens));
  }
  if (isOpen) $(name).querySelector("button, input")?.focus();
}

export function openDrawer() {
  return ["rooms", "people"].find((name) => $("chat").classList.contains(`${name}-open`));
}
