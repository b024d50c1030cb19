/** token = 1*tchar */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** True for a token: a method, a name of a field or of a cookie, a connection option. Source: RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
