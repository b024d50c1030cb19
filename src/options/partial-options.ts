// Made from the table of options by `bun run docs:options`; edit src/options/table.ts instead.
import type { Duration, Size } from "./option-text.ts";

/** Options of the server as a user may give them. One that is absent or `undefined` takes its default. */
export interface PartialOptions {
  /**
   * Configuration file with options by name: a module's default export, JSON, TOML or YAML; the default file is
   * optional.
   *
   * Default: pagi.config.ts. Flag `--config`, environment `PAGI_CONFIG`.
   */
  readonly config?: string | undefined;

  /**
   * File of environment variables, read before everything else; the real environment wins, then the later file.
   * Bun reads a .env in the working directory by itself; a file that is named here wins over that one.
   *
   * Default: none. Flag `--env-file`, environment `PAGI_ENV_FILE`.
   */
  readonly envFile?: readonly string[] | undefined;

  /**
   * Module (a file or a package) that is imported before the application, in every process that loads it.
   *
   * Default: none. Flag `--preload`, environment `PAGI_PRELOAD`.
   */
  readonly preload?: readonly string[] | undefined;

  /**
   * Application in place of FILE: an expression, or the text of a module that exports it.
   *
   * Default: empty. Flag `--eval`, environment `PAGI_EVAL`.
   */
  readonly eval?: string | undefined;

  /**
   * Reload the application whenever one of its modules is saved.
   *
   * Default: off. Flag `--reload`, environment `PAGI_RELOAD`.
   */
  readonly reload?: boolean | undefined;

  /**
   * More files for --reload to watch, in addition to modules (ts, js and similar); a pattern without a slash
   * matches in any directory.
   *
   * Default: none. Flag `--reload-include`, environment `PAGI_RELOAD_INCLUDE`.
   */
  readonly reloadInclude?: readonly string[] | undefined;

  /**
   * More files and directories for --reload to ignore, in addition to node_modules, .git and dist.
   *
   * Default: none. Flag `--reload-exclude`, environment `PAGI_RELOAD_EXCLUDE`.
   */
  readonly reloadExclude?: readonly string[] | undefined;

  /**
   * Address to listen on; 0.0.0.0 is every IPv4 address, :: every address of this machine.
   *
   * Default: 127.0.0.1. Flag `--host`, environment `PAGI_HOST`.
   */
  readonly host?: string | undefined;

  /**
   * TCP port to listen on. 0 takes a free port.
   *
   * Default: 5000. Flag `--port`, environment `PAGI_PORT`.
   */
  readonly port?: number | undefined;

  /**
   * Address to listen on, instead of host and port: HOST:PORT, [IPV6]:PORT, the path of a Unix socket (unix:PATH
   * works too), or fd:NUMBER for an inherited socket.
   *
   * Default: none. Flag `--listen`, environment `PAGI_LISTEN`.
   */
  readonly listen?: readonly string[] | undefined;

  /**
   * Unix socket to listen on, instead of host and port.
   *
   * Default: empty. Flag `--socket`, environment `PAGI_SOCKET`.
   */
  readonly socket?: string | undefined;

  /**
   * Permissions of Unix sockets, octal; a client needs write permission.
   *
   * Default: 0660. Flag `--socket-mode`, environment `PAGI_SOCKET_MODE`.
   */
  readonly socketMode?: string | undefined;

  /**
   * Owner of Unix sockets, by name or number; if empty, the user of the server.
   *
   * Default: empty. Flag `--socket-user`, environment `PAGI_SOCKET_USER`.
   */
  readonly socketUser?: string | undefined;

  /**
   * Group of Unix sockets, by name or number; if empty, the group of the server.
   *
   * Default: empty. Flag `--socket-group`, environment `PAGI_SOCKET_GROUP`.
   */
  readonly socketGroup?: string | undefined;

  /**
   * Maximum number of connections waiting to be accepted, for each address; the kernel limits it too
   * (net.core.somaxconn). A burst of connections must not be refused while the server is busy for a moment.
   *
   * Default: 2048. Flag `--backlog`, environment `PAGI_BACKLOG`.
   */
  readonly backlog?: number | undefined;

  /**
   * Mode, which sets the defaults of other options; the application can read it from PAGI_ENV. A terminal is
   * recognized even if output goes through a pipe.
   *
   * Default: development on a terminal, else production. Flag `--env`, environment `PAGI_ENV`.
   */
  readonly env?: "development" | "production" | "none" | undefined;

