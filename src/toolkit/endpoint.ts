import type { Application } from "../spec/application.ts";
import { dispatch } from "../spec/application.ts";
import type { WebSocketReceive } from "../spec/events.ts";
import type { Answer, HttpCall, SseCall, WebSocketCall } from "./call.ts";
import { answerWith, paramsOf } from "./call.ts";
import type { Component } from "./component.ts";
import { decline } from "./decline.ts";
import { HttpContext } from "./http-context.ts";

export type { Answer, Call, HttpCall, Respondable, SseCall, WebSocketCall } from "./call.ts";
export { isRespondable } from "./call.ts";
export type {
  RouteBuilder,
  RouteContext,
  RouteHandler,
  RouteStep,
  StreamHandler,
} from "./endpoint-router.ts";
export { EndpointRouter, EndpointRouterOf, RouteBuilderOf } from "./endpoint-router.ts";

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
export abstract class HttpEndpointOf<Context extends HttpCall> implements Component {
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

  toApp(): Application {
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

/** RFC 6455 section 7.4.1. */
const UNSUPPORTED_DATA = 1003;
const INVALID_PAYLOAD = 1007;
const INTERNAL_ERROR = 1011;

/** The base of {@link WebSocketEndpoint}, for contexts of one's own. */
export abstract class WebSocketEndpointOf<Context> implements Component {
  /**
   * What `onReceive` gets: `text` a string, `bytes` a Uint8Array, `json` the value that a text message stands for.
   * Messages of the other kind close the connection with 1003, text that is no JSON with 1007. Default `text`.
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

  /** One connection, from its handshake to its end. */
  async handle(call: WebSocketCall): Promise<void> {
    const context = this.contextOf(call);
    let end = { code: INTERNAL_ERROR, reason: "" };
    let isRefused = false;
    try {
      for (;;) {
        const event = await call.receive();
        if (event.type === "websocket.disconnect") {
          end = event;
          return;
        }
        if (event.type === "websocket.receive") isRefused ||= !(await this.#deliver(event, context, call));
        else if (this.onConnect !== undefined) await this.onConnect(context);
        else await call.send({ type: "websocket.accept" });
      }
    } finally {
      await this.onDisconnect?.(context, end.code, end.reason);
    }
  }

  /** Returns false when the message was refused, which ends the connection. */
  async #deliver(event: WebSocketReceive, context: Context, call: WebSocketCall): Promise<boolean> {
    if (this.onReceive === undefined) return true;
    let data: unknown = this.encoding === "bytes" ? event.bytes : event.text;
    if (data === undefined) {
      const reason = `this endpoint takes ${this.encoding} only`;
      await call.send({ type: "websocket.close", code: UNSUPPORTED_DATA, reason });
      return false;
    }
    if (this.encoding === "json") {
      try {
        data = JSON.parse(String(data));
      } catch {
        await call.send({ type: "websocket.close", code: INVALID_PAYLOAD, reason: "this is no JSON" });
        return false;
      }
    }
    await this.onReceive(context, data);
    return true;
  }
}

/** A class for WebSocket connections, whose methods get the call itself. */
export abstract class WebSocketEndpoint extends WebSocketEndpointOf<WebSocketCall> {
  contextOf(call: WebSocketCall): WebSocketCall {
    return call;
  }
}

/** The base of {@link SseEndpoint}, for contexts of one's own. */
export abstract class SseEndpointOf<Context> implements Component {
  /** Seconds between comments that keep the connection open; 0, the default, sends none. */
  readonly keepaliveInterval: number = 0;

  /** The stream has been opened; the client's going is noticed when this is done. */
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

  /** One stream, from its opening until the client has gone. */
  async handle(call: SseCall): Promise<void> {
    const context = this.contextOf(call);
    await call.send({ type: "sse.start" });
    try {
      if (this.keepaliveInterval > 0) {
        await call.send({ type: "sse.keepalive", interval: this.keepaliveInterval });
      }
      await this.onConnect?.(context);
      while ((await call.receive()).type !== "sse.disconnect");
    } finally {
      await this.onDisconnect?.(context);
    }
  }
}

/** A class for event streams, whose methods get the call itself. */
export abstract class SseEndpoint extends SseEndpointOf<SseCall> {
  contextOf(call: SseCall): SseCall {
    return call;
  }
}
