import { IncomingMessage, ServerResponse } from "node:http";

/** What a request has in Bun besides the documented members. */
export interface BunRequest extends IncomingMessage {
  /** Somebody reads the body. */
  readonly _consuming: boolean;
  readonly _eventsCount: number;
  readonly _readableState: { readonly resumeScheduled: boolean };
  /** Reads the body to its end for nobody. */
  _dump(): void;
  /** The same without events, where nobody listens. */
  _dumpAndCloseReadable(): void;
}

/**
 * How Bun's own server makes the objects of a request: around the native side of the exchange, which is known to them by
 * a symbol. Any object with the members of {@link NativeExchange} can be that side.
 */
export interface Internals {
  /** The key of the native side in a response and in a socket. */
  readonly handle: symbol;
  /** @param keepsAlive what the request has said about its connection. */
  request(
    url: string,
    method: string,
    native: object,
    hasBody: boolean,
    socket: object,
    keepsAlive: boolean,
  ): BunRequest;
  response(request: IncomingMessage, native: object): ServerResponse;
}

/**
 * Those of this Bun; undefined where the symbols are missing. That the rest is as expected only a request shows: see
 * `probe.ts`.
 */
export function findInternals(): Internals | undefined {
  const bare: unknown = Reflect.construct(ServerResponse, [
    { method: "GET", httpVersionMajor: 1, httpVersionMinor: 1 },
  ]);
  const handle = symbolOf(bare, "handle");
  const keepsAlive = symbolOf(Reflect.construct(IncomingMessage, [null]), "kReqShouldKeepAlive");
  if (handle === undefined || keepsAlive === undefined) return undefined;
  // The types know only the constructors' documented arguments.
  const Request: new (...given: readonly unknown[]) => BunRequest & { [key: symbol]: unknown } =
    IncomingMessage as never;
  const Response: new (...given: readonly unknown[]) => ServerResponse = ServerResponse as never;
  const options: { [key: symbol]: unknown; highWaterMark: number } = { highWaterMark: 65536 };
  return {
    handle,
    request(url, method, native, hasBody, socket, isKept) {
      const request = new Request(handle, url, method, undefined, undefined, native, hasBody, socket);
      request[keepsAlive] = isKept;
      return request;
    },
    response: (request, native) => {
      options[handle] = native;
      try {
        return new Response(request, options);
      } finally {
        options[handle] = undefined;
      }
    },
  };
}

function symbolOf(owner: unknown, description: string): symbol | undefined {
  if (typeof owner !== "object" || owner === null) return undefined;
  return Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
}