  /**
   * Path under which a proxy serves the application: the scope's root_path.
   *
   * Default: empty. Flag `--root-path`, environment `PAGI_ROOT_PATH`.
   */
  readonly rootPath?: string | undefined;

  /**
   * Certificate (PEM), followed by its intermediate certificates; all listeners then use TLS. With several,
   * clients get the one for the name they ask for, or else the first.
   *
   * Default: none. Flag `--ssl-cert`, environment `PAGI_SSL_CERT`.
   */
  readonly sslCert?: readonly string[] | undefined;

  /**
   * Private key (PEM) of each certificate, in the same order; not needed if the certificate files contain the
   * keys.
   *
   * Default: none. Flag `--ssl-key`, environment `PAGI_SSL_KEY`.
   */
  readonly sslKey?: readonly string[] | undefined;

  /**
   * File whose first line is the passphrase of encrypted keys.
   *
   * Default: empty. Flag `--ssl-key-passphrase-file`, environment `PAGI_SSL_KEY_PASSPHRASE_FILE`.
   */
  readonly sslKeyPassphraseFile?: string | undefined;

  /**
   * Certificates (PEM) of the authorities that must have issued the clients' certificates.
   *
   * Default: empty. Flag `--ssl-ca`, environment `PAGI_SSL_CA`.
   */
  readonly sslCa?: string | undefined;

  /**
   * Ask clients for a certificate: require rejects clients without a valid one; optional accepts every client, and
   * the application finds the certificate, and any problem with it, in the tls extension.
   *
   * Default: off. Flag `--ssl-verify-client`, environment `PAGI_SSL_VERIFY_CLIENT`.
   */
  readonly sslVerifyClient?: "off" | "optional" | "require" | undefined;

  /**
   * Oldest TLS version to accept.
   *
   * Default: 1.2. Flag `--ssl-min-version`, environment `PAGI_SSL_MIN_VERSION`.
   */
  readonly sslMinVersion?: "1.2" | "1.3" | undefined;

  /**
   * Cipher suites for TLS 1.2, in OpenSSL's notation; those of TLS 1.3 are fixed.
   *
   * Default: ECDHE+AESGCM:ECDHE+CHACHA20. Flag `--ssl-ciphers`, environment `PAGI_SSL_CIPHERS`.
   */
  readonly sslCiphers?: string | undefined;

  /**
   * Use headers from trusted proxies for client address, scheme, host and root path. on reads X-Forwarded-For,
   * -Proto, -Host, -Port and -Prefix, and Forwarded (RFC 7239) if none of these is present; x-forwarded and
   * forwarded read only that kind.
   *
   * Default: off. Flag `--proxy-headers`, environment `PAGI_PROXY_HEADERS`.
   */
  readonly proxyHeaders?: "off" | "on" | "x-forwarded" | "forwarded" | undefined;

  /**
   * Proxies that --proxy-headers trusts: IP addresses and networks (10.0.0.0/8, fd00::/8), unix for any client of
   * a Unix socket, or * for every client, separated by commas.
   *
   * Default: 127.0.0.1,::1. Flag `--forwarded-allow-ips`, environment `PAGI_FORWARDED_ALLOW_IPS`.
   */
  readonly forwardedAllowIps?: string | undefined;

  /**
   * Address of a separate listener, HOST:PORT, [IPV6]:PORT or a path, for /metrics (Prometheus), /healthz and
   * /readyz; for all workers together.
   *
   * Default: empty. Flag `--metrics`, environment `PAGI_METRICS`.
   */
  readonly metrics?: string | undefined;

  /**
   * The export is a function that returns the application.
   *
   * Default: off. Flag `--factory`, environment `PAGI_FACTORY`.
   */
  readonly factory?: boolean | undefined;

  /**
   * Startup and shutdown events: auto lets the application decline them, on makes that an error, off sends none.
   *
   * Default: auto. Flag `--lifespan`, environment `PAGI_LIFESPAN`.
   */
  readonly lifespan?: "auto" | "on" | "off" | undefined;

  /**
   * Maximum time for the application's import and startup together, in each process that starts. 0 waits for as
   * long as it takes. A start that hangs must end in an error, not in a server that never listens, nor in a reload
   * that never ends.
   *
   * Default: 30s. Flag `--lifespan-startup-timeout`, environment `PAGI_LIFESPAN_STARTUP_TIMEOUT`.
   */
  readonly lifespanStartupTimeout?: Duration | undefined;

