import { Database } from "bun:sqlite";
import type { State } from "pagi-server";
import { handler } from "pagi-server/context";
import { wrap } from "pagi-server/lifespan";
import { Router } from "pagi-server/router";

/**
 * A part of an application that brings a startup and a shutdown of its own. It does not know who mounts it, only that the
 * state has a database: startup goes from the outside to the inside.
 */
export const visits = wrap(
  new Router().get(
    "/:name",
    handler((c) => {
      const { name } = c.params;
      const row = databaseIn(c.state)
        .query<{ count: number }, [string]>(
          "INSERT INTO visits VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET count = count + 1 RETURNING count",
        )
        .get(name);
      return c.text(`${name}: visit ${row?.count}\n`);
    }),
  ),
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

function databaseIn({ db }: State): Database {
  if (db instanceof Database) return db;
  throw new Error("The state has no database: wrap the application in a startup that opens one.");
}
