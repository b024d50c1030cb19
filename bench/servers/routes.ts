/** The collections of an imagined application; each has five routes. */
const COLLECTIONS = [
  ...["accounts", "addresses", "articles", "books", "calendars", "carts", "comments", "companies"],
  ...["contacts", "events", "files", "groups", "invoices", "messages", "orders", "payments"],
  ...["photos", "products", "projects", "users"],
];

/** What a route does, and under which method and path. */
export const ROUTES: readonly { method: "get" | "post" | "put" | "delete"; path: string }[] =
  COLLECTIONS.flatMap((name) => [
    { method: "get", path: `/${name}` },
    { method: "post", path: `/${name}` },
    { method: "get", path: `/${name}/:id` },
    { method: "put", path: `/${name}/:id` },
    { method: "delete", path: `/${name}/:id` },
  ]);

/** What each of them answers. */
export const answerTo = (id: string): object => ({ id, name: "Ada", tags: ["a", "b"] });
