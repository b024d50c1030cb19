import { CompositionError } from "../../errors.ts";
import type { Answer } from "../shared/call.ts";
import { assertAnswer } from "../shared/call.ts";
import { isComponent, nameOf } from "../shared/component.ts";
import type { HttpContext } from "../context/http-context.ts";
import { isResponder } from "../response.ts";
import { SafeHtml } from "./safe-html.ts";

/**
 * What a handler may return: an {@link Answer}, such as `c.json(...)` or a Fetch `Response`; a string, which is sent as
 * text; what `html` made, which is sent as HTML; a plain object or a list, which is sent as JSON.
 */
export type Returned = Answer | SafeHtml | string | object;

/**
 * What was returned, as something that sends itself.
 *
 * @param who the handler, for the message of the error.
 * @param nothing what to do where nothing was returned.
 * @throws CompositionError for what is no answer; a forgotten `return` is the usual reason.
 */
export function toAnswer(returned: unknown, c: HttpContext, who: string, nothing = NO_RETURN): Answer {
  if (typeof returned === "string") return c.text(returned);
  if (returned instanceof SafeHtml) return c.html(returned.toString());
  if (isAnswer(returned)) {
    assertAnswer(returned, who);
    return returned;
  }
  if (isData(returned)) return c.json(returned);
  throw new CompositionError(`${who} returned ${nameOf(returned)}; ${adviceFor(returned, nothing)}.`);
}

function isAnswer(value: unknown): value is Answer {
  return isResponder(value) || isComponent(value) || value instanceof Response || typeof value === "function";
}

/** Only what JSON can say: a Map or an instance of a class would lose what it holds without a word. */
function isData(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value) || ("toJSON" in value && typeof value.toJSON === "function")) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

const NO_RETURN =
  "is there a return missing? Return c.text(...), c.json(...) or c.html(...), or c.empty() to say nothing";

function adviceFor(returned: unknown, nothing: string): string {
  if (returned === undefined) return nothing;
  if (typeof returned === "number" || typeof returned === "boolean" || returned === null)
    return "return c.json(...) for it, or c.text(String(...))";
  return "return a response, a string, a plain object or a list; c.json(...) takes the rest";
}
