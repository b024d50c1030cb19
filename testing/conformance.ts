import type { ConformanceCase } from "./conformance/conformance-case.ts";
import { CONNECTION_CASES } from "./conformance/connection.ts";
import { HTTP_REQUEST_CASES } from "./conformance/http-requests.ts";
import { HTTP_RESPONSE_CASES } from "./conformance/http-responses.ts";
import { LIFESPAN_CASES } from "./conformance/lifespan.ts";
import { SSE_CASES } from "./conformance/sse.ts";
import { WEBSOCKET_CASES } from "./conformance/websocket.ts";

export { Notes, runCase } from "./conformance/conformance-case.ts";
export type {
  ConformanceCase,
  ConformanceClient,
  ConformanceRequest,
  ConformanceResponse,
  ConformanceSettings,
  ConformanceStream,
  ConformanceTarget,
  ConformanceWebSocket,
} from "./conformance/conformance-case.ts";
export { IN_PROCESS } from "./conformance/in-process.ts";
export { checkRefusedStart } from "./conformance/lifespan.ts";

/** What every PAGI server does, by protocol: each case says where in the specification it stands. */
export const CONFORMANCE = {
  "http requests": HTTP_REQUEST_CASES,
  "http responses": HTTP_RESPONSE_CASES,
  connection: CONNECTION_CASES,
  sse: SSE_CASES,
  websocket: WEBSOCKET_CASES,
  lifespan: LIFESPAN_CASES,
} as const satisfies Readonly<Record<string, readonly ConformanceCase[]>>;
