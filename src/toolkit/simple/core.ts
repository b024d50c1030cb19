import { CompositionError } from "../../errors.ts";
import type { LifespanScope, RequestScope } from "../../spec/scope.ts";
import { CookieSigner } from "../values/cookies.ts";
import { HttpError } from "./http-error.ts";
import { MAX_CHANNELS } from "./membership.ts";
import { checkedOutbox } from "./outbox.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Message, PublishOptions, PubSub } from "./pub-sub.ts";
import {
  checkOptions,
  either,
  FLAG,
  FUNCTION,
  limit,
  OBJECT,
  oneOf,
  TEXT,
  TEXTS,
  type OptionRules,
} from "../../spec/option-rules.ts";
import { ALL, assertChannel, assertMessage, MemoryPubSub } from "./pub-sub.ts";
import type { PathValue } from "../router/route-pattern.ts";
import type { QueryValues } from "../router/route-table.ts";
import { adviceFor } from "../router/routed-application.ts";
import type { TrailingSlash } from "../router.ts";
import { Router } from "../router.ts";
import type { SafeHtml } from "./safe-html.ts";
import type { SimpleApp, ViewData, Views } from "./app.ts";
import { renderView } from "./app.ts";
import { ErrorHandlers } from "./errors.ts";
import type { AfterHook, BeforeHook, Surrounding } from "./pipeline.ts";
import { handled, httpOnly } from "./pipeline.ts";

/** What a `Simple` is told. */
export interface SimpleOptions {
  /** What the application is called, for people. Default `simple`. */
  readonly name?: string | undefined;
  /**
   * Signs cookies: 32 chars or more, from a random source. Of several the first signs, and the others are still good for
   * reading. Default: none, and signed cookies are an error.
   */
  readonly secret?: string | readonly [string, ...string[]] | undefined;
  /** What `c.render(name, data)` calls. Default: none. */
  readonly views?: Views | undefined;
  /** Whether a slash at the end makes another path, as for a router. Default `strict`. */
  readonly trailingSlash?: TrailingSlash | undefined;
  /** Where rooms and channels are. Default: in the memory of this process, for this application alone. */
  readonly pubsub?: PubSub | undefined;
  /** What becomes of messages of rooms and channels for clients that do not keep up. */
  readonly slowClients?: OutboxOptions | undefined;
  /** Rooms and channels that one connection may be in. Default 100. */
  readonly maxChannels?: number | undefined;
  /** Whether clients are shown errors of the application, with their stack. Never in production. Default false. */
  readonly debug?: boolean | undefined;
}

const SIMPLE_RULES: OptionRules<SimpleOptions> = {
  name: TEXT,
  secret: either(TEXT, TEXTS),
  views: { ...FUNCTION, text: "a function (name, data) that returns HTML" },
  trailingSlash: oneOf("strict", "ignore", "redirect"),
  pubsub: OBJECT,
  slowClients: OBJECT,
  maxChannels: limit(1),
  debug: FLAG,
};

/** What an application consists of, besides the methods that its author calls. */
export class SimpleCore implements SimpleApp {
  readonly appName: string;
  readonly pubsub: PubSub;
  readonly slowClients: OutboxOptions;
  readonly maxChannels: number;
  readonly router: Router;
  readonly around: Surrounding;
  readonly before: BeforeHook[] = [];
  readonly after: AfterHook[] = [];
  readonly errors: ErrorHandlers;
  readonly #views: Views | undefined;
  readonly #signer: CookieSigner | undefined;
  #dropped = 0;

  /** @throws TypeError for a secret that is too short; OptionError for an unknown option, and for a value that is none. */
  constructor(options: SimpleOptions) {
    checkOptions("new Simple", SIMPLE_RULES, options);
    const { name = "simple", secret, views, trailingSlash = "strict", debug = false } = options;
    const { pubsub = new MemoryPubSub(), slowClients = {}, maxChannels = MAX_CHANNELS } = options;
    this.appName = name;
    this.pubsub = pubsub;
    this.slowClients = checkedOutbox(slowClients);
    this.maxChannels = maxChannels;
    this.#views = views;
    if (secret !== undefined)
      this.#signer = typeof secret === "string" ? new CookieSigner(secret) : new CookieSigner(...secret);
    this.errors = new ErrorHandlers(debug);
    this.around = { app: this, before: this.before, after: this.after, errors: this.errors };
    const refuse = (error: (scope: RequestScope) => HttpError, who: string) =>
      httpOnly(
        handled(
          this.around,
          [],
          ({ scope }) => {
            throw error(scope);
          },
          who,
        ),
      );
    this.router = new Router({
      trailingSlash,
      notFound: refuse((scope) => new HttpError(404, adviceFor(scope)), "a path without a route"),
      methodNotAllowed: (allow) =>
        refuse(
          () => new HttpError(405, undefined, { headers: [["allow", allow]] }),
          "a method without a route",
        ),
    });
  }

  get signer(): CookieSigner {
    if (this.#signer !== undefined) return this.#signer;
    throw new CompositionError(
      "Signed cookies need a secret: new Simple({ secret: process.env.SECRET }), 32 chars or more from a random source.",
    );
  }

  get dropped(): number {
    return this.#dropped;
  }

  countDropped(): void {
    this.#dropped++;
  }

  /** By one worker of several, so that it is said once. */
  started({ pagi }: LifespanScope): void {
    if (pagi.worker_num === 2 && this.pubsub instanceof MemoryPubSub) this.pubsub.warnOfWorkers();
  }

  uriFor(
    name: string,
    parameters: Readonly<Record<string, PathValue | undefined>> = {},
    query: QueryValues = {},
  ): string {
    return this.router.uriFor(name, parameters, query);
  }

  render(name: string, data: ViewData = {}): Promise<SafeHtml> {
    return renderView(this.#views, name, data);
  }

  async publish(channel: string, message: Message, options?: PublishOptions): Promise<number> {
    assertChannel(channel);
    assertMessage(message);
    return await this.pubsub.publish(channel, message, options);
  }

  async broadcast(message: Message, options?: PublishOptions): Promise<number> {
    assertMessage(message);
    return await this.pubsub.publish(ALL, message, options);
  }
}