  /**
   * Check every event that the application sends against the full specification.
   *
   * Default: on in development, else off. Flag `--validate-events`, environment `PAGI_VALIDATE_EVENTS`.
   */
  readonly validateEvents?: boolean | undefined;

  /**
   * Number of processes that serve; 1 serves in this process, more are supervised by it, auto starts one per CPU.
   *
   * Default: 1. Flag `--workers`, environment `PAGI_WORKERS`.
   */
  readonly workers?: number | "auto" | undefined;

  /**
   * Give each worker a separate socket for a TCP address, so that the kernel spreads connections evenly; otherwise
   * all workers share one.
   *
   * Default: on. Flag `--reuseport`, environment `PAGI_REUSEPORT`.
   */
  readonly reuseport?: boolean | undefined;

  /**
   * Run the application's lifespan once in the supervisor too, around those of the workers.
   *
   * Default: on. Flag `--supervisor-lifespan`, environment `PAGI_SUPERVISOR_LIFESPAN`.
   */
  readonly supervisorLifespan?: boolean | undefined;

  /**
   * Maximum time that a worker may block its event loop; then it is killed and replaced. 0 never kills one. A
   * permanently blocked worker answers no one. This does not limit requests, which may wait longer.
   *
   * Default: 50s. Flag `--heartbeat-timeout`, environment `PAGI_HEARTBEAT_TIMEOUT`.
   */
  readonly heartbeatTimeout?: Duration | undefined;

  /**
   * Requests after which a worker is replaced; its replacement is ready before it stops accepting. 0 never
   * replaces one. It bounds what an application that leaks memory can leak.
   *
   * Default: 0. Flag `--max-requests`, environment `PAGI_MAX_REQUESTS`.
   */
  readonly maxRequests?: number | undefined;

  /**
   * Add a random 0..N requests per worker, so that workers are not all replaced at once.
   *
   * Default: 0. Flag `--max-requests-jitter`, environment `PAGI_MAX_REQUESTS_JITTER`.
   */
  readonly maxRequestsJitter?: number | undefined;

  /**
   * Memory (resident set) beyond which a worker is replaced; its replacement is ready before it stops accepting. 0
   * never replaces one. An orderly replacement is better than being killed by the kernel when memory runs out.
   *
   * Default: 0. Flag `--max-rss`, environment `PAGI_MAX_RSS`.
   */
  readonly maxRss?: Size | undefined;

  /**
   * File for the process id, written when the server is ready; refused while a running process holds it.
   *
   * Default: empty. Flag `--pid`, environment `PAGI_PID`.
   */
  readonly pid?: string | undefined;

  /**
   * User (name or number) to switch to, permanently, once the sockets are open; its groups apply too.
   *
   * Default: empty. Flag `--user`, environment `PAGI_USER`.
   */
  readonly user?: string | undefined;

  /**
   * Group (name or number) to switch to; if not set, that of --user.
   *
   * Default: empty. Flag `--group`, environment `PAGI_GROUP`.
   */
  readonly group?: string | undefined;

  /**
   * Permission bits that new files do not get.
   *
   * Default: empty. Flag `--umask`, environment `PAGI_UMASK`.
   */
  readonly umask?: string | undefined;

  /**
   * Directory to change to first; all other paths are relative to it.
   *
   * Default: empty. Flag `--chdir`, environment `PAGI_CHDIR`.
   */
  readonly chdir?: string | undefined;

  /**
   * Run in the background, without a terminal; the command returns when the server is ready or has failed to
   * start.
   *
   * Default: off. Flag `--daemonize`, environment `PAGI_DAEMONIZE`.
   */
  readonly daemonize?: boolean | undefined;

  /**
   * Suppress the banner and log only errors.
   *
   * Default: off. Flag `--quiet`, environment `PAGI_QUIET`.
   */
  readonly quiet?: boolean | undefined;

  /**
   * Lowest level to log; debug also shows the stack trace if the server fails to start.
   *
   * Default: info. Flag `--log-level`, environment `PAGI_LOG_LEVEL`.
   */
  readonly logLevel?: "debug" | "info" | "warn" | "error" | undefined;

