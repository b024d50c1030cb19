import { join } from "node:path";
import type { HttpScope } from "pagi-server";
import { wrap } from "pagi-server/lifespan";
import { isRequestError, PagiRequest, ValidationError, type RequestError } from "pagi-server/request";
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
  .post("/", async (scope, receive, send) => {
    const response = await takeMessage(new PagiRequest(scope, receive));
    await response.respond(send, scope);
  })
  .get("/thanks/:id", async (scope, _receive, send) => {
    const receipt = await mailboxOf(scope).receipt(scope.path_params.id);
    const response =
      receipt === undefined
        ? PagiResponse.text("There is no such message.\n", { status: 404 })
        : asPage(thanksPage(receipt));
    await response.respond(send, scope);
  })
  .get("/style.css", PagiResponse.sendFile(join(import.meta.dir, "style.css")));

/** Answers with a page, or with JSON to a client that prefers it. */
async function takeMessage(request: PagiRequest): Promise<PagiResponse> {
  const wantsJson = request.preferredType("html", "json") === "json";
  let state: FormState = EMPTY;
  try {
    // The limits of the first reading are those of the form, so validate() keeps to them.
    const form = await request.form(FORM_LIMITS);
    const hadFiles = form.uploads.values().some(({ filename }) => filename !== "");
    state = { values: new Map(form.fields), problems: [], hadFiles };
    const receipt = await mailboxOf(request).add(await request.validate(Contact));
    const location = `/thanks/${receipt.id}`;
    if (wantsJson) return PagiResponse.json(receipt, { status: 201, headers: { location } });
    // Another page, so that loading it anew does not send the message again.
    return PagiResponse.redirect(location, 303);
  } catch (error) {
    if (!isRequestError(error)) throw error;
    if (wantsJson) return PagiResponse.problem(error);
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

function mailboxOf({ state }: Pick<HttpScope, "state">): Mailbox {
  const { mailbox } = state;
  if (mailbox instanceof Mailbox) return mailbox;
  throw new Error("The lifespan has not run; do not use --lifespan off.");
}

export default wrap(router, {
  async startup(state) {
    const mailbox = await Mailbox.open(process.env["CONTACT_FOLDER"]);
    console.error(`messages are kept in ${mailbox.folder}`);
    state["mailbox"] = mailbox;
  },
  shutdown: async (state) => await mailboxOf({ state })[Symbol.asyncDispose](),
});
