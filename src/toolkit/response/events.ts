import type { Send } from "../../spec/application.ts";
import type { HttpSendEvent, SseSendEvent, WebSocketSendEvent } from "../../spec/events.ts";
import type { RequestScope } from "../../spec/scope.ts";
import type { Headers } from "../../spec/values.ts";

/** The `send` of an application, or of a handler of one scope type, which takes that type's events only. */
export type AnySend =
  | Send
  | ((event: HttpSendEvent) => Promise<void>)
  | ((event: SseSendEvent) => Promise<void>)
  | ((event: WebSocketSendEvent) => Promise<void>);

/** The events of one response, whatever their prefix. */
export interface ResponseEvents {
  start(status: number, headers: Headers): Promise<void>;
  body(bytes: Uint8Array | string, more: boolean): Promise<void>;
  /** Sends a part of a file as the whole body; absent where no event can. Bytes. */
  readonly file?: (path: string, offset: number, length: number) => Promise<void>;
}

/** The events with which a scope is answered; those of `http` where none is known. Source: PAGI Www. */
export function responseEvents(anySend: AnySend, scope: RequestScope | undefined): ResponseEvents {
  // A handler's `send` takes the events of its own scope, and each branch sends only those; TypeScript cannot tie the
  // two arguments together, so this is the one place where that promise is written down.
  const send = anySend as Send;
  switch (scope?.type) {
    case undefined:
    case "http":
      return new HttpEvents(send);
    case "sse":
      return {
        start: (status, headers) => send({ type: "sse.http.response.start", status, headers }),
        body: (body, more) => send({ type: "sse.http.response.body", body, more }),
      };
    case "websocket":
      // Without the extension all a server can say is 403.
      if (scope.extensions?.["websocket.http.response"] === undefined)
        return { start: () => send({ type: "websocket.close" }), body: () => Promise.resolve() };
      return {
        start: (status, headers) => send({ type: "websocket.http.response.start", status, headers }),
        body: (body, more) => send({ type: "websocket.http.response.body", body, more }),
      };
  }
}

/** A class, since an object with three closures for each request would cost more. */
class HttpEvents implements ResponseEvents {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  start(status: number, headers: Headers): Promise<void> {
    return this.#send({ type: "http.response.start", status, headers });
  }

  body(body: Uint8Array | string, more: boolean): Promise<void> {
    return this.#send({ type: "http.response.body", body, more });
  }

  file(file: string, offset: number, length: number): Promise<void> {
    return this.#send({ type: "http.response.body", file, offset, length });
  }
}