  /**
   * Format of the server's log: text, or one JSON object per line with the keys time, level, pid, message, and
   * worker, error and stack where they apply.
   *
   * Default: text. Flag `--log-format`, environment `PAGI_LOG_FORMAT`.
   */
  readonly logFormat?: "text" | "json" | undefined;

  /**
   * File to which requests are logged; - is standard error, off is no log.
   *
   * Default: standard error in development, else off. Flag `--access-log`, environment `PAGI_ACCESS_LOG`.
   */
  readonly accessLog?: string | boolean | undefined;

  /**
   * A preset (clf, combined, common, tiny, json) or a format string.
   *
   * Default: clf. Flag `--access-log-format`, environment `PAGI_ACCESS_LOG_FORMAT`.
   */
  readonly accessLogFormat?: string | undefined;

  /**
   * Longest request line; a longer one is answered with 414. RFC 9112 section 3 asks for at least 8000 bytes;
   * browsers and proxies use no more.
   *
   * Default: 8k. Flag `--max-request-line`, environment `PAGI_MAX_REQUEST_LINE`.
   */
  readonly maxRequestLine?: Size | undefined;

  /**
   * Largest request line and headers together; larger ones are answered with 431. A head is held in memory as a
   * whole; large cookies and tokens fit into 16 KiB.
   *
   * Default: 16k. Flag `--max-header-size`, environment `PAGI_MAX_HEADER_SIZE`.
   */
  readonly maxHeaderSize?: Size | undefined;

  /**
   * Maximum number of request headers; more are answered with 431. Many tiny fields cost more memory and time than
   * their bytes show; browsers send about 20.
   *
   * Default: 100. Flag `--max-header-count`, environment `PAGI_MAX_HEADER_COUNT`.
   */
  readonly maxHeaderCount?: number | undefined;

  /**
   * Largest request body; a larger one is answered with 413. 0 sets no limit. Applications often gather a body in
   * memory; raise it for those that stream uploads.
   *
   * Default: 10000000. Flag `--max-body-size`, environment `PAGI_MAX_BODY_SIZE`.
   */
  readonly maxBodySize?: Size | undefined;

  /**
   * Longest chunk-size line with its extensions; a longer one is answered with 400. Extensions are ignored, and
   * without a bound would be bytes that no other limit counts.
   *
   * Default: 1k. Flag `--max-chunk-line`, environment `PAGI_MAX_CHUNK_LINE`.
   */
  readonly maxChunkLine?: Size | undefined;

  /**
   * Largest trailer section of a request; a larger one is answered with 431. Trailers are dropped; this bounds
   * what is read on the way.
   *
   * Default: 8k. Flag `--max-trailer-size`, environment `PAGI_MAX_TRAILER_SIZE`.
   */
  readonly maxTrailerSize?: Size | undefined;

  /**
   * Maximum number of open connections; one more is answered with 503 and closed. Each holds memory and a file
   * descriptor. Where the process may open few files (ulimit -n), the limit is lower, which the banner says; a
   * WebSocket counts as three.
   *
   * Default: 1000. Flag `--max-connections`, environment `PAGI_MAX_CONNECTIONS`.
   */
  readonly maxConnections?: number | undefined;

  /**
   * Maximum time from the first byte of a request to the end of its headers; then 408. 0 sets no limit. A client
   * that sends its headers byte by byte would hold a connection indefinitely.
   *
   * Default: 15s. Flag `--header-timeout`, environment `PAGI_HEADER_TIMEOUT`.
   */
  readonly headerTimeout?: Duration | undefined;

  /**
   * Maximum time that a keep-alive connection stays open between two requests. 0 never closes one. Many load
   * balancers keep idle connections for 60 s; a longer time here means that they never send a request into a
   * connection that the server is closing.
   *
   * Default: 75s. Flag `--timeout`, environment `PAGI_TIMEOUT`.
   */
  readonly timeout?: Duration | undefined;

  /**
   * Maximum time without a byte of a request body while the application is reading it; then 408. 0 sets no limit.
   * An upload that has stalled would hold the application's call indefinitely.
   *
   * Default: 30s. Flag `--body-timeout`, environment `PAGI_BODY_TIMEOUT`.
   */
  readonly bodyTimeout?: Duration | undefined;

  /**
   * Maximum time during a request in which no byte is read or written; then 504, or, if the response has started,
   * the connection is closed. 0 sets no limit. Off, since the server cannot know how long an application may work.
   * Not for SSE and WebSocket, which have idle timeouts.
   *
   * Default: 0. Flag `--request-timeout`, environment `PAGI_REQUEST_TIMEOUT`.
   */
  readonly requestTimeout?: Duration | undefined;

