export * from "./src/errors.ts";
export { serve } from "./cli/serve-program.ts";
export type { RunningServer, Servable, ServeOptions } from "./cli/serve-program.ts";
export { defineConfig } from "./src/options/define-config.ts";
export type { Config } from "./src/options/define-config.ts";
export type { Logger } from "./src/logging/logger.ts";
export type { Duration, Size } from "./src/options/option-text.ts";
export { Server } from "./src/server/server.ts";
export * from "./src/spec/index.ts";
