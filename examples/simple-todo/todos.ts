/** One thing to do. */
export interface Todo {
  readonly id: number;
  readonly title: string;
  readonly done: boolean;
}

export const FILTERS = ["all", "active", "completed"] as const;
export type Filter = (typeof FILTERS)[number];

/** UTF-16 units. */
export const MAX_TITLE = 200;
/** A list is part of a session, which has its limit. */
export const MAX_TODOS = 100;

export function isFilter(text: string | undefined): text is Filter {
  return FILTERS.some((each) => each === text);
}

export function filtered(todos: readonly Todo[], filter: Filter): readonly Todo[] {
  return filter === "all" ? todos : todos.filter(({ done }) => done === (filter === "completed"));
}

/** What is wrong with a title, if anything. */
export function problemOf(title: string): string | undefined {
  if (title === "") return "Write what is to be done.";
  if (title.length > MAX_TITLE) return `Use at most ${MAX_TITLE} characters.`;
  return undefined;
}

export function added(todos: readonly Todo[], title: string): Todo[] {
  const id = Math.max(0, ...todos.map((todo) => todo.id)) + 1;
  return [...todos, { id, title, done: false }];
}

/** The list with one of them changed, or without it where `change` returns nothing. */
export function changed(
  todos: readonly Todo[],
  id: number,
  change: (todo: Todo) => Todo | undefined,
): Todo[] {
  return todos.flatMap((todo) => (todo.id === id ? (change(todo) ?? []) : todo));
}
