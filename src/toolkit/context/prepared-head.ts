import type { Send } from "../../spec/application.ts";
import type { SendEvent } from "../../spec/events.ts";
import type { HeaderPair, Headers } from "../../spec/values.ts";
import { PagiHeaders } from "../values/headers.ts";

/** Fields that add up; of all others the answer's own wins. */
const ADDING_UP: ReadonlySet<string> = new Set(["set-cookie", "vary"]);

/** Status and header fields that are set before there is a response, and go out with whichever is sent. */
export class PreparedHead {
  status: number | undefined;
  #headers: PagiHeaders | undefined;

  get headers(): PagiHeaders {
    return (this.#headers ??= new PagiHeaders());
  }

  /** The fields, or none without making a list of them. */
  pairs(): Iterable<HeaderPair> {
    return this.#headers ?? [];
  }

  /** A `send` that adds the fields to the start of the response. */
  around(send: Send): Send {
    return (event) => send(this.#headers === undefined ? event : withFields(event, this.#headers));
  }
}

function withFields(event: SendEvent, fields: PagiHeaders): SendEvent {
  if (event.type !== "http.response.start") return event;
  const given: Headers = event.headers ?? [];
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  const added = [...fields].filter(
    ([name, value]) =>
      !names.has(name) ||
      (ADDING_UP.has(name) && !given.some((pair) => pair[0].toLowerCase() === name && pair[1] === value)),
  );
  return added.length === 0 ? event : { ...event, headers: [...given, ...added] };
}
