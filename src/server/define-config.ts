import type { PartialOptions } from "./partial-options.ts";

/** What a configuration file exports: options by name, and the application. */
export interface Config extends Omit<PartialOptions, "config"> {
  /** `app.ts` or `app.ts:export`; a file that the command line names wins. */
  readonly app?: string | undefined;
}

/**
 * Says that an object is a configuration, so that an editor knows its keys. `pagi.config.ts`:
 *
 *     export default defineConfig({ app: "app.ts", port: 8080, workers: "auto" });
 *
 * It returns what it is given.
 */
export function defineConfig(config: Config): Config {
  return config;
}
