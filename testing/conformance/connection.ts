import { equal, holds, outcome, readText } from "./conformance-case.ts";
import type { ConformanceCase, ConformanceClient, Notes } from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import { DISCONNECT_REASONS } from "../../src/spec/connection-state.ts";

const STATE = "Www, Connection State";
const GONE = "Www, Disconnected Client";
const FLOW = "Www, Transport Flow Control";

/** What a client that goes away can be to a server, depending on what was on its way. */
const LOSSES: readonly unknown[] = ["client_closed", "read_error", "write_error"];

/** Begins a response without an end, and goes away when the application has begun. */
async function leave(client: ConformanceClient, notes: Notes): Promise<void> {
  const stream = client.stream({ target: "/" });
  await stream.head();
  await notes.heard("begun");
  stream.drop();
}

/** How an application sees its client, and how much of the response it still has. */
export const CONNECTION_CASES: readonly ConformanceCase[] = [
  {
    name: "a request is connected until its response is complete, which is no disconnect",
    source: 'Www, What "connection" means here',
    app: (notes) =>
      dispatch({
        async http(scope, receive, send) {
          const connection = scope["pagi.connection"];
          connection.onDisconnect(() => notes.tell("disconnect"));
          connection.onComplete(() => notes.tell("complete", connection.disconnectReason() ?? "none"));
          const before = [
            connection.isConnected(),
            connection.responseStarted(),
            connection.responseComplete(),
          ];
          await send({ type: "http.response.start", status: 200 });
          const started = connection.responseStarted();
          await send({ type: "http.response.body", body: "a" });
          let event = await receive();
          while (event.type === "http.request") event = await receive();
          const after = [connection.isConnected(), connection.responseComplete(), event.type];
          notes.tell("seen", [before, started, after]);
        },
      }),
    async check(client, notes) {
      await client.request({ target: "/" });
      equal(
        await notes.heard("seen"),
        [[true, false, false], true, [false, true, "http.disconnect"]],
        "the states",
      );
      equal(await notes.heard("complete"), "none", "the reason when it is complete");
    },
  },
  {
    name: "a client that goes away is told by callback, promise, signal, event and state",
    source: STATE,
    app: (notes) =>
      dispatch({
        async http(scope, receive, send) {
          const connection = scope["pagi.connection"];
          const { signal } = connection;
          connection.onDisconnect((reason) => notes.tell("callback", [reason, connection.isConnected()]));
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "a", more: true });
          notes.tell("begun");
          const reason = await connection.whenDisconnected();
          let event = await receive();
          while (event.type === "http.request") event = await receive();
          notes.tell("all", [
            event.type,
            signal.aborted,
            signal.reason === reason,
            connection.disconnectReason() === reason,
          ]);
          notes.tell("reason", reason);
        },
      }),
    async check(client, notes) {
      await leave(client, notes);
      const reason = await notes.heard("reason");
      holds(LOSSES.includes(reason), `the reason '${String(reason)}' is that of a client that has gone`);
      equal(await notes.heard("callback"), [reason, false], "what the callback saw");
      equal(await notes.heard("all"), ["http.disconnect", true, true, true], "the other ways");
    },
  },
  {
    name: "send does nothing after the client has gone, whatever it is given",
    source: GONE,
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "a", more: true });
          notes.tell("begun");
          await scope["pagi.connection"].whenDisconnected();
          const outcomes = [
            await outcome(send({ type: "http.response.body", body: "b", more: true })),
            await outcome(send({ type: "http.response.body", body: "c" })),
          ];
          notes.tell("outcomes", outcomes);
        },
      }),
    async check(client, notes) {
      await leave(client, notes);
      equal(await notes.heard("outcomes"), ["resolved", "resolved"], "what send did");
    },
  },
  {
    name: "receive tells of the disconnect again and again",
    source: "Www, Disconnect",
    app: (notes) =>
      dispatch({
        async http(_scope, receive, send) {
          await receive();
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "a", more: true });
          notes.tell("begun");
          notes.tell("types", [(await receive()).type, (await receive()).type]);
        },
      }),
    async check(client, notes) {
      await leave(client, notes);
      equal(await notes.heard("types"), ["http.disconnect", "http.disconnect"], "the events");
    },
  },
  {
    name: "a callback that is registered after the disconnect runs at once",
    source: STATE,
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          const connection = scope["pagi.connection"];
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "a", more: true });
          notes.tell("begun");
          await connection.whenDisconnected();
          connection.onDisconnect((reason) =>
            notes.tell(
              "late",
              DISCONNECT_REASONS.some((each) => each === reason),
            ),
          );
        },
      }),
    async check(client, notes) {
      await leave(client, notes);
      equal(await notes.heard("late"), true, "the callback has a standard reason");
    },
  },
  {
    name: "a callback that throws keeps neither the others from running nor the response from its end",
    source: "Www, Server Requirements",
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          scope["pagi.connection"].onComplete(() => {
            throw new Error("the first callback");
          });
          scope["pagi.connection"].onComplete(() => notes.tell("second"));
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "a" });
        },
      }),
    async check(client, notes) {
      equal((await client.request({ target: "/" })).body, "a", "body");
      equal(await notes.heard("second"), true, "the second callback");
    },
  },
  {
    name: "a client that does not read makes send wait, with callbacks at both marks",
    source: FLOW,
    settings: { highWaterMark: 32_768, lowWaterMark: 8192 },
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          const transport = scope["pagi.transport"];
          let isHigh = false;
          transport.onHighWater(() => {
            isHigh = true;
            notes.tell("high", [
              transport.bufferedAmount() >= transport.highWaterMark(),
              transport.highWaterMark(),
              transport.lowWaterMark(),
            ]);
          });
          transport.onDrain(() => notes.tell("low", transport.bufferedAmount() <= transport.lowWaterMark()));
          await send({ type: "http.response.start", status: 200 });
          const chunk = "x".repeat(65_536);
          let length = 0;
          while (!isHigh && length < 1 << 28) {
            await send({ type: "http.response.body", body: chunk, more: true });
            length += chunk.length;
          }
          await send({ type: "http.response.body" });
          notes.tell("length", length);
        },
      }),
    async check(client, notes) {
      const stream = client.stream({ target: "/" });
      await stream.head();
      stream.pause();
      equal(await notes.heard("high"), [true, 32_768, 8192], "at the high-water mark");
      stream.resume();
      const received = (await readText(stream)).length;
      equal(await notes.heard("low"), true, "at the low-water mark");
      equal(received, await notes.heard("length"), "what has come");
    },
  },
  {
    name: "a send that waits goes on when the client has gone",
    source: FLOW,
    settings: { highWaterMark: 32_768, lowWaterMark: 8192 },
    app: (notes) =>
      dispatch({
        async http(scope, _receive, send) {
          scope["pagi.transport"].onHighWater(() => notes.tell("high"));
          await send({ type: "http.response.start", status: 200 });
          while (scope["pagi.connection"].isConnected())
            await send({ type: "http.response.body", body: "x".repeat(65_536), more: true });
          notes.tell("over", scope["pagi.transport"].bufferedAmount());
        },
      }),
    async check(client, notes) {
      const stream = client.stream({ target: "/" });
      await stream.head();
      stream.pause();
      await notes.heard("high");
      stream.drop();
      equal(await notes.heard("over"), 0, "bytes that still wait");
    },
  },
];
