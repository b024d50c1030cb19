import { html } from "pagi-server/simple";
import type { SafeHtml } from "pagi-server/simple";
import { filtered, FILTERS, MAX_TITLE } from "./todos.ts";
import type { Filter, Todo } from "./todos.ts";

/** What the page shows. */
export interface PageState {
  readonly todos: readonly Todo[];
  readonly filter: Filter;
  /** Told to those who cannot see what has changed. */
  readonly notice?: string;
  /** What was typed in and not taken, for a new one or for the one that is edited. */
  readonly rejected?: { readonly title: string; readonly problem: string };
  readonly editing?: number;
}

const NAMES: Readonly<Record<Filter, string>> = { all: "All", active: "Active", completed: "Completed" };

export function pathOf(filter: Filter): string {
  return filter === "all" ? "/" : `/${filter}`;
}

export function page(state: PageState): SafeHtml {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${NAMES[state.filter]} to-dos</title>
        <link rel="icon" href="/assets/todo.svg" />
        <link rel="stylesheet" href="/assets/todo.css" />
        <script type="module" src="/assets/todo.js"></script>
      </head>
      <body>
        <p id="status" role="status" class="unseen">${state.notice}</p>
        <main>
          <h1>To do</h1>
          ${newForm(state)} ${list(state)} ${footer(state)}
        </main>
      </body>
    </html>`;
}

/** Each form says which list it was sent from, so that the answer leads back there. */
const from = (filter: Filter): SafeHtml => html`<input type="hidden" name="filter" value="${filter}" />`;

function newForm({ filter, rejected, editing }: PageState): SafeHtml {
  const wrong = editing === undefined ? rejected : undefined;
  return html`<form method="post" action="/todos" class="new">
    ${from(filter)}
    <label for="title">New to-do</label>
    <div class="row">
      ${titleField("title", wrong?.title ?? "", wrong?.problem, editing === undefined)}
      <button>Add</button>
    </div>
    ${problemNote("title", wrong?.problem)}
  </form>`;
}

function titleField(id: string, value: string, problem: string | undefined, hasFocus: boolean): SafeHtml {
  return html`<input
    id="${id}"
    name="title"
    value="${value}"
    maxlength="${MAX_TITLE}"
    required
    autocomplete="off"
    ${problem === undefined ? "" : html`aria-invalid="true" aria-describedby="${id}-problem"`}
    ${hasFocus ? html`autofocus` : ""}
  />`;
}

function problemNote(id: string, problem: string | undefined): SafeHtml | undefined {
  return problem === undefined ? undefined : html`<p id="${id}-problem" class="problem">${problem}</p>`;
}

function list(state: PageState): SafeHtml {
  const shown = filtered(state.todos, state.filter);
  if (shown.length === 0) return html`<p class="empty">Nothing here.</p>`;
  return html`<ul class="todos" aria-label="${NAMES[state.filter]} to-dos">
    ${shown.map((todo) => (todo.id === state.editing ? editForm(todo, state) : item(todo, state.filter)))}
  </ul>`;
}

function item({ id, title, done }: Todo, filter: Filter): SafeHtml {
  return html`<li id="todo-${id}" class="${done ? "done" : "open"}" tabindex="-1">
    <form method="post" action="/todos/${id}/toggle">
      ${from(filter)}
      <button
        id="toggle-${id}"
        class="toggle"
        aria-pressed="${String(done)}"
        aria-label="Done: ${title}"
      ></button>
    </form>
    <span class="title">${title}</span>
    <a id="edit-${id}" href="/todos/${id}/edit?filter=${filter}" aria-label="Edit: ${title}">Edit</a>
    <form method="post" action="/todos/${id}/delete">
      ${from(filter)}
      <button id="delete-${id}" class="quiet" aria-label="Delete: ${title}">Delete</button>
    </form>
  </li>`;
}

function editForm({ id, title }: Todo, { filter, rejected }: PageState): SafeHtml {
  return html`<li id="todo-${id}" class="editing">
    <form method="post" action="/todos/${id}">
      ${from(filter)}
      <label for="edited" class="unseen">Edit: ${title}</label>
      <div class="row">
        ${titleField("edited", rejected?.title ?? title, rejected?.problem, true)}
        <button>Save</button>
        <a href="${pathOf(filter)}#todo-${id}">Cancel</a>
      </div>
      ${problemNote("edited", rejected?.problem)}
    </form>
  </li>`;
}

function footer({ todos, filter }: PageState): SafeHtml | undefined {
  if (todos.length === 0) return undefined;
  const left = filtered(todos, "active").length;
  return html`<footer>
    <p id="left">${left} ${left === 1 ? "item" : "items"} left</p>
    <nav aria-label="Which to-dos">
      ${FILTERS.map(
        (each) =>
          html`<a id="show-${each}" href="${pathOf(each)}" ${each === filter ? html`aria-current="page"` : ""}
            >${NAMES[each]}</a
          > `,
      )}
    </nav>
    <form method="post" action="/todos/all">
      ${from(filter)}
      <button id="all" class="quiet" name="what" value="toggle">
        ${left > 0 ? "Complete all" : "Reopen all"}
      </button>
      ${todos.length > left ? html`<button id="clear" class="quiet" name="what" value="clear">Clear completed</button>` : ""}
    </form>
  </footer>`;
}
