/** Milliseconds. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const HEARTBEAT = 20_000;
const PATIENCE = 10_000;
/** Codes of the server after which connecting again would not help; see messages.ts. */
const REFUSED = 4400;
const REPLACED = 4409;

const STORED = "chat";

/**
 * The WebSocket, which comes back by itself: after a lost connection the server is told who we were and what we have
 * seen last, and what may not have arrived is sent again under the same number.
 *
 * Events, each with a `detail`: `message` (what the server sent), `status` ({ state, text }).
 */
export class Connection extends EventTarget {
  #url;
  #socket;
  #nick = "";
  #token;
  #last = 0;
  #seq = 0;
  /** Requests with a number that the server has not accepted yet. */
  #outbox = [];
  #attempts = 0;
  #timer;
  #heartbeat;
  #patience;
  #isWelcome = false;

  constructor(url) {
    super();
    this.#url = url;
    addEventListener("online", () => this.#timer !== undefined && this.retry());
    addEventListener("offline", () => this.#socket?.close());
  }

  /** Who this tab was before it was loaded again, if it was anybody. */
  static remembered() {
    try {
      const { nick, token } = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
      return typeof nick === "string" && typeof token === "string" ? { nick, token } : undefined;
    } catch {
      return undefined;
    }
  }

  open({ nick, token }) {
    this.#nick = nick;
    this.#token = token;
    this.retry();
  }

  /** Connects now instead of later. */
  retry() {
    if (this.#nick === "" || this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Sends what need not be sent again. False when there is no connection. */
  send(request) {
    if (!this.#isWelcome) return false;
    this.#socket.send(JSON.stringify(request));
    return true;
  }

  /** Sends what must arrive, now or later, and once. */
  deliver(request) {
    const numbered = { ...request, seq: ++this.#seq };
    this.#outbox.push(numbered);
    this.send(numbered);
  }

  #connect() {
    this.#timer = undefined;
    this.#tell("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#patience = setTimeout(() => socket.close(), PATIENCE);
    socket.onopen = () => {
      const hello = { type: "hello", nick: this.#nick, last: this.#last };
      if (this.#token !== undefined) hello.token = this.#token;
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      if (this.#socket === socket) this.#lose(code, reason);
    };
  }

  #receive(message) {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    if (message.id > this.#last) this.#last = message.id;
    if (message.type === "accepted") this.#outbox = this.#outbox.filter(({ seq }) => seq > message.seq);
    if (message.type === "renamed") this.#remember(message.nick, this.#token);
    if (message.type === "welcome") this.#enter(message);
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
    if (message.type === "welcome") {
      this.#tell("connected");
      for (const request of this.#outbox) this.send(request);
    }
  }

  #enter({ nick, token, isResumed, seq, rooms, privates }) {
    this.#remember(nick, token);
    this.#attempts = 0;
    this.#isWelcome = true;
    if (isResumed) {
      this.#outbox = this.#outbox.filter((request) => request.seq > seq);
      this.#seq = Math.max(this.#seq, seq);
    } else {
      // A server that does not know us counts from the beginning, and so do we.
      this.#last = 0;
      this.#outbox.forEach((request, index) => (request.seq = seq + index + 1));
      this.#seq = seq + this.#outbox.length;
    }
    for (const { id } of [...rooms.flatMap((room) => room.messages), ...privates]) {
      if (id > this.#last) this.#last = id;
    }
    this.#heartbeat = setInterval(() => this.#ping(), HEARTBEAT);
  }

  /** A connection can be gone without anybody having said so. */
  #ping() {
    const socket = this.#socket;
    this.send({ type: "ping" });
    this.#patience ??= setTimeout(() => {
      if (this.#socket !== socket) return;
      socket.close();
      this.#lose(1006, "");
    }, PATIENCE);
  }

  #lose(code, reason) {
    this.#socket = undefined;
    this.#isWelcome = false;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#patience);
    this.#patience = undefined;
    if (code === REFUSED) {
      this.#nick = "";
      this.#tell("refused", { text: reason });
    } else if (code === REPLACED) {
      this.#tell("replaced");
    } else {
      // All clients lose a server at the same time, and must not all come back at the same time.
      const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts++);
      const delay = longest * (0.5 + Math.random() / 2);
      this.#timer = setTimeout(() => this.retry(), delay);
      this.#tell("waiting", { text: reason });
    }
  }

  #remember(nick, token) {
    this.#nick = nick;
    this.#token = token;
    try {
      sessionStorage.setItem(STORED, JSON.stringify({ nick, token }));
    } catch {
      // A browser that keeps nothing for the page: then it is somebody new when it is loaded again.
    }
  }

  #tell(state, more = {}) {
    this.dispatchEvent(new CustomEvent("status", { detail: { state, ...more } }));
  }
}
