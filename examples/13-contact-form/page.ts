import { MAX_FILE_SIZE, MAX_FILES, TOPICS } from "./contact.ts";
import { ACCEPT, ACCEPTED } from "./file-kind.ts";
import { html, type Content, type Html } from "./html.ts";
import type { Receipt } from "./mailbox.ts";

/** What is wrong; `field` is the name of a field, or undefined for the form as a whole. */
export interface Problem {
  readonly field?: string | undefined;
  readonly message: string;
}

/** How the form is shown: with what was entered, and what is wrong with it. */
export interface FormState {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** Browsers send files, but do not take them back. */
  readonly hadFiles: boolean;
}

export const EMPTY: FormState = { values: new Map(), problems: [], hadFiles: false };

export function contactPage(state: FormState): Html {
  const { problems, hadFiles } = state;
  const value = (name: string): string => state.values.get(name) ?? "";
  const topics = Object.entries(TOPICS).map(
    ([key, label]) => html`<option value="${key}" ${value("topic") === key && SELECTED}>${label}</option>`,
  );
  const megabytes = MAX_FILE_SIZE / 1024 / 1024;
  const files = `${MAX_FILES} at most, each of ${megabytes} MB at most: ${ACCEPTED}.`;

  const name = field(state, "name", "Name", undefined, (ties) => {
    return html`<input ${ties} value="${value("name")}" autocomplete="name" required />`;
  });
  const email = field(state, "email", "Email address", "We answer to this address.", (ties) => {
    return html`<input ${ties} type="email" value="${value("email")}" autocomplete="email" required />`;
  });
  const topic = field(state, "topic", "Topic", undefined, (ties) => {
    return html`<select ${ties} required>
      <option value="">Choose…</option>
      ${topics}
    </select>`;
  });
  const message = field(state, "message", "Message", undefined, (ties) => {
    return html`<textarea ${ties} rows="7" required>${value("message")}</textarea>`;
  });
  const hint = hadFiles ? `${files} Please choose your files again.` : files;
  const attachments = field(state, "attachments", "Files", hint, (ties) => {
    return html`<input ${ties} type="file" accept="${ACCEPT}" multiple />`;
  });

  return page(
    problems.length > 0 ? "Error: Contact us" : "Contact us",
    html`<h1>Contact us</h1>
      <p>All fields are required except files and the newsletter.</p>
      ${problems.length > 0 && summary(problems)}
      <form method="post" action="/" enctype="multipart/form-data" novalidate>
        <fieldset>
          <legend>About you</legend>
          ${name} ${email}
        </fieldset>
        <fieldset>
          <legend>Your message</legend>
          ${topic} ${message} ${attachments}
        </fieldset>
        <div class="choice">
          <input
            type="checkbox"
            id="newsletter"
            name="newsletter"
            value="yes"
            ${value("newsletter") === "yes" && CHECKED}
          />
          <label for="newsletter">Send me the newsletter</label>
        </div>
        <button type="submit">Send message</button>
      </form>`,
  );
}

const SELECTED = html`selected`;
const CHECKED = html`checked`;

/** A control with its label, its hint and what is wrong with it; `ties` are the attributes that say they belong to it. */
function field(
  { problems }: FormState,
  name: string,
  label: string,
  hint: string | undefined,
  control: (ties: Html) => Html,
): Html {
  const wrong = problems.filter((each) => each.field === name);
  const described = [hint && `${name}-hint`, wrong.length > 0 && `${name}-error`].filter(Boolean).join(" ");
  const ties = [
    html`id="${name}" name="${name}"`,
    described !== "" && html` aria-describedby="${described}"`,
    wrong.length > 0 && html` aria-invalid="true"`,
  ];
  const lines = wrong.map(({ message }) => html`<span>${message}</span>`);
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    ${wrong.length > 0 && html`<p class="error" id="${name}-error">${lines}</p>`} ${control(html`${ties}`)}
  </div>`;
}

export function thanksPage({ id, attachments }: Receipt): Html {
  return page(
    "Thank you",
    html`<h1>Thank you</h1>
      <p role="status">Your message has arrived. Its number is <strong>${id}</strong>.</p>
      ${
        attachments.length > 0 &&
        html`<h2>Files that came with it</h2>
          <ul>
            ${attachments.map(({ name, size }) => html`<li>${name} (${size} bytes)</li>`)}
          </ul>`
      }
      <p><a href="/">Write another message</a></p>`,
  );
}

/** Has the focus when the page appears, so that it is read out first; each line leads to its field. */
function summary(problems: readonly Problem[]): Html {
  const lines = problems.map(({ field, message }) =>
    field === undefined ? html`<li>${message}</li>` : html`<li><a href="#${field}">${message}</a></li>`,
  );
  return html`<div class="summary" role="alert" aria-labelledby="summary" tabindex="-1" autofocus>
    <h2 id="summary">There is a problem</h2>
    <ul>
      ${lines}
    </ul>
  </div>`;
}

function page(title: string, content: Content): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html> `;
}
