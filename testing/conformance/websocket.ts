import { careless, equal, outcome, valuesOf } from "./conformance-case.ts";
import type {
  ConformanceCase,
  ConformanceClient,
  ConformanceResponse,
  ConformanceWebSocket,
  Notes,
} from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import type { Application, WebSocketHandler } from "../../src/spec/application.ts";
import type { SendEvent, WebSocketReceiveEvent } from "../../src/spec/events.ts";

const SCOPE = "Www, WebSocket Connection Scope";
const ACCEPT = "Www, Accept";
const CLOSE = "Www, Close";
const ENFORCED = "Www, WebSocket Protocol Enforcement";
const DENIAL = "Www, WebSocket Denial Response";

type Offer = Parameters<ConformanceClient["websocket"]>[0];

/** Accepts, then does `then`. */
function accepts(then: (notes: Notes, ...call: Parameters<WebSocketHandler>) => Promise<void>) {
  return (notes: Notes): Application =>
    dispatch({
      async websocket(scope, receive, send) {
        notes.tell("first", await receive());
        await send({ type: "websocket.accept" });
        await then(notes, scope, receive, send);
      },
    });
}

async function open(
  client: ConformanceClient,
  offer: Offer = { target: "/" },
): Promise<ConformanceWebSocket> {
  const answer = await client.websocket(offer);
  if ("status" in answer) throw new Error(`The handshake was answered with ${answer.status}.`);
  return answer;
}

async function denied(client: ConformanceClient): Promise<ConformanceResponse> {
  const answer = await client.websocket({ target: "/" });
  if ("status" in answer) return answer;
  throw new Error("The handshake was accepted.");
}

async function untilDisconnect(
  receive: () => Promise<WebSocketReceiveEvent>,
): Promise<WebSocketReceiveEvent> {
  let event = await receive();
  while (event.type !== "websocket.disconnect") event = await receive();
  return event;
}

/** Sends back what comes, and notes the disconnect. */
const echo = accepts(async (notes, _scope, receive, send) => {
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.disconnect") {
      notes.tell("last", event);
      return;
    }
    if (event.type !== "websocket.receive") continue;
    await send(
      event.text === undefined
        ? { type: "websocket.send", bytes: event.bytes }
        : { type: "websocket.send", text: event.text },
    );
  }
});

/** A case whose application is refused one event, and goes on. `isOpen`: after its accept. */
function refuses(
  name: string,
  source: string,
  isOpen: boolean,
  wrong: SendEvent,
  code: "ERR_PAGI_EVENT" | "ERR_PAGI_STATE" | "resolved",
): ConformanceCase {
  return {
    name,
    source,
    app: (notes) =>
      careless("websocket", async (receive, send) => {
        await receive();
        if (isOpen) await send({ type: "websocket.accept" });
        notes.tell("outcome", await outcome(send(wrong)));
        if (!isOpen) await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "still here" });
      }),
    async check(client, notes) {
      const socket = await open(client);
      equal(await socket.next(), "still here", "the message that follows");
      equal(await notes.heard("outcome"), code, "what send did");
      await socket.closing();
    },
  };
}

