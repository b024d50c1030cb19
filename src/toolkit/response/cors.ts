import { checkOptions, FLAG, TEXT, TEXTS, whole, type OptionRules } from "../../spec/option-rules.ts";
import type { PagiHeaders } from "../values/headers.ts";

/** Which other origins may read a response. Source: Fetch standard, "CORS protocol". */
export interface CorsOptions {
  /** Default `*`, every origin. */
  origin?: string | undefined;
  /** For a preflight. Default GET, POST, PUT, DELETE, PATCH and OPTIONS. */
  methods?: readonly string[] | undefined;
  /** Request fields, for a preflight. Default Content-Type, Authorization and X-Requested-With. */
  headers?: readonly string[] | undefined;
  /** Response fields that scripts may read beside the usual ones. Default none. */
  expose?: readonly string[] | undefined;
  /** Whether cookies and credentials may be sent. Default false. */
  credentials?: boolean | undefined;
  /** Seconds for which a preflight holds. Default 86400. */
  maxAge?: number | undefined;
  /** Whether this answers a preflight. Default false. */
  preflight?: boolean | undefined;
  /**
   * The `Origin` of the request. Needed with `credentials` and the origin `*`, which may not go together: the origin
   * that asks is then the one that is allowed, so that **every** site can act in the name of the user. Given as
   * `undefined`, since the request has none, nobody else is allowed anything.
   */
  requestOrigin?: string | undefined;
}

const CORS_RULES: OptionRules<CorsOptions> = {
  origin: TEXT,
  methods: TEXTS,
  headers: TEXTS,
  expose: TEXTS,
  credentials: FLAG,
  maxAge: whole(0),
  preflight: FLAG,
  requestOrigin: TEXT,
};

/** Adds the fields. @throws OptionError for an unknown option, and for a value that is none; TypeError for `credentials` with every origin where it is not said which one asks. */
export function addCors(headers: PagiHeaders, options: CorsOptions): void {
  checkOptions("cors", CORS_RULES, options);
  const {
    origin = "*",
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
    headers: requestFields = ["Content-Type", "Authorization", "X-Requested-With"],
    expose = [],
    credentials = false,
    maxAge = 86400,
    preflight = false,
    requestOrigin,
  } = options;
  const allowed = origin === "*" && credentials ? requestOrigin : origin;
  if (allowed === undefined && !("requestOrigin" in options))
    throw new TypeError(
      "cors: credentials and the origin '*' exclude each other; name an origin, or give requestOrigin.",
    );
  if (!headers.getAll("vary").some((value) => /(^|,)\s*(origin|\*)\s*(,|$)/i.test(value)))
    headers.add("vary", "Origin");
  if (allowed === undefined) return;
  headers.set("access-control-allow-origin", allowed);
  if (credentials) headers.set("access-control-allow-credentials", "true");
  if (expose.length > 0) headers.set("access-control-expose-headers", expose.join(", "));
  if (!preflight) return;
  headers.set("access-control-allow-methods", methods.join(", "));
  headers.set("access-control-allow-headers", requestFields.join(", "));
  headers.set("access-control-max-age", maxAge);
}
