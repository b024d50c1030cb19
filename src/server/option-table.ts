import type { OptionDeclaration } from "./option-values.ts";

/**
 * Every option of the server, declared once. The schema, the flags, `--help` and `docs/options.md` are made of this
 * table. Sizes are bytes, durations are seconds.
 */
export const OPTIONS = {
  host: {
    group: "Server",
    type: "string",
    default: "127.0.0.1",
    placeholder: "HOST",
    pattern: /^[^\s/[\]]+$/,
    patternText: "be a host name or an IP address, without brackets",
    flag: "host",
    short: "o",
    variable: "PAGI_HOST",
    weakVariable: "HOST",
    doc: "Address to listen at; 0.0.0.0 is every IPv4 address, :: every address of this machine",
  },
  port: {
    group: "Server",
    type: "port",
    default: 5000,
    minimum: 0,
    maximum: 65_535,
    zero: "takes a free port",
    flag: "port",
    short: "p",
    variable: "PAGI_PORT",
    weakVariable: "PORT",
    doc: "TCP port to listen at",
  },
  listen: {
    group: "Server",
    type: "string",
    repeatable: true,
    default: [],
    placeholder: "ADDRESS",
    excludes: ["host", "port", "socket"],
    flag: "listen",
    variable: "PAGI_LISTEN",
    doc: "Address to listen at, instead of host and port: HOST:PORT, [IPV6]:PORT, a path that begins with / or ., unix:PATH, or fd:NUMBER for an inherited socket",
  },
  socket: {
    group: "Server",
    type: "string",
    default: "",
    placeholder: "PATH",
    excludes: ["host", "port"],
    flag: "socket",
    variable: "PAGI_SOCKET",
    doc: "Unix socket to listen at, instead of host and port",
  },
  socketMode: {
    group: "Server",
    type: "string",
    default: "0660",
    placeholder: "MODE",
    pattern: /^0?[0-7]{3}$/,
    patternText: "be octal permissions, such as 0660",
    flag: "socket-mode",
    variable: "PAGI_SOCKET_MODE",
    doc: "Permissions of Unix sockets, octal; a client has to have the right to write",
  },
  socketUser: {
    group: "Server",
    type: "string",
    default: "",
    placeholder: "USER",
    flag: "socket-user",
    variable: "PAGI_SOCKET_USER",
    doc: "User that Unix sockets belong to, by name or number; empty leaves it to be the server's",
  },
  socketGroup: {
    group: "Server",
    type: "string",
    default: "",
    placeholder: "GROUP",
    flag: "socket-group",
    variable: "PAGI_SOCKET_GROUP",
    doc: "Group that Unix sockets belong to, by name or number; empty leaves it to be the server's",
  },
  backlog: {
    group: "Server",
    type: "integer",
    default: 2048,
    minimum: 1,
    maximum: 2_147_483_647,
    flag: "backlog",
    variable: "PAGI_BACKLOG",
    doc: "Connections that may wait to be accepted, at each address; the kernel's own bound (net.core.somaxconn) holds too",
    reason: "A burst of connections must not be refused while the server is busy for a moment.",
  },
  env: {
    group: "Server",
    type: "choice",
    choices: ["development", "production", "none"],
    default: "production",
    onTerminal: "development",
    flag: "env",
    short: "E",
    variable: "PAGI_ENV",
    doc: "Mode, which decides the defaults of other options; the application finds it in PAGI_ENV",
  },
  rootPath: {
    group: "Server",
    type: "string",
    default: "",
    placeholder: "PATH",
    pattern: /^(?:\/.*[^/])?$/,
    patternText: "be empty, or begin with a slash and end without one",
    flag: "root-path",
    variable: "PAGI_ROOT_PATH",
    doc: "Where a proxy has mounted the application: the scope's root_path",
  },
  sslCert: {
    group: "TLS",
    type: "string",
    repeatable: true,
    default: [],
    placeholder: "FILE",
    flag: "ssl-cert",
    variable: "PAGI_SSL_CERT",
    doc: "Certificate, PEM, with the intermediate ones behind it; all listeners then speak TLS. Of several the one that fits the name that the client asks for is shown, else the first",
  },
  sslKey: {
    group: "TLS",
    type: "string",
    repeatable: true,
    default: [],
    placeholder: "FILE",
    flag: "ssl-key",
    variable: "PAGI_SSL_KEY",
    doc: "Private key of each certificate, PEM, in the same order; none where the certificates' files hold the keys as well",
  },
  sslKeyPassphraseFile: {
    group: "TLS",
    type: "string",
    default: "",
    placeholder: "FILE",
    flag: "ssl-key-passphrase-file",
    variable: "PAGI_SSL_KEY_PASSPHRASE_FILE",
    doc: "File whose first line is the passphrase of encrypted keys",
  },
  sslCa: {
    group: "TLS",
    type: "string",
    default: "",
    placeholder: "FILE",
    flag: "ssl-ca",
    variable: "PAGI_SSL_CA",
    doc: "Certificates of the authorities that clients' certificates have to come from, PEM",
  },
  sslVerifyClient: {
    group: "TLS",
    type: "choice",
    choices: ["off", "optional", "require"],
    default: "off",
    bare: "require",
    flag: "ssl-verify-client",
    variable: "PAGI_SSL_VERIFY_CLIENT",
    doc: "Ask clients for a certificate: require lets nobody in without a good one; optional lets everybody in, and the application finds the certificate, and what is wrong with it, in the tls extension",
  },
  sslMinVersion: {
    group: "TLS",
    type: "choice",
    choices: ["1.2", "1.3"],
    default: "1.2",
    flag: "ssl-min-version",
    variable: "PAGI_SSL_MIN_VERSION",
    doc: "The oldest version of TLS to speak",
  },
  sslCiphers: {
    group: "TLS",
    type: "string",
    default: "ECDHE+AESGCM:ECDHE+CHACHA20",
    placeholder: "LIST",
    flag: "ssl-ciphers",
    variable: "PAGI_SSL_CIPHERS",
    doc: "Cipher suites of TLS 1.2, as OpenSSL writes them; those of TLS 1.3 are fixed",
  },
  factory: {
    group: "Application",
    type: "boolean",
    default: false,
    flag: "factory",
    variable: "PAGI_FACTORY",
    doc: "The export is a function that returns the application",
  },
  lifespan: {
    group: "Application",
    type: "choice",
    choices: ["auto", "on", "off"],
    default: "auto",
    flag: "lifespan",
    variable: "PAGI_LIFESPAN",
    doc: "Startup and shutdown events: auto lets the application decline them, on makes that an error, off sends none",
  },
  lifespanStartupTimeout: {
    group: "Application",
    type: "duration",
    default: 30,
    minimum: 0,
    zero: "waits for as long as it takes",
    flag: "lifespan-startup-timeout",
    variable: "PAGI_LIFESPAN_STARTUP_TIMEOUT",
    doc: "The longest that the application's startup may take",
    reason: "A startup that hangs must end in an error, not in a server that never listens.",
  },
  validateEvents: {
    group: "Application",
    type: "boolean",
    default: false,
    inDevelopment: true,
    flag: "validate-events",
    variable: "PAGI_VALIDATE_EVENTS",
    doc: "Check every event that the application sends against the whole specification",
  },
  workers: {
    group: "Workers",
    type: "integer",
    default: 1,
    minimum: 0,
    maximum: 1024,
    zeroWord: "auto",
    flag: "workers",
    short: "w",
    variable: "PAGI_WORKERS",
    doc: "Processes that serve; 1 is this one alone, more are supervised by it, auto is one for each CPU",
  },
  reuseport: {
    group: "Workers",
    type: "boolean",
    default: true,
    flag: "reuseport",
    variable: "PAGI_REUSEPORT",
    doc: "Each worker has a socket of its own for a TCP address, and the kernel spreads connections evenly; without, all share one",
  },
  supervisorLifespan: {
    group: "Workers",
    type: "boolean",
    default: true,
    flag: "supervisor-lifespan",
    variable: "PAGI_SUPERVISOR_LIFESPAN",
    doc: "The application's lifespan runs once in the supervisor too, around that of all workers",
  },
  heartbeatTimeout: {
    group: "Workers",
    type: "duration",
    default: 50,
    minimum: 0,
    zero: "never kills one",
    flag: "heartbeat-timeout",
    variable: "PAGI_HEARTBEAT_TIMEOUT",
    doc: "The longest that the event loop of a worker may be blocked; then the worker is killed and replaced",
    reason:
      "A worker that is blocked for good answers nobody. This is no limit for requests, which may wait for longer.",
  },
  maxRequests: {
    group: "Workers",
    type: "integer",
    default: 0,
    minimum: 0,
    zero: "never replaces one",
    flag: "max-requests",
    variable: "PAGI_MAX_REQUESTS",
    doc: "Requests after which a worker is replaced; its replacement is ready before it stops accepting",
    reason: "It bounds what an application that leaks memory can leak.",
  },
  maxRequestsJitter: {
    group: "Workers",
    type: "integer",
    default: 0,
    minimum: 0,
    flag: "max-requests-jitter",
    variable: "PAGI_MAX_REQUESTS_JITTER",
    doc: "Up to so many requests more, different for each worker, so that they are not replaced all together",
  },
  maxRss: {
    group: "Workers",
    type: "size",
    default: 0,
    minimum: 0,
    zero: "never replaces one",
    flag: "max-rss",
    variable: "PAGI_MAX_RSS",
    doc: "Memory (resident set) beyond which a worker is replaced; its replacement is ready before it stops accepting",
    reason: "Better replaced in good order than killed by the kernel when no memory is left.",
  },
  pid: {
    group: "Process",
    type: "string",
    default: "",
    placeholder: "FILE",
    flag: "pid",
    variable: "PAGI_PID",
    doc: "File for the process id, written when the server is ready; refused while a process that runs holds it",
  },
  user: {
    group: "Process",
    type: "string",
    default: "",
    placeholder: "USER",
    flag: "user",
    variable: "PAGI_USER",
    doc: "User (a name or a number) to become once the sockets are open, for good; its groups come with it",
  },
  group: {
    group: "Process",
    type: "string",
    default: "",
    placeholder: "GROUP",
    flag: "group",
    variable: "PAGI_GROUP",
    doc: "Group (a name or a number) to become; without, that of --user",
  },
  umask: {
    group: "Process",
    type: "string",
    default: "",
    placeholder: "OCTAL",
    pattern: /^(?:[0-7]{1,4})?$/,
    patternText: "be an octal number such as 022",
    flag: "umask",
    variable: "PAGI_UMASK",
    doc: "Permissions that new files do not get",
  },
  chdir: {
    group: "Process",
    type: "string",
    default: "",
    placeholder: "FOLDER",
    flag: "chdir",
    variable: "PAGI_CHDIR",
    doc: "Folder to go to first of all; every other path is meant from there",
  },
  daemonize: {
    group: "Process",
    type: "boolean",
    default: false,
    flag: "daemonize",
    short: "D",
    variable: "PAGI_DAEMONIZE",
    doc: "Go on in the background, without a terminal; the command ends once the server is ready, or cannot be",
  },
  quiet: {
    group: "Logging",
    type: "boolean",
    default: false,
    flag: "quiet",
    short: "q",
    variable: "PAGI_QUIET",
    doc: "No banner, and of the log only errors",
  },
  logLevel: {
    group: "Logging",
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    flag: "log-level",
    variable: "PAGI_LOG_LEVEL",
    doc: "The least important messages to log; debug also shows the stack of a failure to start",
  },
  accessLog: {
    group: "Logging",
    type: "log-target",
    default: false,
    inDevelopment: true,
    flag: "access-log",
    variable: "PAGI_ACCESS_LOG",
    doc: "File to which requests are logged; - is standard error, off is no log",
  },
  accessLogFormat: {
    group: "Logging",
    type: "string",
    default: "clf",
    placeholder: "FORMAT",
    flag: "access-log-format",
    variable: "PAGI_ACCESS_LOG_FORMAT",
    doc: "A preset (clf, combined, common, tiny, json) or a format string",
  },
  maxRequestLine: {
    group: "Limits",
    type: "size",
    default: 8192,
    minimum: 1,
    flag: "max-request-line",
    variable: "PAGI_MAX_REQUEST_LINE",
    doc: "Longest request line; a longer one is answered with 414",
    reason: "RFC 9112 section 3 asks for at least 8000 bytes; browsers and proxies use no more.",
  },
  maxHeaderSize: {
    group: "Limits",
    type: "size",
    default: 16_384,
    minimum: 1,
    flag: "max-header-size",
    variable: "PAGI_MAX_HEADER_SIZE",
    doc: "Largest request head; a larger one is answered with 431",
    reason: "A head is held in memory as a whole; large cookies and tokens fit into 16 KiB.",
  },
  maxHeaderCount: {
    group: "Limits",
    type: "integer",
    default: 100,
    minimum: 1,
    flag: "max-header-count",
    variable: "PAGI_MAX_HEADER_COUNT",
    doc: "Most fields in a request head; more are answered with 431",
    reason: "Many tiny fields cost more memory and time than their bytes show; browsers send about 20.",
  },
  maxBodySize: {
    group: "Limits",
    type: "size",
    default: 10_000_000,
    minimum: 0,
    zero: "sets no limit",
    flag: "max-body-size",
    variable: "PAGI_MAX_BODY_SIZE",
    doc: "Largest request body; a larger one is answered with 413",
    reason: "Applications often gather a body in memory; raise it for those that stream uploads.",
  },
  maxChunkLine: {
    group: "Limits",
    type: "size",
    default: 1024,
    minimum: 1,
    flag: "max-chunk-line",
    variable: "PAGI_MAX_CHUNK_LINE",
    doc: "Longest chunk-size line with its extensions; a longer one is answered with 400",
    reason: "Extensions are ignored, and without a bound would be bytes that no other limit counts.",
  },
  maxTrailerSize: {
    group: "Limits",
    type: "size",
    default: 8192,
    minimum: 1,
    flag: "max-trailer-size",
    variable: "PAGI_MAX_TRAILER_SIZE",
    doc: "Largest trailer section of a request; a larger one is answered with 431",
    reason: "Trailers are dropped; this bounds what is read on the way.",
  },
  maxConnections: {
    group: "Limits",
    type: "integer",
    default: 1000,
    minimum: 1,
    flag: "max-connections",
    variable: "PAGI_MAX_CONNECTIONS",
    doc: "Most connections at a time; one more is answered with 503 and closed",
    reason: "Each holds memory and a file descriptor, of which common systems give a process 1024.",
  },
  headerTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 15,
    minimum: 0,
    zero: "waits for ever",
    flag: "header-timeout",
    variable: "PAGI_HEADER_TIMEOUT",
    doc: "The longest from the first byte of a request to the end of its head; then 408",
    reason: "A head that trickles in would hold a connection for ever.",
  },
  timeout: {
    group: "Timeouts",
    type: "duration",
    default: 60,
    minimum: 0,
    zero: "keeps it for ever",
    flag: "timeout",
    variable: "PAGI_TIMEOUT",
    doc: "How long a connection is kept between two requests",
    reason: "Longer than a proxy in front keeps it, so that the proxy never sends into a closing connection.",
  },
  requestTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 30,
    minimum: 0,
    zero: "waits for ever",
    flag: "request-timeout",
    variable: "PAGI_REQUEST_TIMEOUT",
    doc: "The longest without a byte of a request body that is being read; then 408",
    reason: "An upload that has stalled would hold the application's call for ever.",
  },
  writeTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 60,
    minimum: 0,
    zero: "waits for ever",
    flag: "write-timeout",
    variable: "PAGI_WRITE_TIMEOUT",
    doc: "The longest that a client may take no byte of a response; then the connection is cut",
    reason: "A client that stops reading holds the response in memory.",
  },
  sseIdleTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 0,
    minimum: 0,
    zero: "never ends one",
    flag: "sse-idle-timeout",
    variable: "PAGI_SSE_IDLE_TIMEOUT",
    doc: "The longest that an event stream may send nothing before it is ended",
    reason: "Off, since a quiet event stream is an ordinary one.",
  },
  halfCloseGrace: {
    group: "Timeouts",
    type: "duration",
    default: 1,
    minimum: 0,
    zero: "counts it as gone at once",
    flag: "half-close-grace",
    variable: "PAGI_HALF_CLOSE_GRACE",
    doc: "How long a client that has closed its sending side still gets its answer",
    reason: "A client that sends its request and then FIN is rare; one that is gone looks the same.",
  },
  lingerTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 2,
    minimum: 0,
    zero: "closes at once",
    flag: "linger-timeout",
    variable: "PAGI_LINGER_TIMEOUT",
    doc: "How long the unread rest of a request is read away after the last response of a connection",
    reason: "A close with unread bytes is a reset, which could destroy the response on its way.",
  },
  shutdownTimeout: {
    group: "Timeouts",
    type: "duration",
    default: 30,
    minimum: 0,
    zero: "cuts them at once",
    flag: "shutdown-timeout",
    variable: "PAGI_SHUTDOWN_TIMEOUT",
    doc: "How long running requests may go on at shutdown",
    reason: "Service managers kill what does not end by itself, often after 30 seconds or more.",
  },
  writeHighWatermark: {
    group: "Flow control",
    type: "size",
    default: 65_536,
    minimum: 1,
    flag: "write-high-watermark",
    variable: "PAGI_WRITE_HIGH_WATERMARK",
    doc: "Unsent bytes of a connection at which send waits",
    reason: "It bounds what a slow client costs in memory, and still fills a fast one's window.",
  },
  writeLowWatermark: {
    group: "Flow control",
    type: "size",
    default: 16_384,
    minimum: 0,
    atMost: "writeHighWatermark",
    flag: "write-low-watermark",
    variable: "PAGI_WRITE_LOW_WATERMARK",
    doc: "Unsent bytes of a connection below which a waiting send goes on; not above the high watermark",
    reason: "The gap between the two saves a wake-up for every few bytes.",
  },
} as const satisfies Record<string, OptionDeclaration>;

