import type { ConnectionState, DisconnectReason } from "../spec/connection-state.ts";
import type { RequestScope } from "./decline.ts";
import type { PathParams } from "./path-params.ts";
import { RequestHead } from "./request-head.ts";

/** What a request says of itself, and whether it still has a client. */
export abstract class ConnectedHead<
  S extends RequestScope,
  Params extends PathParams = PathParams,
> extends RequestHead<S, Params> {
  /** How the request stands; only `http` scopes have it. */
  get connection(): ConnectionState | undefined {
    const scope: RequestScope = this.scope;
    return scope.type === "http" ? scope["pagi.connection"] : undefined;
  }

  /** False where nothing is known of the connection, as in an `sse` scope. */
  isConnected(): boolean {
    return this.connection?.isConnected() ?? false;
  }

  isDisconnected(): boolean {
    return !this.isConnected();
  }

  disconnectReason(): DisconnectReason | undefined {
    return this.connection?.disconnectReason();
  }

  /** Runs `callback` when the request ends otherwise than well; at once if it has. */
  onDisconnect(callback: (reason: DisconnectReason) => void): this {
    this.connection?.onDisconnect(callback);
    return this;
  }

  /** Runs `callback` when the response has been delivered; at once if it has. */
  onComplete(callback: () => void): this {
    this.connection?.onComplete(callback);
    return this;
  }

  /** Resolves with the reason when the request ends otherwise than well; `undefined` where that is not known. */
  whenDisconnected(): Promise<DisconnectReason> | undefined {
    return this.connection?.whenDisconnected();
  }
}
