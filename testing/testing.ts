export { TestClient } from "./test-client.ts";
export type { TestableApplication } from "./test-client.ts";
export { TestResponse } from "./test-response.ts";
export { TestSse } from "./test-sse.ts";
export type { ReceivedEvent } from "./test-sse.ts";
export { TestWebSocket } from "./test-websocket.ts";
export type { Closing } from "./test-websocket.ts";
export type {
  CallOptions,
  HttpOptions,
  RequestOptions,
  ScopeOptions,
  SseOptions,
  TestClientOptions,
  WebSocketOptions,
} from "./client-options.ts";
export type { BodyInit, FileInit, Pairs } from "./request-body.ts";
export { DeclinedError } from "./declined-error.ts";
export * from "./test-error.ts";
