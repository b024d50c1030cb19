import { createHash } from "node:crypto";
import { join } from "node:path";
import { directory } from "pagi-server/apps/directory";
import { handler, sseHandler, webSocketHandler } from "pagi-server/context";
import { wrap } from "pagi-server/lifespan";
import { compose, Router } from "pagi-server/router";
import { Session, sessions } from "pagi-server/session";
import { z } from "zod";
import { Counters } from "./counters.ts";
import { pagePolicy } from "./page-policy.ts";
import { requestLog } from "./request-log.ts";

/** Milliseconds between two pieces of a stream, and two events. */
const PAUSE = Number(process.env["DEMO_PAUSE"] ?? 500);
/** Bytes. */
const LONGEST_ECHO = 64 * 1024;
const LARGEST_FILE = 5 * 1024 * 1024;
/** Events of one stream. */
const TICKS = 10;

/** What the server knows of one visitor. */
interface Visitor {
  visits?: number;
  name?: string;
}

const NewName = z.object({ name: z.string().trim().min(1).max(40) });

/** What can be echoed as what it is; anything else could be a page, with scripts, of somebody else. */
const HARMLESS = new Set(["text/plain", "application/json"]);

const router = new Router()
  .get(
    "/hello",
    handler((c) => c.text("Hello, World!\n")),
  )
  .get(
    "/hello/:name",
    handler((c) => c.text(`Hello, ${c.params.name}!\n`)),
  )
  .name("hello")

  .post(
    "/echo",
    handler(async (c) => {
      const body = await c.request.bytes({ maxBytes: LONGEST_ECHO });
      const [type = ""] = (c.header("content-type") ?? "").split(";");
      const contentType = HARMLESS.has(type.trim().toLowerCase()) ? type.trim() : "application/octet-stream";
      return c.sendRaw(body, { contentType, headers: { "x-echoed-length": body.length } });
    }),
  )

  .get(
    "/stream",
    handler((c) => {
      const number = ++Counters.in(c.state).streams;
      return c.stream(pieces(number), { contentType: "text/plain; charset=utf-8" });
    }),
  )

  .get(
    "/visit",
    handler((c) => {
      const session = Session.of<Visitor>(c);
      const visits = session.get("visits", 0) + 1;
      session.set({ visits });
      const everybody = ++Counters.in(c.state).visits;
      return c.json({ name: session.get("name", "stranger"), visits, everybody });
    }),
  )
  .post(
    "/name",
    handler(async (c) => {
      // Such a form would come without the visitor's cookie, and be given another session.
      if (c.isCrossOrigin()) return c.text("This form is of another site.\n", { status: 403 });
      // What is wrong with the body is answered with a problem document (RFC 9457).
      const { name } = await c.validate(NewName);
      // Another id for somebody who is now somebody else.
      Session.of<Visitor>(c).regenerate().set({ name });
      return c.json({ name });
    }),
  )
  .post(
    "/forget",
    handler((c) => {
      Session.of<Visitor>(c).destroy();
      return c.empty();
    }),
  )

  .post(
    "/upload",
    handler(async (c) => {
      await using file = await c.request.upload("file", { maxFileSize: LARGEST_FILE });
      if (file === undefined || file.isEmpty()) return c.json({ error: "Choose a file." }, { status: 422 });
      Counters.in(c.state).uploads++;
      const sha256 = createHash("sha256");
      for await (const chunk of file.blob().stream()) sha256.update(chunk);
      return c.json({ name: file.basename, bytes: file.size, sha256: sha256.digest("hex") });
    }),
  )

  .websocket(
    "/ws/echo",
    webSocketHandler(async (c) => {
      const { websocket } = c;
      await websocket.accept();
      await websocket.sendText(`Welcome, ${Session.of<Visitor>(c).get("name", "stranger")}.`);
      await websocket.eachMessage((message) =>
        websocket.send(typeof message === "string" ? `Echo: ${message}` : message),
      );
    }),
  )

  .sse(
    "/events",
    sseHandler(async ({ sse, state }) => {
      const counters = Counters.in(state);
      let tick = /^\d$/.test(sse.lastEventId ?? "") ? Number(sse.lastEventId) : 0;
      await sse.every(PAUSE / 1000, async () => {
        if (++tick <= TICKS)
          return await sse.sendEvent({ event: "tick", id: tick, data: { tick, uptime: counters.uptime } });
        await sse.sendEvent({ event: "done", data: "That was all." });
        await sse.close();
      });
    }),
  )

  .mount("/", [pagePolicy], directory({ root: join(import.meta.dir, "public"), listing: false }));

/** A body that takes its time. When the client has gone, no more is asked for. */
async function* pieces(number: number): AsyncGenerator<string> {
  yield `Stream ${number} has started.\n`;
  for (const words of ["Working.", "Still working.", "Almost done."]) {
    await Bun.sleep(PAUSE);
    yield `${words}\n`;
  }
  await Bun.sleep(PAUSE);
  yield "That was all.\n";
}

const everything = compose([requestLog, sessions()])(router.toApp());

export default wrap(everything, {
  startup: (state) => {
    state["counters"] = new Counters();
  },
  shutdown: (state) => {
    const { uptime, visits, streams, uploads } = Counters.in(state);
    console.log(`Up for ${uptime} s: ${visits} visits, ${streams} streams, ${uploads} uploads.`);
  },
});
