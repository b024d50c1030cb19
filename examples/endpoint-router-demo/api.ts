import type { HttpContext } from "pagi-server/context";
import { EndpointRouter, type Answer, type RouteBuilder } from "pagi-server/endpoint";
import { z } from "zod";

interface User {
  readonly id: number;
  readonly name: string;
  readonly email: string;
}

const NewUser = z.object({
  name: z.string().trim().min(1, "Enter a name.").max(100, "A name can have 100 characters at most."),
  email: z.email("Enter an email address.").max(200, "An email address can have 200 characters at most."),
});

const MAX_USERS = 100;

/** A router of its own, which does not know where it is mounted. */
export class Api extends EndpointRouter {
  readonly #users = new Map<number, User>();
  #lastId = 0;

  constructor() {
    super();
    this.#add({ name: "Ada", email: "ada@example.org" });
    this.#add({ name: "Grace", email: "grace@example.org" });
  }

  routes(r: RouteBuilder<this>): void {
    r.get("/info", this.info);
    r.get("/users", this.list);
    r.post("/users", this.create);
    r.get("/users/{id:\\d+}", [this.findUser], this.show).name("user");
    r.delete("/users/{id:\\d+}", [this.findUser], this.remove);
  }

  /** Whoever has mounted it has left the version in the stash. */
  info(c: HttpContext) {
    return c.json({ api: c.stash.get("version", "none"), users: this.#users.size });
  }

  list(c: HttpContext) {
    return c.json([...this.#users.values()]);
  }

  async create(c: HttpContext) {
    const user = await c.validate(NewUser);
    if (this.#users.values().some(({ email }) => email === user.email))
      return c.json({ detail: `${user.email} is there already.` }, { status: 409 });
    if (this.#users.size >= MAX_USERS) return c.json({ detail: "There is no more room." }, { status: 503 });
    const added = this.#add(user);
    const location = c.mountPath + this.uriFor("user", { id: added.id });
    return c.json(added, { status: 201, headers: { location } });
  }

  /** A step before handlers: it answers by itself, or leaves what it has found for them. */
  async findUser(c: HttpContext, next: () => Promise<Answer>) {
    const user = this.#users.get(Number(c.params["id"]));
    if (user === undefined) return c.json({ detail: "There is no such user." }, { status: 404 });
    c.stash.set("user", user);
    return next();
  }

  show(c: HttpContext<{ id: string }>) {
    return c.json(c.stash.get("user"));
  }

  remove(c: HttpContext<{ id: string }>) {
    this.#users.delete(Number(c.params.id));
    return c.empty();
  }

  #add(user: Omit<User, "id">): User {
    const added = { id: ++this.#lastId, ...user };
    this.#users.set(added.id, added);
    return added;
  }
}
