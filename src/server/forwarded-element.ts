/** The parameters of one hop that the server has use for. */
export interface ForwardedElement {
  readonly for?: string;
  readonly host?: string;
  readonly proto?: string;
}

// A token, or a quoted string. No value that these parameters can have needs an escape in a quoted string, so one with
// a backslash is none (RFC 7239 section 4, RFC 9110 section 5.6.4).
const PAIR = /[ \t]*([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"([^"\\]*)")[ \t]*(?:;|$)/y;

/**
 * Reads one element of `Forwarded`: parameters with semicolons between them, each at most once. Others than those of
 * RFC 7239 are allowed and left out.
 *
 * @returns undefined for what is none.
 */
export function parseForwardedElement(text: string): ForwardedElement | undefined {
  const found = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return undefined;
    const name = (match[1] ?? "").toLowerCase();
    if (found.has(name)) return undefined;
    found.set(name, match[2] ?? match[3] ?? "");
  }
  const [client, host, proto] = [found.get("for"), found.get("host"), found.get("proto")];
  return {
    ...(client !== undefined && { for: client }),
    ...(host !== undefined && { host }),
    ...(proto !== undefined && { proto }),
  };
}
