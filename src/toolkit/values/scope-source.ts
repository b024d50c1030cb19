import type { Scope } from "../../spec/scope.ts";

/** What has a scope, and the scope itself: a request, a context, a connection, a response that was made for a scope. */
export type ScopeSource = Scope | { readonly scope: Scope | undefined };

/** The scope of something. @throws TypeError where it has none; `wanted` says who wants it. */
export function scopeOf(source: ScopeSource, wanted: string): Scope {
  const scope = isObject(source) ? (isScope(source) ? source : source.scope) : undefined;
  if (isObject(scope)) return scope;
  throw new TypeError(
    `${wanted} needs a scope, or what has one: a request, a context, a response made for a scope, as request.response().`,
  );
}

function isScope(source: ScopeSource): source is Scope {
  return "pagi" in source;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
