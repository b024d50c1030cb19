/** Lines that a conversation keeps on the page. */
const LONGEST = 500;

/**
 * What this tab knows: its rooms and private conversations, by key: `#room` or `@nick`. A line is `{ kind, at, from,
 * text }`, where a `note` or `problem` has no author.
 */
export class Conversations {
  #all = new Map();
  nick = "";
  currentKey = "";

  get current() {
    return this.#all.get(this.currentKey);
  }

  get(key) {
    return this.#all.get(key);
  }

  list(kind) {
    return [...this.#all.values()].filter((each) => each.kind === kind);
  }

  get unread() {
    return [...this.#all.values()].reduce((sum, each) => sum + each.unread, 0);
  }

  /** The room, made if there is none. */
  room(name) {
    return this.#ensure(`#${name}`, "room", name);
  }

  /** The private conversation with somebody, made if there is none. */
  private(nick) {
    return this.#ensure(`@${nick}`, "private", nick);
  }

  remove(key) {
    this.#all.delete(key);
    if (this.currentKey === key) this.currentKey = this.#all.keys().next().value ?? "";
  }

  /** Adds a line, and returns whether it is in the conversation that is shown. */
  add(conversation, line) {
    conversation.lines.push(line);
    if (conversation.lines.length > LONGEST) conversation.lines.shift();
    const isShown = conversation.key === this.currentKey;
    if (!isShown && (line.kind === "text" || line.kind === "action")) conversation.unread++;
    return isShown;
  }

  /** Takes over the name of somebody we talk with in private. */
  rename(was, nick) {
    const conversation = this.#all.get(`@${was}`);
    if (conversation === undefined || this.#all.has(`@${nick}`)) return;
    this.#all.delete(conversation.key);
    const isCurrent = this.currentKey === conversation.key;
    Object.assign(conversation, { key: `@${nick}`, name: nick });
    this.#all.set(conversation.key, conversation);
    if (isCurrent) this.currentKey = conversation.key;
  }

  #ensure(key, kind, name) {
    let conversation = this.#all.get(key);
    if (conversation === undefined) {
      conversation = { key, kind, name, lines: [], members: [], typing: [], unread: 0, draft: "" };
      this.#all.set(key, conversation);
      this.currentKey ||= key;
    }
    return conversation;
  }
}
