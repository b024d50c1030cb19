import type { OptionDeclaration } from "../declaration.ts";

/** How the application is loaded and started, and how strictly its events are checked. A part of the table of options. */
export const APPLICATION_OPTIONS = {
  factory: {
    group: "Application",
    type: "boolean",
    default: false,
    flag: "factory",
    variable: "PAGI_FACTORY",
    doc: "The export is a function that returns the application",
  },
  lifespan: {
    group: "Application",
    type: "choice",
    choices: ["auto", "on", "off"],
    default: "auto",
    flag: "lifespan",
    variable: "PAGI_LIFESPAN",
    doc: "Startup and shutdown events: auto lets the application decline them, on makes that an error, off sends none",
  },
  lifespanStartupTimeout: {
    group: "Application",
    type: "duration",
    default: 30,
    minimum: 0,
    zero: "waits for as long as it takes",
    flag: "lifespan-startup-timeout",
    variable: "PAGI_LIFESPAN_STARTUP_TIMEOUT",
    doc: "Maximum time for the application's import and startup together, in each process that starts",
    reason:
      "A start that hangs must end in an error, not in a server that never listens, nor in a reload that never ends.",
  },
  validateEvents: {
    group: "Application",
    type: "boolean",
    default: false,
    inDevelopment: true,
    flag: "validate-events",
    variable: "PAGI_VALIDATE_EVENTS",
    doc: "Check every event that the application sends against the full specification",
  },
} as const satisfies Record<string, OptionDeclaration>;