/** WebSockets. */
export const WEBSOCKET_CASES: readonly ConformanceCase[] = [
  {
    name: "the scope has its scheme, path, query and subprotocols",
    source: SCOPE,
    app: accepts(async (notes, { type, scheme, path, query_string, subprotocols }) => {
      notes.tell("seen", [type, scheme, path, query_string, subprotocols]);
    }),
    async check(client, notes) {
      const socket = await open(client, { target: "/a%20b?c=d", subprotocols: ["chat", "json"] });
      equal(await notes.heard("seen"), ["websocket", "ws", "/a b", "c=d", ["chat", "json"]], "the scope");
      await socket.closing();
    },
  },
  {
    name: "the first event is connect",
    source: "Www, Connect",
    app: echo,
    async check(client, notes) {
      const socket = await open(client);
      equal(await notes.heard("first"), { type: "websocket.connect" }, "the first event");
      await socket.close(1000, "");
    },
  },
  {
    name: "messages of text and bytes go both ways, empty ones too",
    source: "Www, Receive; Www, Send",
    app: echo,
    async check(client) {
      const socket = await open(client);
      for (const message of ["hé", "", Uint8Array.of(0, 255), new Uint8Array(0), "x".repeat(70_000)]) {
        await socket.send(message);
        equal(await socket.next(), message, "the message that came back");
      }
      await socket.close(1000, "");
    },
  },
  {
    name: "many messages at once come in their order",
    source: "Www, Receive",
    app: echo,
    async check(client) {
      const socket = await open(client);
      const texts = Array.from({ length: 500 }, (_, i) => String(i));
      for (const text of texts) await socket.send(text);
      const back: unknown[] = [];
      while (back.length < texts.length) back.push(await socket.next());
      equal(back, texts, "the messages that came back");
      await socket.close(1000, "");
    },
  },
  {
    name: "the application chooses a subprotocol",
    source: ACCEPT,
    app: () =>
      dispatch({
        async websocket(_scope, receive, send) {
          await receive();
          await send({ type: "websocket.accept", subprotocol: "json" });
        },
      }),
    async check(client) {
      const socket = await open(client, { target: "/", subprotocols: ["chat", "json"] });
      equal(socket.subprotocol, "json", "the subprotocol");
      await socket.closing();
    },
  },
  {
    name: "none is chosen where the application chooses none",
    source: ACCEPT,
    app: echo,
    async check(client) {
      const socket = await open(client, { target: "/", subprotocols: ["chat"] });
      equal(socket.subprotocol, undefined, "the subprotocol");
      await socket.close(1000, "");
    },
  },
  refuses(
    "a subprotocol that was not offered is refused",
    ACCEPT,
    false,
    { type: "websocket.accept", subprotocol: "other" },
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a field of the handshake's own is refused",
    "Www, Handshake Headers and Subprotocols",
    false,
    { type: "websocket.accept", headers: [["sec-websocket-accept", "x"]] },
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a message before the accept is refused",
    ENFORCED,
    false,
    { type: "websocket.send", text: "a" },
    "ERR_PAGI_STATE",
  ),
  refuses("a second accept is refused", ENFORCED, true, { type: "websocket.accept" }, "ERR_PAGI_STATE"),
  refuses(
    "a denial after the accept is ignored",
    DENIAL,
    true,
    { type: "websocket.http.response.start", status: 401 },
    "resolved",
  ),
  refuses(
    "a code that may not be sent is refused",
    CLOSE,
    true,
    { type: "websocket.close", code: 1005 },
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a reason of more than 123 bytes is refused",
    CLOSE,
    true,
    { type: "websocket.close", reason: "x".repeat(124) },
    "ERR_PAGI_EVENT",
  ),
  {
    name: "the client's code and reason are told, behind its messages",
    source: "Www, Disconnect",
    app: echo,
    async check(client, notes) {
      const socket = await open(client);
      await socket.send("last");
      equal(await socket.next(), "last", "the message that came back");
      await socket.close(4001, "bye");
      equal(
        await notes.heard("last"),
        { type: "websocket.disconnect", code: 4001, reason: "bye" },
        "the event",
      );
    },
  },
  {
    name: "a client that is gone without closing is 1006",
    source: "Www, Disconnect",
    app: echo,
    async check(client, notes) {
      const socket = await open(client);
      await notes.heard("first");
      socket.drop();
      equal(
        await notes.heard("last"),
        { type: "websocket.disconnect", code: 1006, reason: "client_closed" },
        "the event",
      );
    },
  },
  {
    name: "the application's code and reason reach the client, behind its messages",
    source: CLOSE,
    app: accepts(async (_notes, _scope, _receive, send) => {
      await send({ type: "websocket.send", text: "a" });
      await send({ type: "websocket.close", code: 3001, reason: "dône" });
    }),
    async check(client) {
      const socket = await open(client);
      equal(await socket.next(), "a", "the message");
      equal(await socket.closing(), { code: 3001, reason: "dône" }, "the closing");
    },
  },
  {
    name: "a close without a code is 1000",
    source: CLOSE,
    app: accepts(async (_notes, _scope, _receive, send) => send({ type: "websocket.close" })),
    async check(client) {
      equal((await (await open(client)).closing()).code, 1000, "the code");
    },
  },
  {
    name: "an application that returns closes with 1000",
    source: "Spec, Application Completion Contract",
    app: accepts(async () => {}),
    async check(client) {
      equal((await (await open(client)).closing()).code, 1000, "the code");
    },
  },
  {
    name: "an application that throws closes with 1011, and says nothing of the error",
    source: "Spec, Error Handling",
    app: accepts(async () => {
      throw new Error("a secret");
    }),
    async check(client) {
      equal(await (await open(client)).closing(), { code: 1011, reason: "" }, "the closing");
    },
  },
  {
    name: "send does nothing after the end",
    source: "Www, Disconnected Client",
    app: accepts(async (notes, _scope, receive, send) => {
      await untilDisconnect(receive);
      notes.tell("outcomes", [
        await outcome(send({ type: "websocket.send", text: "a" })),
        await outcome(send({ type: "websocket.close" })),
      ]);
    }),
    async check(client, notes) {
      await (await open(client)).close(1000, "");
      equal(await notes.heard("outcomes"), ["resolved", "resolved"], "what send did");
    },
  },
  {
    name: "a close instead of an accept is a 403",
    source: DENIAL,
    app: () => dispatch({ websocket: async (_scope, _receive, send) => send({ type: "websocket.close" }) }),
    async check(client) {
      equal((await denied(client)).status, 403, "status");
    },
  },
  {
    name: "a handshake can be denied with a response",
    source: DENIAL,
    app: (notes) =>
      dispatch({
        async websocket(scope, receive, send) {
          notes.tell("extension", scope.extensions["websocket.http.response"]);
          await receive();
          await send({ type: "websocket.http.response.start", status: 401, headers: [["x-a", "b"]] });
          await send({ type: "websocket.http.response.body", body: "who ", more: true });
          await send({ type: "websocket.http.response.body", body: "are you?" });
        },
      }),
    async check(client, notes) {
      const { status, headers, body } = await denied(client);
      equal(await notes.heard("extension"), {}, "the extension");
      equal([status, body, ...valuesOf(headers, "x-a")], [401, "who are you?", "b"], "the response");
    },
  },
  {
    name: "a first message that is larger than the high-water mark is sent, and send goes on",
    source: "Spec, Backpressure",
    app: accepts(async (notes, _scope, _receive, send) => {
      await send({ type: "websocket.send", text: "x".repeat(200_000) });
      notes.tell("sent");
    }),
    async check(client, notes) {
      const socket = await open(client);
      equal((await socket.next())?.length, 200_000, "the message");
      await notes.heard("sent");
    },
  },
  {
    name: "an application that throws before its answer is a 500",
    source: "Spec, Error Handling",
    app: () =>
      dispatch({
        websocket: async () => {
          throw new Error("a secret");
        },
      }),
    async check(client) {
      equal((await denied(client)).status, 500, "status");
    },
  },
  {
    name: "a Ping that is answered keeps the WebSocket",
    source: "Www, Keepalive",
    app: accepts(async (notes, _scope, receive, send) => {
      await send({ type: "websocket.keepalive", interval: 0.01, timeout: 2 });
      notes.tell("last", await untilDisconnect(receive));
    }),
    async check(client, notes) {
      const socket = await open(client);
      await Bun.sleep(50); // five intervals; there is nothing else to wait for
      await socket.close(4000, "");
      equal(await notes.heard("last"), { type: "websocket.disconnect", code: 4000, reason: "" }, "the event");
    },
  },
  {
    name: "a server that stops closes with 1001",
    source: "Www, Standard Disconnect Reasons",
    app: echo,
    async check(client, notes) {
      const socket = await open(client);
      await notes.heard("first");
      const stopped = client.stop();
      equal((await socket.closing()).code, 1001, "the code");
      equal(
        await notes.heard("last"),
        { type: "websocket.disconnect", code: 1001, reason: "server_shutdown" },
        "the event",
      );
      await stopped;
    },
  },
];
