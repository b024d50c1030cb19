import { Session, sessions } from "pagi-server/session";
import { Simple, step } from "pagi-server/simple";
import type { SimpleContext } from "pagi-server/simple";
import { page, pathOf } from "./page.ts";
import type { PageState } from "./page.ts";
import { added, changed, filtered, FILTERS, isFilter, MAX_TODOS, problemOf } from "./todos.ts";
import type { Filter, Todo } from "./todos.ts";

/**
 * What a session holds: which list is the visitor's. The list itself is not in it, as two requests at
 * the same time, of two windows say, would overwrite each other's session.
 */
interface Visitor {
  list: string;
}

const MAX_LISTS = 10_000;

/** Every run of the application has its own. */
const lists = new Map<string, readonly Todo[]>();

const app = new Simple({ name: "To do" });

app.use(sessions({ idleTimeout: 7 * 24 * 3600, absoluteTimeout: 90 * 24 * 3600 }));

// Scripts and styles are files of this application and nothing else, whatever a title may say.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
  // A form on a page elsewhere would come without the session's cookie, and be given another session.
  if (c.method === "POST" && c.isCrossOrigin()) c.abort(403, "This form is of another site.");
});

app.static("/assets", `${import.meta.dir}/public`);

function listOf(c: SimpleContext): string {
  const session = Session.of<Visitor>(c);
  // Made with the first page, so that the event stream finds it.
  if (!session.has("list")) session.set("list", crypto.randomUUID());
  return session.get("list");
}

function todosOf(c: SimpleContext): readonly Todo[] {
  return lists.get(listOf(c)) ?? [];
}

function show(c: SimpleContext, state: Omit<PageState, "todos">, status = 200) {
  c.setHeader("cache-control", "no-store");
  return c.html(page({ todos: todosOf(c), ...state }), { status });
}

async function filterOf(c: SimpleContext): Promise<Filter> {
  const filter = await c.param("filter");
  return isFilter(filter) ? filter : "all";
}

/**
 * Changes a list, and tells the visitor's other windows. A form leads back to where it was, so that loading the page
 * again sends nothing again; the script of the page gets the page at once, and what has happened to be read out.
 */
async function keep(
  c: SimpleContext,
  change: (todos: readonly Todo[]) => readonly Todo[],
  notice: string,
  target = "",
) {
  const filter = await filterOf(c);
  const list = listOf(c);
  lists.set(list, change(lists.get(list) ?? []));
  const [oldest] = lists.keys();
  if (lists.size > MAX_LISTS && oldest !== undefined) lists.delete(oldest);
  await app.publish(list, "changed");
  if (c.header("x-requested-with") !== "fetch") return c.redirect(pathOf(filter) + target, 303);
  return show(c.setHeader("content-location", pathOf(filter)), { filter, notice });
}

for (const filter of FILTERS) app.get(pathOf(filter), (c) => show(c, { filter }));

app.post("/todos", async (c) => {
  const todos = todosOf(c);
  const title = ((await c.request.formParam("title")) ?? "").trim();
  const problem = todos.length < MAX_TODOS ? problemOf(title) : `${MAX_TODOS} are enough: delete one before.`;
  if (problem === undefined) return keep(c, (before) => added(before, title), `Added: ${title}`);
  return show(c, { filter: await filterOf(c), rejected: { title, problem } }, 422);
});

app.post("/todos/all", async (c) => {
  if ((await c.request.formParam("what")) === "clear")
    return keep(c, (todos) => filtered(todos, "active"), "Cleared the completed ones.");
  const done = filtered(todosOf(c), "active").length > 0;
  const change = (todos: readonly Todo[]) => todos.map((todo) => ({ ...todo, done }));
  return keep(c, change, done ? "Completed all." : "Reopened all.");
});

const found = step((c, next) => {
  const todo = todosOf(c).find(({ id }) => id === Number(c.pathParam("id")));
  if (todo === undefined) c.abort(404, "There is no such to-do any more.");
  c.stash.set("todo", todo);
  return next();
});

app.group("/todos/{id:\\d{1,9}}", [found], (one) => {
  const todoOf = (c: SimpleContext): Todo => c.stash.get("todo") as Todo;

  one.get("/edit", async (c) => show(c, { filter: await filterOf(c), editing: todoOf(c).id }));

  one.post("", async (c) => {
    const { id } = todoOf(c);
    const title = ((await c.request.formParam("title")) ?? "").trim();
    const problem = problemOf(title);
    if (problem !== undefined)
      return show(c, { filter: await filterOf(c), editing: id, rejected: { title, problem } }, 422);
    return keep(
      c,
      (todos) => changed(todos, id, (todo) => ({ ...todo, title })),
      `Changed: ${title}`,
      `#todo-${id}`,
    );
  });

  one.post("/toggle", (c) => {
    const { id, title, done } = todoOf(c);
    const change = (todos: readonly Todo[]) => changed(todos, id, (todo) => ({ ...todo, done: !done }));
    return keep(c, change, `${done ? "Reopened" : "Completed"}: ${title}`, `#todo-${id}`);
  });

  one.post("/delete", (c) => {
    const { id, title } = todoOf(c);
    return keep(c, (todos) => changed(todos, id, () => undefined), `Deleted: ${title}`);
  });
});

// The message only says that something has changed: the other windows fetch what they show.
app.sse("/live", async (sse) => {
  const list = Session.of<Visitor>(sse).get("list", undefined);
  if (list !== undefined) await sse.subscribe(list, () => sse.sendEvent({ event: "changed", data: "" }));
});

export default app;
