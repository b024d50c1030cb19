import type { Callback } from "../connection/lifetime.ts";

/** A callback of an event; what it returns is waited for if it is a promise, and means nothing. */
export type Listener<Values extends readonly unknown[]> = (...values: Values) => unknown;

/** A listener as a callback of the toolkit, which returns nothing. */
export function waitedFor<Values extends readonly unknown[]>(listener: Listener<Values>): Callback<Values> {
  return async (...values) => {
    await listener(...values);
  };
}
