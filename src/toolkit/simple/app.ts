import { CompositionError } from "../../errors.ts";
import type { CookieSigner } from "../values/cookies.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Message, PublishOptions, PubSub } from "./pub-sub.ts";
import type { PathValue } from "../router/route-pattern.ts";
import type { QueryValues } from "../router/route-table.ts";
import { SafeHtml } from "./safe-html.ts";

/** What a view is given. */
export type ViewData = Readonly<Record<string, unknown>>;

/**
 * Makes HTML of the name of a view and its data: a function over templates, or over a template engine. A string is taken
 * as HTML, so escape what comes from others.
 */
export type Views = (name: string, data: ViewData) => string | SafeHtml | Promise<string | SafeHtml>;

/** What the contexts of an application know of it. */
export interface SimpleApp {
  /** What the application is called, for people. */
  readonly appName: string;
  /** The channels and rooms of this application. */
  readonly pubsub: PubSub;
  /** What becomes of messages of rooms and channels for clients that do not keep up. */
  readonly slowClients: OutboxOptions;
  /** Rooms and channels that one connection may be in. */
  readonly maxChannels: number;
  /** Signs cookies with the secret. @throws CompositionError without one. */
  readonly signer: CookieSigner;
  /** A message was left out for a connection that does not keep up. */
  countDropped(): void;
  /** The address of a named route, from this application's own root. */
  uriFor(
    name: string,
    parameters?: Readonly<Record<string, PathValue | undefined>>,
    query?: QueryValues,
  ): string;
  /**
   * What a view makes of the data.
   *
   * @throws CompositionError (as a rejection) without views, and for a view that is not there or makes no text.
   */
  render(name: string, data?: ViewData): Promise<SafeHtml>;
  /** Gives a message to a room or channel; resolves with the number of connections that it was given to. */
  publish(channel: string, message: Message, options?: PublishOptions): Promise<number>;
  /** Gives a message to every WebSocket of the application that is open. */
  broadcast(message: Message, options?: PublishOptions): Promise<number>;
}

/** What a view makes of the data; see {@link SimpleApp.render}. */
export async function renderView(views: Views | undefined, name: string, data: ViewData): Promise<SafeHtml> {
  if (views === undefined) {
    throw new CompositionError(
      `The view '${name}' cannot be rendered, for there are no views: new Simple({ views: (name, data) => ... }).`,
    );
  }
  const made: unknown = await views(name, data);
  if (made instanceof SafeHtml) return made;
  if (typeof made === "string") return new SafeHtml(made);
  throw new CompositionError(
    `There is no view '${name}', or it has made no text: the function of views returned ${typeof made}. Return a ` +
      "string or what html`` makes.",
  );
}
