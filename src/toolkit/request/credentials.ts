/** Credentials of `Authorization: Basic`. RFC 7617. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** The token of `Authorization: Bearer`; `undefined` for another scheme, or for what is no token. RFC 6750 section 2.1. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization ?? "")?.[1];
}

/** User name and password, as UTF-8; `undefined` for another scheme, or for what is not base64 of both. RFC 7617. */
export function basicCredentials(authorization: string | undefined): BasicCredentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
