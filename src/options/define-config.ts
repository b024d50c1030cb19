import type { PartialOptions } from "./partial-options.ts";

/** What a configuration file exports: options by name, and the application. */
export interface Config extends Omit<PartialOptions, "config"> {
  /** `app.ts` or `app.ts:export`; a file on the command line takes precedence. */
  readonly app?: string | undefined;
}

/**
 * Types a configuration, so that an editor completes and checks its keys. `pagi.config.ts`:
 *
 *     export default defineConfig({ app: "app.ts", port: 8080, workers: "auto" });
 *
 * It returns the configuration unchanged.
 */
export function defineConfig(config: Config): Config {
  return config;
}
