import { CompositionError, messageOf } from "../errors.ts";
import type { Application } from "../spec/application.ts";
import { dispatch } from "../spec/application.ts";
import { ABNORMAL_CLOSURE, INTERNAL_ERROR } from "../spec/close-code.ts";
import type { Answer, HttpCall, SseCall, WebSocketCall } from "./shared/call.ts";
import { answerWith, paramsOf } from "./shared/call.ts";
import type { Component } from "./shared/component.ts";
import { decline } from "./shared/decline.ts";
import { HttpContext } from "./context/http-context.ts";
import { orRefuse } from "./context/refusal.ts";
import { SseContext } from "./context/sse-context.ts";
import { KEEPALIVE_SECONDS } from "./sse.ts";
import { WebSocketContext } from "./context/websocket-context.ts";
import type { PagiWebSocket } from "./websocket.ts";

export type { Answer, Call, HttpCall, SseCall, WebSocketCall } from "./shared/call.ts";
export type {
  RouteBuilder,
  RouteContext,
  RouteHandler,
  RouteStep,
  StreamHandler,
} from "./endpoint/router.ts";
export type { Responder } from "./response.ts";
export { EndpointRouter, EndpointRouterOf, RouteBuilderOf } from "./endpoint/router.ts";

/** A handler of one HTTP method: it returns its response. */
type Verb<Context> = (context: Context) => Answer | Promise<Answer>;

const VERBS = {
  GET: "get",
  POST: "post",
  PUT: "put",
  PATCH: "patch",
  DELETE: "delete",
  HEAD: "head",
  OPTIONS: "options",
} as const;

type Method = keyof typeof VERBS;

function isMethod(method: string): method is Method {
  return Object.hasOwn(VERBS, method);
}

/**
 * A class with a method for each HTTP method that it handles; each returns its response. `HEAD` takes `get` where there
 * is no `head`, `OPTIONS` is answered with `Allow`, and what has no method with 405. One instance serves all requests,
 * at the same time: what belongs to one request does not belong into a field.
 *
 * This is the base for contexts of one's own; most endpoints extend {@link HttpEndpoint}.
 */
export abstract class HttpEndpointOf<Context extends HttpContext> implements Component {
  get?(context: Context): ReturnType<Verb<Context>>;
  post?(context: Context): ReturnType<Verb<Context>>;
  put?(context: Context): ReturnType<Verb<Context>>;
  patch?(context: Context): ReturnType<Verb<Context>>;
  delete?(context: Context): ReturnType<Verb<Context>>;
  head?(context: Context): ReturnType<Verb<Context>>;
  options?(context: Context): ReturnType<Verb<Context>>;

  /** Makes what the methods get. */
  abstract contextOf(call: HttpCall): Context;

  /** The application of one instance, made without arguments: `router.any("/users", Users)`. */
  static toApp(this: new () => Component): Application {
    return new this().toApp();
  }