/** The name of an option, as in `serve(app, { name: value })`. */
export type OptionName = keyof typeof OPTIONS;

interface ValuesByType {
  string: string;
  integer: number;
  port: number;
  size: number;
  duration: number;
  boolean: boolean;
  "log-target": string | boolean;
}

type ValueOf<D extends OptionDeclaration> = D extends { type: "choice" }
  ? D["choices"][number]
  : D["type"] extends keyof ValuesByType
    ? ValuesByType[D["type"]]
    : never;

/** What may also be given as text, such as `"30s"` or the value of an environment variable. */
type GivenValueOf<D extends OptionDeclaration> = D["type"] extends "integer" | "port" | "size" | "duration"
  ? number | string
  : ValueOf<D>;

type Repeated<D extends OptionDeclaration, V> = D extends { repeatable: true } ? readonly V[] : V;

/** All options with their final values: sizes in bytes, durations in seconds. Frozen. */
export type ServerOptions = {
  readonly [K in OptionName]: Repeated<(typeof OPTIONS)[K], ValueOf<(typeof OPTIONS)[K]>>;
};

/** What a user may give; what is absent or `undefined` takes its default. */
export type PartialOptions = {
  readonly [K in OptionName]?: Repeated<(typeof OPTIONS)[K], GivenValueOf<(typeof OPTIONS)[K]>> | undefined;
};

/** The mode that the server runs in. */
export type Mode = ServerOptions["env"];

/** How the user wrote the name of an option, where that is not its name in {@link OPTIONS}. */
export type WrittenNames = { readonly [K in OptionName]?: string };

/** Values that nobody has checked yet. */
export type GivenOptions = { readonly [K in OptionName]?: unknown };

/** Option values that have been checked, and nothing else. */
export type CheckedOptions = { readonly [K in OptionName]?: ServerOptions[K] };

/** All names, in the table's order. */
export const OPTION_NAMES: readonly OptionName[] = Object.keys(OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The declaration of an option, in the shape that all of them share. */
export function declarationOf(name: OptionName): OptionDeclaration {
  return OPTIONS[name];
}
