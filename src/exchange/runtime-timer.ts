import type { Timer } from "./environment.ts";

/** A {@link Timer} of the runtime's own, for hosts that have no cheaper way to keep many. */
export function runtimeTimer(onExpire: () => void): Timer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => clearTimeout(timer);
  return {
    set(milliseconds) {
      clear();
      if (milliseconds > 0) timer = setTimeout(onExpire, milliseconds);
    },
    clear,
  };
}
