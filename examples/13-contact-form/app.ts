import { join } from "node:path";
import type { State } from "pagi-server";
import { handler, type HttpContext } from "pagi-server/context";
import { wrap } from "pagi-server/lifespan";
import { isRequestError, ValidationError, type RequestError } from "pagi-server/request";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { Contact, FORM_LIMITS, MAX_FILES, MAX_FILE_SIZE } from "./contact.ts";
import type { Html } from "./html.ts";
import { Mailbox } from "./mailbox.ts";
import { contactPage, EMPTY, thanksPage, type FormState, type Problem } from "./page.ts";

/** No scripts, nothing from elsewhere, and forms that go nowhere else. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const router = new Router()
  .get("/", asPage(contactPage(EMPTY)))
  .post("/", handler(takeMessage))
  .get(
    "/thanks/:id",
    handler(async (c) => {
      const receipt = await mailboxIn(c.state).receipt(c.params.id);
      if (receipt === undefined) return c.text("There is no such message.\n", { status: 404 });
      return asPage(thanksPage(receipt));
    }),
  )
  .get("/style.css", PagiResponse.sendFile(join(import.meta.dir, "style.css")));

/** Answers with a page, or with JSON to a client that prefers it. */
async function takeMessage(c: HttpContext): Promise<PagiResponse> {
  const wantsJson = c.preferredType("html", "json") === "json";
  let state: FormState = EMPTY;
  try {
    // The limits of the first reading are those of the form, so validate() keeps to them.
    const form = await c.request.form(FORM_LIMITS);
    const hadFiles = form.uploads.values().some(({ filename }) => filename !== "");
    state = { values: new Map(form.fields), problems: [], hadFiles };
    const receipt = await mailboxIn(c.state).add(await c.validate(Contact));
    const location = `/thanks/${receipt.id}`;
    if (wantsJson) return c.json(receipt, { status: 201, headers: { location } });
    // Another page, so that loading it anew does not send the message again.
    return c.redirect(location, 303);
  } catch (error) {
    if (!isRequestError(error)) throw error;
    if (wantsJson) return c.problem(error);
    return asPage(contactPage({ ...state, problems: problemsOf(error) }), error.status);
  }
}

function problemsOf(error: RequestError): Problem[] {
  if (error instanceof ValidationError)
    return error.issues.map(({ pointer, message }) => ({ field: pointer.split("/")[1], message }));
  if (error.status !== 413) return [{ message: error.message }];
  const limits = `${MAX_FILES} files at most, each of ${MAX_FILE_SIZE / 1024 / 1024} MB at most`;
  return [{ message: `That was too much to be read. Choose ${limits}, and enter everything again.` }];
}

function asPage(page: Html, status = 200): PagiResponse {
  return PagiResponse.html(page.source, {
    status,
    headers: {
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    },
  });
}

function mailboxIn({ mailbox }: State): Mailbox {
  if (mailbox instanceof Mailbox) return mailbox;
  throw new Error("The lifespan has not run; do not use --lifespan off.");
}

export default wrap(router, {
  async startup(state) {
    const mailbox = await Mailbox.open(process.env["CONTACT_FOLDER"]);
    console.error(`messages are kept in ${mailbox.folder}`);
    state["mailbox"] = mailbox;
  },
  shutdown: async (state) => await mailboxIn(state)[Symbol.asyncDispose](),
});
