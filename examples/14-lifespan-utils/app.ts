import { Database } from "bun:sqlite";
import { wrap } from "pagi-server/lifespan";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { visits } from "./visits.ts";

const router = new Router().get("/", PagiResponse.text("Hello from PAGI!\n")).mount("/visits", visits);

const file = process.env["DATABASE"] ?? ":memory:";
let db: Database;

export default wrap(router, {
  beforeWorkers() {
    // Once, however many workers there are: the place for migrations. If this throws, the server does not start.
    using once = new Database(file);
    once.run("PRAGMA journal_mode = WAL"); // workers then read while one of them writes
    console.error("once: database prepared");
  },
  startup(state) {
    // In every process that serves: each needs its own connection.
    db = new Database(file);
    db.run("PRAGMA busy_timeout = 2000");
    state["db"] = db;
    console.error("startup: database");
  },
  shutdown() {
    db.close();
    console.error("shutdown: database");
  },
  afterWorkers() {
    console.error("once: all workers have ended");
  },
});
