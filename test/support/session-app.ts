import { dispatch } from "../../src/spec/index.ts";
import { Session, sessions, SqliteStore } from "../../src/toolkit/session.ts";

// An application for tests of several processes: counts in a session that is in the file of SESSIONS_FILE.

const { SESSIONS_FILE } = process.env;
if (SESSIONS_FILE === undefined) throw new Error("SESSIONS_FILE names no file");

const app = dispatch({
  async http(scope, _receive, send) {
    const session = Session.of<{ count?: number }>(scope);
    if (scope.path === "/logout") session.destroy();
    else if (scope.path === "/count") session.set("count", session.get("count", 0) + 1);
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: String(session.get("count", "none")) });
  },
});

export default sessions({ store: await SqliteStore.open(SESSIONS_FILE) })(app);
