export { TestClient } from "./test-client.ts";
export type { TestableApplication } from "./test-client.ts";
export { TestResponse } from "./test-response.ts";
export type { HttpOptions, RequestOptions, ScopeOptions, TestClientOptions } from "./client-options.ts";
export type { BodyInit, FileInit, Pairs } from "./request-body.ts";
export * from "./test-error.ts";
