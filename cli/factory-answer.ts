import { isApplicationLike, sentence } from "../adapters/application-value.ts";
import type { Application } from "../src/spec/application.ts";

/**
 * Recognizes an application that is a factory, exported without `--factory`: what a call of it answers is an application,
 * and the call has neither received nor sent anything. It is reported once; the first call that behaves as an application
 * ends the watch.
 *
 * @param what names the export in the message, in words that can begin a sentence.
 */
export function recognizeFactory(
  app: Application,
  what: string,
  report: (message: string) => void,
): Application {
  let isWatched = true;
  const watched: Application = async (scope, receive, send) => {
    let isUsed = false;
    const used = <A extends readonly unknown[], R>(call: (...words: A) => R): ((...words: A) => R) => {
      return (...words) => {
        isUsed = true;
        isWatched = false;
        return call(...words);
      };
    };
    // The type says that nothing comes back; a factory is what breaks that promise.
    const answer: unknown = await app(scope, used(receive), used(send));
    if (isUsed || !isWatched || !isApplicationLike(answer)) return;
    isWatched = false;
    report(
      `${sentence(what)} is a function that returns the application, and not the application itself: start the server with --factory`,
    );
  };
  return (scope, receive, send) => (isWatched ? watched : app)(scope, receive, send);
}