  /** The methods that are answered, sorted, `HEAD` and `OPTIONS` among them. */
  allowedMethods(): string[] {
    const allowed = new Set<string>(Object.keys(VERBS).filter((method) => this.#handles(method)));
    if (allowed.has("GET")) allowed.add("HEAD");
    return [...allowed.add("OPTIONS")].sort();
  }

  /**
   * Answers one request.
   *
   * @throws CompositionError (as a rejection) when a method returns no response.
   */
  async dispatch(call: HttpCall): Promise<void> {
    const { method } = call.scope;
    const used = method === "HEAD" && !this.#handles("HEAD") ? "GET" : method;
    if (isMethod(used) && this.#handles(used)) {
      const verb = VERBS[used];
      const context = this.contextOf(call);
      return answerWith(context, `${this.constructor.name}.${verb}()`, () => this[verb]?.(context));
    }
    const allow = this.allowedMethods().join(", ");
    if (method === "OPTIONS") return decline(call.scope, call.send, 204, "", [["allow", allow]]);
    return decline(call.scope, call.send, 405, "Method Not Allowed", [["allow", allow]]);
  }

  /** @throws CompositionError for a class that handles no method, as when its name is misspelt. */
  toApp(): Application {
    const isOwn = this.dispatch === HttpEndpointOf.prototype.dispatch;
    if (isOwn && !Object.keys(VERBS).some((method) => this.#handles(method))) {
      throw new CompositionError(
        `${this.constructor.name} handles nothing: it has none of the methods ${Object.values(VERBS).join(", ")}.`,
      );
    }
    return (outer, receive, send) =>
      dispatch({
        http: (scope, events) => this.dispatch({ scope, receive: events, send, params: paramsOf(scope) }),
      })(outer, receive, send);
  }

  #handles(method: string): boolean {
    return isMethod(method) && typeof this[VERBS[method]] === "function";
  }
}

/** An endpoint whose methods get a context and return what it makes: `get(c) { return c.json(users) }`. */
export abstract class HttpEndpoint extends HttpEndpointOf<HttpContext> {
  contextOf({ scope, receive, send }: HttpCall): HttpContext {
    return new HttpContext(scope, receive, send);
  }
}

/** How the messages of a WebSocket are given to `onReceive`. */
export type Encoding = "text" | "bytes" | "json";

/** The base of {@link WebSocketEndpoint}, for contexts of one's own. */
export abstract class WebSocketEndpointOf<Context extends WebSocketContext> implements Component {
  /**
   * What `onReceive` gets: `text` a string, `bytes` a Uint8Array, `json` the value that a text message stands for.
   * Messages of the other kind close the connection with 1003, text that is no JSON with 1007, unless `onConnect` has
   * given the connection an `onError`. Default `text`.
   */
  readonly encoding: Encoding = "text";

  /** Accepts the connection, or refuses it. Default: it is accepted. */
  onConnect?(context: Context): void | Promise<void>;
  /** One message, in the form that `encoding` says; the next waits until this one is done. */
  onReceive?(context: Context, data: unknown): void | Promise<void>;
  /** The connection is over, also when a method has thrown (then with 1011). */
  onDisconnect?(context: Context, code: number, reason: string): void | Promise<void>;

  abstract contextOf(call: WebSocketCall): Context;

  /** An application with a new instance for each connection, made without arguments. */
  static toApp(this: new () => Component): Application {
    return (scope, receive, send) => new this().toApp()(scope, receive, send);
  }

  /** An application in which this instance has all connections. */
  toApp(): Application {
    return (outer, receive, send) =>
      dispatch({
        websocket: (scope, events) => this.handle({ scope, receive: events, send, params: paramsOf(scope) }),
      })(outer, receive, send);
  }

  /**
   * One connection, from its handshake to its end.
   *
   * @throws StateError (as a rejection) when `onConnect` has neither accepted nor refused it; what the methods throw.
   */
  async handle(call: WebSocketCall): Promise<void> {
    const context = this.contextOf(call);
    const { websocket } = context;
    let end: Pick<typeof websocket, "closeCode" | "closeReason"> = {
      closeCode: INTERNAL_ERROR,
      closeReason: "",
    };
    const run = async (): Promise<void> => {
      await orRefuse(context, () =>
        this.onConnect === undefined ? websocket.accept() : this.onConnect(context),
      );
      for await (const data of this.#messages(websocket)) await this.onReceive?.(context, data);
      end = websocket;
    };
    await thenLast(run, () => {
      const { closeCode = ABNORMAL_CLOSURE, closeReason = "" } = end;
      return this.onDisconnect?.(context, closeCode, closeReason);
    });
  }

  #messages(websocket: PagiWebSocket): AsyncIterable<unknown> {
    if (this.onReceive === undefined) return websocket.messages();
    switch (this.encoding) {
      case "text":
        return websocket.texts();
      case "bytes":
        return websocket.binaries();
      case "json":
        return websocket.values();
    }
  }
}

/** A class for WebSocket connections, whose methods get a context: `c.websocket.sendText(...)`. */
export abstract class WebSocketEndpoint extends WebSocketEndpointOf<WebSocketContext> {
  contextOf({ scope, receive, send }: WebSocketCall): WebSocketContext {
    return new WebSocketContext(scope, receive, send);
  }
}

/** The base of {@link SseEndpoint}, for contexts of one's own. */
export abstract class SseEndpointOf<Context extends SseContext> implements Component {
  /** Seconds between comments that keep a quiet stream open; 0 sends none. Default {@link KEEPALIVE_SECONDS}. */
  readonly keepaliveInterval: number = KEEPALIVE_SECONDS;

  /**
   * A client has come. What is sent first starts the stream, which goes on when this is done; `context.sse.decline()`
   * refuses it.
   */
  onConnect?(context: Context): void | Promise<void>;
  /** The stream is over, also when `onConnect` has thrown. */
  onDisconnect?(context: Context): void | Promise<void>;

  abstract contextOf(call: SseCall): Context;

  /** An application with a new instance for each stream, made without arguments. */
  static toApp(this: new () => Component): Application {
    return (scope, receive, send) => new this().toApp()(scope, receive, send);
  }

  /** An application in which this instance has all streams. */
  toApp(): Application {
    return (outer, receive, send) =>
      dispatch({
        sse: (scope, events) => this.handle({ scope, receive: events, send, params: paramsOf(scope) }),
      })(outer, receive, send);
  }

  /** One stream, from its opening until it is over. */
  async handle(call: SseCall): Promise<void> {
    const context = this.contextOf(call);
    const run = async (): Promise<void> => {
      await context.sse.keepalive(this.keepaliveInterval);
      await orRefuse(context, () => this.onConnect?.(context));
      await context.sse.run();
    };
    await thenLast(run, () => this.onDisconnect?.(context));
  }
}

/** A class for event streams, whose methods get a context: `c.sse.send(...)`. */
export abstract class SseEndpoint extends SseEndpointOf<SseContext> {
  contextOf({ scope, receive, send }: SseCall): SseContext {
    return new SseContext(scope, receive, send);
  }
}

/** As `finally`, but that the first error is thrown: a second one, often its consequence, becomes a warning. */
async function thenLast(run: () => Promise<void>, last: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    try {
      await last();
    } catch (second) {
      process.emitWarning(second instanceof Error ? second : messageOf(second), "PagiCallbackWarning");
    }
    throw error;
  }
  await last();
}
