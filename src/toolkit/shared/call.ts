import { CompositionError } from "../../errors.ts";
import type { Send } from "../../spec/application.ts";
import type {
  HttpReceiveEvent,
  ReceiveEvent,
  SseReceiveEvent,
  WebSocketReceiveEvent,
} from "../../spec/events.ts";
import type { HttpScope, RequestScope, SseScope, WebSocketScope } from "../../spec/scope.ts";
import type { ApplicationLike } from "./component.ts";
import { nameOf, toApp } from "./component.ts";
import { isRequestError } from "../request/error.ts";
import { isResponder, PagiResponse, toResponder } from "../response.ts";
import type { Responder } from "../response.ts";

/** One call of an application, as the methods of an endpoint get it. */
export interface Call<
  S extends RequestScope,
  Event extends ReceiveEvent,
  Parameters = Readonly<Record<string, string>>,
> {
  /** With what routers and middleware have added. */
  readonly scope: S;
  /** The next event of the scope. */
  readonly receive: () => Promise<Event>;
  /** Gives an event to the server. */
  readonly send: Send;
  /** What a router has taken from the path; empty without one. */
  readonly params: Parameters;
}

/** A call with an `http` scope. */
export type HttpCall<Parameters = Readonly<Record<string, string>>> = Call<
  HttpScope,
  HttpReceiveEvent,
  Parameters
>;
/** A call with a `websocket` scope. */
export type WebSocketCall<Parameters = Readonly<Record<string, string>>> = Call<
  WebSocketScope,
  WebSocketReceiveEvent,
  Parameters
>;
/** A call with an `sse` scope. */
export type SseCall<Parameters = Readonly<Record<string, string>>> = Call<
  SseScope,
  SseReceiveEvent,
  Parameters
>;

/**
 * What a handler that returns its response may return: a response value, a Fetch `Response`, an application or a
 * component.
 */
export type Answer = Responder | Response | ApplicationLike;

/** The parameters that a router has put into a scope. */
export function paramsOf(scope: RequestScope): Readonly<Record<string, string>> {
  const params = scope["path_params"];
  if (typeof params !== "object" || params === null) return {};
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

/**
 * Calls a handler and sends what it returns. A {@link RequestError} that it throws is answered with a problem document,
 * unless a response has begun.
 *
 * @param who the handler, for the message of the error.
 * @throws CompositionError (as a rejection) when it returns no answer; a forgotten `return` is the usual reason.
 */
export async function answerWith(call: HttpCall, who: string, handle: () => MaybeAnswer): Promise<void> {
  let answer: Answer | undefined;
  try {
    answer = await handle();
  } catch (error) {
    if (!isRequestError(error) || call.scope["pagi.connection"].responseStarted()) throw error;
    answer = PagiResponse.problem(error);
  }
  await giveAnswer(answer, call, who);
}

type MaybeAnswer = Answer | undefined | Promise<Answer | undefined>;

/** Sends an answer. @throws CompositionError (as a rejection) for what is none. */
export async function giveAnswer(answer: Answer | undefined, call: HttpCall, who: string): Promise<void> {
  assertAnswer(answer, who);
  if (isResponder(answer) || answer instanceof Response)
    await toResponder(answer).respond(call.send, call.scope);
  else await toApp(answer)(call.scope, call.receive, call.send);
}

/** Throws CompositionError for what is no answer. */
export function assertAnswer(answer: Answer | undefined, who: string): asserts answer is Answer {
  if (isContext(answer)) {
    throw new CompositionError(
      `${who} returned the context itself, as c.status(...) and c.setHeader(...) do; return what c.text(...), ` +
        "c.json(...) or c.empty() makes, as in c.status(204).empty().",
    );
  }
  if (isResponder(answer) || answer instanceof Response || typeof answer === "function") return;
  if (typeof answer === "object" && answer !== null && "toApp" in answer) return;
  throw new CompositionError(`${who} returned ${nameOf(answer)}; ${adviceFor(answer)}.`);
}

function adviceFor(answer: unknown): string {
  return answer === undefined
    ? "is there a return missing? Return a response, which c.text(...), c.json(...) or PagiResponse makes"
    : "it has to return a response, which c.text(...), c.json(...) or PagiResponse makes";
}

/** A context has a `respond()` too, for handlers that send their answer themselves. */
function isContext(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "respond" in answer && "receive" in answer;
}
