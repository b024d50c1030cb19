import { messageOf, RouteError } from "../../errors.ts";
import type { Answer } from "../shared/call.ts";
import { PLAIN_PAGE_POLICY, plainPage } from "../plain-page.ts";
import { isTellable } from "./http-error.ts";
import { escapeHtml } from "./safe-html.ts";
import type { Returned } from "./answer.ts";
import { toAnswer } from "./answer.ts";
import type { SimpleContext } from "./context.ts";
import { titleOf } from "../../spec/reason-phrase.ts";
import { stackFrames } from "../../spec/stack-frames.ts";

/** A class of errors; abstract ones, such as `RequestError`, too. */
export type ErrorClass<E extends Error> = abstract new (...given: never[]) => E;

/** Answers for an error. The status of the error is set on `c` already. */
export type ErrorHandler<E> = (c: SimpleContext, error: E) => Returned | Promise<Returned>;

/** What is to be said of errors, by class and by status; without a handler it is said in the form that the client takes. */
export class ErrorHandlers {
  readonly #byClass = new Map<unknown, ErrorHandler<unknown>>();
  readonly #byStatus = new Map<number, ErrorHandler<unknown>>();
  /** Whether errors of the application are told with their stack. */
  readonly #debug: boolean;

  constructor(debug: boolean) {
    this.#debug = debug;
  }

  /** @throws RouteError for a class or status that has a handler already, and for what is neither. */
  add(kind: number | ErrorClass<Error>, handler: ErrorHandler<never>): void {
    if (typeof handler !== "function") {
      throw new RouteError("error() takes a status or a class, and a function (c, error) behind it.");
    }
    // The handler of a class sees errors of that class only; TypeScript cannot tie the two together.
    const anyHandler = handler as ErrorHandler<unknown>;
    if (typeof kind === "number") {
      if (!Number.isInteger(kind) || kind < 400 || kind > 599)
        throw new RouteError(`error(${kind}): the status of an error is an integer from 400 to 599.`);
      if (this.#byStatus.has(kind))
        throw new RouteError(`There is a handler for the status ${kind} already.`);
      this.#byStatus.set(kind, anyHandler);
      return;
    }
    if (typeof kind !== "function") throw new RouteError("error() takes a status or a class of errors.");
    if (this.#byClass.has(kind)) throw new RouteError(`There is a handler for ${kind.name} already.`);
    this.#byClass.set(kind, anyHandler);
  }

  /** Whether the application has provided for it, or the client is at fault: it is then no news for a log. */
  isExpected(error: unknown): boolean {
    return isTellable(error) || this.#handlerByClass(error) !== undefined;
  }

  /** The answer for an error. @throws what its handler throws. */
  async answerFor(c: SimpleContext, error: unknown): Promise<Answer> {
    const status = isTellable(error) ? error.status : 500;
    c.status(status);
    if (isTellable(error)) for (const [name, value] of error.headers) c.setHeader(name, value);
    const byClass = this.#handlerByClass(error);
    const handler = byClass ?? this.#byStatus.get(status);
    if (handler === undefined) return this.defaultAnswer(c, error);
    const kind = byClass === undefined ? String(status) : nameOfClass(error);
    return toAnswer(await handler(c, error), c, `The error handler for ${kind}`);
  }

  /** What is said without a handler: a problem document, a page or a line. */
  defaultAnswer(c: SimpleContext, error: unknown): Answer {
    const told = isTellable(error) ? error : undefined;
    const status = told?.status ?? 500;
    const title = titleOf(status);
    const message = told?.message ?? (this.#debug ? stackOf(error) : undefined);
    const detail = message === title ? undefined : message;
    switch (c.preferredType("application/problem+json", "application/json", "text/html", "text/plain")) {
      case "text/html":
        // The page is the toolkit's, so the policy is as well: the application's would block its style.
        c.setHeader("content-security-policy", PLAIN_PAGE_POLICY);
        return c.html(page(`${status} ${title}`, detail), { status });
      case "text/plain":
        return c.text(detail ?? title, { status });
      default:
        if (told !== undefined) return c.problem(told);
        return c.json(
          { type: "about:blank", title, status, ...(detail !== undefined && { detail }) },
          { status, contentType: "application/problem+json" },
        );
    }
  }

  /** The nearest class first. */
  #handlerByClass(error: unknown): ErrorHandler<unknown> | undefined {
    if (this.#byClass.size === 0 || !(error instanceof Error)) return undefined;
    for (
      let kind: unknown = error.constructor;
      typeof kind === "function";
      kind = Object.getPrototypeOf(kind)
    ) {
      const found = this.#byClass.get(kind);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** A stack is shown as it is written; a sentence is a paragraph. */
function page(title: string, detail: string | undefined): string {
  if (detail === undefined) return plainPage(title, "");
  const tag = detail.includes("\n") ? "pre" : "p";
  return plainPage(title, `<${tag}>${escapeHtml(detail)}</${tag}>`);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  return [`${error.name}: ${error.message}`, ...stackFrames(error).map((frame) => `    ${frame}`)].join("\n");
}

function nameOfClass(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}
