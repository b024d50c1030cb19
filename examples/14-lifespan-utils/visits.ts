import { Database } from "bun:sqlite";
import { wrap } from "pagi-server/lifespan";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";

/**
 * A part of an application that brings a startup and a shutdown of its own. It does not know who mounts it, only that the
 * state has a database: startup goes from the outside to the inside.
 */
export const visits = wrap(
  new Router().get("/:name", async (scope, _receive, send) => {
    const { name } = scope.path_params;
    const row = databaseIn(scope.state)
      .query<{ count: number }, [string]>(
        "INSERT INTO visits VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET count = count + 1 RETURNING count",
      )
      .get(name);
    await PagiResponse.text(`${name}: visit ${row?.count}\n`).respond(send, scope);
  }),
  {
    startup(state) {
      databaseIn(state).run(
        "CREATE TABLE IF NOT EXISTS visits (name TEXT PRIMARY KEY, count INTEGER NOT NULL)",
      );
      console.error("startup: visits");
    },
    shutdown(state) {
      const row = databaseIn(state)
        .query<{ total: number }, []>("SELECT total(count) AS total FROM visits")
        .get();
      console.error(`shutdown: visits, ${row?.total} in all`);
    },
  },
);

function databaseIn({ db }: Readonly<Record<string, unknown>>): Database {
  if (db instanceof Database) return db;
  throw new Error("The state has no database: wrap the application in a startup that opens one.");
}
