import { html, Simple } from "pagi-server/simple";
import type { SafeHtml } from "pagi-server/simple";
import { z } from "zod";

const NewContact = z.object({
  name: z.string().trim().min(1, "A name is needed.").max(100),
  email: z.email("This is no e-mail address."),
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
      <style>
        :root {
          color-scheme: light dark;
        }
        body {
          font:
            1.1rem/1.5 system-ui,
            sans-serif;
          max-width: 32rem;
          margin: 3rem auto;
          padding: 0 1rem;
        }
        label {
          display: block;
        }
        input,
        button {
          font: inherit;
          padding: 0.3rem 0.6rem;
        }
        input {
          width: 100%;
          box-sizing: border-box;
        }
        strong {
          color: light-dark(#b00020, #ff8a95);
        }
      </style>
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
          ${field("name", "Name", "text", state)} ${field("email", "E-mail", "email", state)}
          <button>Add</button>
        </form>
      </main>
    </html>`;

const app = new Simple({ name: "Contacts" });

// Nothing but the page's own styles and form is allowed, whatever a contact may be called.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; img-src 'self'",
  );
});

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
