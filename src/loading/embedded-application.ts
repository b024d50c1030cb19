/** An application that was built into the program together with the server. */
export interface EmbeddedApplication {
  /** How it was named when it was built: `app.ts`, or `app.ts:admin`. */
  readonly name: string;
  /** The file in that name, for messages. */
  readonly file: string;
  /** The export that was named; absent for the default export, or the export `app`. */
  readonly exported: string | undefined;
  /** The export is a function that returns the application. */
  readonly factory: boolean;
  /** Runs its module. */
  readonly load: () => Promise<Readonly<Record<string, unknown>>>;
}

let embedded: EmbeddedApplication | undefined;

/** Makes this program one that serves this application and no other. The entry that `pagi-server build` writes calls it. */
export function embedApplication(application: EmbeddedApplication): void {
  embedded = application;
}

export function embeddedApplication(): EmbeddedApplication | undefined {
  return embedded;
}
