const LENGTH = /\r\ncontent-length:[^\r\n]*/i;

/**
 * Whether a text is the head of a final response with a Content-Length, and a body behind it.
 *
 * @param method the request method: a response to HEAD has a length but no body (RFC 9110 section 9.3.2).
 */
export function announcesLength(text: string, method: string): boolean {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  const hasBody = status !== undefined && !/^(1..|204|304)$/.test(status) && method !== "HEAD";
  return hasBody && text.indexOf("\r\n\r\n") === text.length - 4 && LENGTH.test(text);
}

/** The head with the length that its body has. */
export function withLength(head: string, length: number): string {
  return head.replace(LENGTH, `\r\nContent-Length: ${length}`);
}
