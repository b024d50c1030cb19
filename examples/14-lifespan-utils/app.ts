import { Database } from "bun:sqlite";
import { wrap } from "pagi-server/lifespan";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { visits } from "./visits.ts";

const router = new Router().get("/", PagiResponse.text("Hello from PAGI!\n")).mount("/visits", visits);

let db: Database;

export default wrap(router, {
  startup(state) {
    // What throws here keeps the server from starting.
    db = new Database(process.env["DATABASE"] ?? ":memory:");
    state["db"] = db;
    console.error("startup: database");
  },
  shutdown() {
    db.close();
    console.error("shutdown: database");
  },
});
