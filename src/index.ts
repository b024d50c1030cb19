export * from "./errors.ts";
export { serve } from "./serve.ts";
export type { RunningServer, Servable, ServeOptions } from "./serve.ts";
export { defineConfig } from "./server/define-config.ts";
export type { Config } from "./server/define-config.ts";
export type { Logger } from "./server/logger.ts";
export type { Duration, Size } from "./server/option-text.ts";
export { Server } from "./server/server.ts";
export * from "./spec/index.ts";
