import { parameterOf, parseParameters } from "../../spec/parameters.ts";

/** The parameters of one hop that the server has use for. */
export interface ForwardedElement {
  readonly for?: string;
  readonly host?: string;
  readonly proto?: string;
}

/**
 * Reads one element of `Forwarded`: parameters with semicolons between them, each at most once. Others than those of
 * RFC 7239 are allowed and left out.
 *
 * @returns undefined for a malformed element.
 */
export function parseForwardedElement(text: string): ForwardedElement | undefined {
  const parameters = parseParameters(text);
  const names = new Set(parameters.list.map(([name]) => name));
  if (!parameters.isWellFormed || names.size !== parameters.list.length) return undefined;
  const [client, host, proto] = ["for", "host", "proto"].map((name) => parameterOf(parameters, name));
  return {
    ...(client !== undefined && { for: client }),
    ...(host !== undefined && { host }),
    ...(proto !== undefined && { proto }),
  };
}
