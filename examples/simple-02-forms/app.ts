import { html, Simple } from "pagi-server/simple";
import type { SafeHtml } from "pagi-server/simple";
import { z } from "zod";

const NewContact = z.object({
  name: z.string().trim().min(1, "Enter a name.").max(100),
  email: z.email("Enter a valid email address."),
});
const ContactChange = NewContact.partial();
const ContactList = z.array(NewContact).max(100);

interface Contact extends z.infer<typeof NewContact> {
  readonly id: number;
}

const MAX_CONTACTS = 1000;

/** Every run of the application has its own. */
const contacts = new Map<number, Contact>();
let lastId = 0;

function add(fields: z.infer<typeof NewContact>): Contact {
  const contact = { id: ++lastId, ...fields };
  contacts.set(contact.id, contact);
  if (contacts.size > MAX_CONTACTS) contacts.delete(Math.min(...contacts.keys()));
  return contact;
}

add({ name: "Ada Lovelace", email: "ada@example.com" });
add({ name: "Charles Babbage", email: "charles@example.com" });

interface FormState {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly errors?: { readonly name?: string[] | undefined; readonly email?: string[] | undefined };
}

function field(
  name: "name" | "email",
  label: string,
  type: string,
  { errors, ...values }: FormState,
): SafeHtml {
  const error = errors?.[name]?.join(" ");
  return html`<p>
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      required
      value="${values[name]}"
      ${error === undefined ? "" : html`aria-invalid="true" aria-describedby="${name}-error" autofocus`}
    />
    ${error === undefined ? "" : html`<strong id="${name}-error">${error}</strong>`}
  </p>`;
}

const page = (state: FormState = {}): SafeHtml =>
  html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Contacts</title>
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="assets/style.css" />
      <main>
        <h1>Contacts</h1>
        <ul>
          ${[...contacts.values()].map(
            ({ name, email }) =>
              html`<li>${name}, <a href="mailto:${encodeURIComponent(email)}">${email}</a></li>`,
          )}
        </ul>
        <h2>Add a contact</h2>
        <form method="post" action="/contacts">
          ${field("name", "Name", "text", state)} ${field("email", "Email address", "email", state)}
          <button>Add</button>
        </form>
      </main>
    </html>`;

const app = new Simple({ name: "Contacts" });

// Only the page's own style and form are allowed, whatever a contact may be called.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
});

app.static("/assets", `${import.meta.dir}/public`);

app.get("/", () => page());

app.get("/contacts", () => ({ contacts: [...contacts.values()] }));

// A form of a browser: shown again with what is wrong, or answered with a redirect, so that reloading adds nothing.
// Anything else: JSON, or a problem document (422).
app.post("/contacts", async (c) => {
  if (c.preferredType("json", "html") !== "html")
    return c.json(add(await c.validate(NewContact)), { status: 201 });
  const sent = (await c.request.formParams()).toObject("last");
  const checked = NewContact.safeParse(sent);
  if (!checked.success) {
    const state = { ...sent, errors: z.flattenError(checked.error).fieldErrors };
    return c.html(page(state), { status: 422 });
  }
  add(checked.data);
  return c.redirect("/", 303);
});

app.post("/contacts/bulk", async (c) => {
  const created = (await c.validate(ContactList)).map(add);
  return c.json({ created: created.length }, { status: 201 });
});

app.group("/contacts/{id:\\d{1,9}}", (contact) => {
  const found = (id: string): Contact | undefined => contacts.get(Number(id));

  contact.get("", (c) => found(c.params.id) ?? c.abort(404, `There is no contact ${c.params.id}.`));

  contact.put("", async (c) => {
    const before = found(c.params.id) ?? c.abort(404, `There is no contact ${c.params.id}.`);
    const { name = before.name, email = before.email } = await c.validate(ContactChange);
    const changed = { ...before, name, email };
    contacts.set(changed.id, changed);
    return changed;
  });

  contact.delete("", (c) => {
    if (!contacts.delete(Number(c.params.id))) c.abort(404, `There is no contact ${c.params.id}.`);
    return c.empty();
  });
});

app.get("/search", (c) => {
  const query = (c.queryParam("q") ?? "").toLowerCase();
  const isHit = ({ name, email }: Contact): boolean => `${name}\n${email}`.toLowerCase().includes(query);
  return { query, contacts: query === "" ? [] : [...contacts.values()].filter(isHit) };
});

export default app;
