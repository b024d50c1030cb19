import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Receive, Send } from "../../spec/application.ts";
import type { HttpScope } from "../../spec/scope.ts";
import type { Headers } from "../../spec/values.ts";
import type { Answer } from "../shared/call.ts";
import type { CookieOptions } from "../values/cookies.ts";
import { HttpContext } from "../context/http-context.ts";
import { HttpError } from "./http-error.ts";
import { mediaType } from "../request/negotiation.ts";
import { nestedValues } from "./nested-values.ts";
import type { PathParams } from "../router/path-params.ts";
import type { JsonOptions } from "../request.ts";
import type { PagiResponse, ResponseOptions } from "../response.ts";
import type { PathValue } from "../router/route-pattern.ts";
import type { QueryValues } from "../router/route-table.ts";
import { SafeHtml } from "./safe-html.ts";
import type { Returned } from "./answer.ts";
import { toAnswer } from "./answer.ts";
import type { SimpleApp, ViewData } from "./app.ts";
import type { Upload } from "../request/upload.ts";
import type { OutputOf } from "../request/validation.ts";
import { validate } from "../request/validation.ts";

/** What `respondTo` chooses from, by media type or short name; `any` is for those who take none of the others. */
export type Offers = Readonly<Record<string, () => Returned | Promise<Returned>>>;

/** The `c` of a handler: the request, the ways to answer it, and what the application has. */
export class SimpleContext<Params extends PathParams = PathParams> extends HttpContext<Params> {
  /** The application that has the route. */
  readonly app: SimpleApp;

  constructor(app: SimpleApp, scope: HttpScope, receive: Receive, send: Send) {
    super(scope, receive, send);
    this.app = app;
  }

  /**
   * A parameter by name: from the path, else from the query, else from the form that was sent. What belongs to the path
   * is in `params` too, where TypeScript knows it.
   *
   * @throws as `PagiRequest.form` when it comes to the form.
   */
  async param(name: string): Promise<string | undefined> {
    const params: PathParams = this.params;
    if (Object.hasOwn(params, name)) return params[name];
    const asked = this.queryParam(name);
    if (asked !== undefined || !this.request.isForm()) return asked;
    return this.request.formParam(name);
  }

  /**
   * The body as JSON, whatever its Content-Type. `T` is a promise of the caller; `c.validate(schema)` checks.
   *
   * @throws as `PagiRequest.json`.
   */
  jsonBody<T = unknown>(options?: JsonOptions): Promise<T> {
    return this.request.json<T>(options);
  }

  /**
   * What a schema makes of a form whose names say how its values belong together, `items[0].name` or `user[city]`, or of
   * JSON. The schema says what is permitted; with a `namespace` only what is below that name is looked at. Values of a form
   * are strings and uploads, as for `validate`.
   *
   * @throws ValidationError (422); MalformedBodyError for names that contradict each other; as `PagiRequest.form` and
   *   `json`.
   */
  async validateNested<S extends StandardSchemaV1>(
    schema: S,
    { namespace }: { namespace?: string } = {},
  ): Promise<OutputOf<S>> {
    const { request } = this;
    if (!request.isForm()) return this.validate(schema);
    const { fields, uploads } = await request.form();
    const all = nestedValues<string | Upload>([...fields, ...uploads]);
    const below = namespace === undefined ? all : Object.hasOwn(all, namespace) ? all[namespace] : {};
    return validate(schema, below, "body");
  }

  // ── cookies that the client cannot make up ──────────────────────────────────────────────────────────────────

  /** The value of a cookie that {@link setSignedCookie} has set; `undefined` where it is not as it was set. */
  signedCookie(name: string): string | undefined {
    return this.cookie(name, this.app.signer);
  }

  /** Sets a cookie that the client can read, but neither make nor change. */
  setSignedCookie(name: string, value: string, options: CookieOptions = {}): this {
    return this.setCookie(name, value, { ...options, signer: this.app.signer });
  }

  // ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** `text/html` in UTF-8. */
  override html(body: string | SafeHtml, options?: ResponseOptions): PagiResponse {
    return super.html(body instanceof SafeHtml ? body.toString() : body, options);
  }

  /** What a view makes of the data, as a page. @throws as {@link SimpleApp.render}. */
  async render(name: string, data: ViewData = {}, options?: ResponseOptions): Promise<PagiResponse> {
    return this.html(await this.app.render(name, data), options);
  }

  /**
   * The address of a named route, as a client reaches it: with the prefix under which this application is mounted.
   *
   * @throws RouteError without such a route, and for values that it would not match.
   */
  uriFor(
    name: string,
    parameters?: Readonly<Record<string, PathValue | undefined>>,
    query?: QueryValues,
  ): string {
    return this.mountPath + this.app.uriFor(name, parameters, query);
  }

  /** Sends the client to a named route; 303 lets it get a page after a form, whatever the method. */
  redirectTo(
    name: string,
    parameters?: Readonly<Record<string, PathValue | undefined>>,
    { query, status = 303 }: { query?: QueryValues; status?: number } = {},
  ): PagiResponse {
    return this.redirect(this.uriFor(name, parameters, query), status);
  }

  /**
   * Answers in the form that the client likes best: `c.respondTo({ json: () => user, html: () => page(user) })`. Of
   * equals the first wins. A string is sent in the type that it is offered as.
   *
   * @throws HttpError 406 when the client takes none of them, and there is no `any`.
   */
  async respondTo(offers: Offers): Promise<Answer> {
    const names = Object.keys(offers).filter((name) => name !== "any");
    const chosen = this.preferredType(...names) ?? "any";
    const make = Object.hasOwn(offers, chosen) ? offers[chosen] : undefined;
    this.responseHeaders.add("vary", "accept");
    if (make === undefined)
      throw new HttpError(406, `This is there as ${names.map(mediaType).join(", ")}; ask for one of them.`);
    const returned = await make();
    if (typeof returned === "string" && chosen !== "any")
      return this.text(returned, { contentType: mediaType(chosen) });
    return toAnswer(returned, this, `The offer '${chosen}' of respondTo()`);
  }

  /**
   * Ends the request with an error that the client is told of, in the form that it takes; `app.error(status)` may say
   * how.
   *
   * @throws HttpError always.
   */
  abort(status: number, message?: string, headers: Headers = []): never {
    throw new HttpError(status, message, { headers });
  }
}