  /**
   * Maximum time that a client may accept no byte of a response; then the connection is closed. 0 sets no limit. A
   * client that stops reading holds the response in memory.
   *
   * Default: 1m. Flag `--write-timeout`, environment `PAGI_WRITE_TIMEOUT`.
   */
  readonly writeTimeout?: Duration | undefined;

  /**
   * Maximum time that an SSE stream may send nothing before it is ended. 0 never ends one. Off, because quiet SSE
   * streams are normal.
   *
   * Default: 0. Flag `--sse-idle-timeout`, environment `PAGI_SSE_IDLE_TIMEOUT`.
   */
  readonly sseIdleTimeout?: Duration | undefined;

  /**
   * How long a client that has closed its sending side can still receive its response. 0 treats it as disconnected
   * at once. Few clients send FIN right after their request, and a client that has disconnected looks the same.
   *
   * Default: 1s. Flag `--half-close-grace`, environment `PAGI_HALF_CLOSE_GRACE`.
   */
  readonly halfCloseGrace?: Duration | undefined;

  /**
   * How long the server reads and discards the rest of a request after the last response of a connection. 0 closes
   * at once. Closing with unread bytes resets the connection, and the client could lose the response.
   *
   * Default: 2s. Flag `--linger-timeout`, environment `PAGI_LINGER_TIMEOUT`.
   */
  readonly lingerTimeout?: Duration | undefined;

  /**
   * How long running requests may continue at shutdown. 0 closes them at once. Service managers kill a process
   * that does not end by itself, often after 30 seconds or more.
   *
   * Default: 30s. Flag `--shutdown-timeout`, environment `PAGI_SHUTDOWN_TIMEOUT`.
   */
  readonly shutdownTimeout?: Duration | undefined;

  /**
   * Largest message from a client, decompressed; a larger one closes the WebSocket with 1009. A message is held in
   * memory as a whole before the application gets it.
   *
   * Default: 1m. Flag `--max-ws-message-size`, environment `PAGI_MAX_WS_MESSAGE_SIZE`.
   */
  readonly maxWsMessageSize?: Size | undefined;

  /**
   * Maximum number of messages waiting for the application; one more closes the WebSocket with 1008. Reading from
   * the client already stops at 64 waiting messages or 1 MiB; a number under 64 closes instead.
   *
   * Default: 1000. Flag `--max-receive-queue`, environment `PAGI_MAX_RECEIVE_QUEUE`.
   */
  readonly maxReceiveQueue?: number | undefined;

  /**
   * Maximum time without a message to the client or a byte from it; then the WebSocket is closed with 1001. 0
   * never closes one. Off, because quiet WebSockets are normal; applications can send websocket.keepalive.
   *
   * Default: 0. Flag `--ws-idle-timeout`, environment `PAGI_WS_IDLE_TIMEOUT`.
   */
  readonly wsIdleTimeout?: Duration | undefined;

  /**
   * Maximum time for the application to accept or reject a handshake; then 504. 0 sets no limit. No other timeout
   * covers this wait.
   *
   * Default: 15s. Flag `--ws-handshake-timeout`, environment `PAGI_WS_HANDSHAKE_TIMEOUT`.
   */
  readonly wsHandshakeTimeout?: Duration | undefined;

  /**
   * Compress messages of 1 KiB or more where the client offers permessage-deflate.
   *
   * Default: on. Flag `--ws-compression`, environment `PAGI_WS_COMPRESSION`.
   */
  readonly wsCompression?: boolean | undefined;

  /**
   * Unsent bytes of a connection at which send waits. It bounds what a slow client costs in memory, and still
   * fills a fast one's window.
   *
   * Default: 64k. Flag `--write-high-watermark`, environment `PAGI_WRITE_HIGH_WATERMARK`.
   */
  readonly writeHighWatermark?: Size | undefined;

  /**
   * Unsent bytes of a connection below which a waiting send continues; not above the high watermark. The gap
   * between the two saves a wake-up for every few bytes.
   *
   * Default: 16k. Flag `--write-low-watermark`, environment `PAGI_WRITE_LOW_WATERMARK`.
   */
  readonly writeLowWatermark?: Size | undefined;
}
