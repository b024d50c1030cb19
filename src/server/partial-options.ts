// Made from the table of options by `bun run docs:options`; edit src/server/option-table.ts instead.
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
   * Load the application anew whenever one of its modules is saved.
   *
   * Default: off. Flag `--reload`, environment `PAGI_RELOAD`.
   */
  readonly reload?: boolean | undefined;

  /**
   * Further files to watch for --reload, besides modules (ts, js and their kin); without a slash, in any folder.
   *
   * Default: none. Flag `--reload-include`, environment `PAGI_RELOAD_INCLUDE`.
   */
  readonly reloadInclude?: readonly string[] | undefined;

  /**
   * Further files and folders that --reload leaves out, besides node_modules, .git and dist.
   *
   * Default: none. Flag `--reload-exclude`, environment `PAGI_RELOAD_EXCLUDE`.
   */
  readonly reloadExclude?: readonly string[] | undefined;

  /**
   * Address to listen at; 0.0.0.0 is every IPv4 address, :: every address of this machine.
   *
   * Default: 127.0.0.1. Flag `--host`, environment `PAGI_HOST`.
   */
  readonly host?: string | undefined;

  /**
   * TCP port to listen at. 0 takes a free port.
   *
   * Default: 5000. Flag `--port`, environment `PAGI_PORT`.
   */
  readonly port?: number | undefined;

  /**
   * Address to listen at, instead of host and port: HOST:PORT, [IPV6]:PORT, the path of a Unix socket, which unix:
   * may precede, or fd:NUMBER for an inherited socket.
   *
   * Default: none. Flag `--listen`, environment `PAGI_LISTEN`.
   */
  readonly listen?: readonly string[] | undefined;

  /**
   * Unix socket to listen at, instead of host and port.
   *
   * Default: empty. Flag `--socket`, environment `PAGI_SOCKET`.
   */
  readonly socket?: string | undefined;

  /**
   * Permissions of Unix sockets, octal; a client has to have the right to write.
   *
   * Default: 0660. Flag `--socket-mode`, environment `PAGI_SOCKET_MODE`.
   */
  readonly socketMode?: string | undefined;

  /**
   * User that Unix sockets belong to, by name or number; empty leaves it to be the server's.
   *
   * Default: empty. Flag `--socket-user`, environment `PAGI_SOCKET_USER`.
   */
  readonly socketUser?: string | undefined;

  /**
   * Group that Unix sockets belong to, by name or number; empty leaves it to be the server's.
   *
   * Default: empty. Flag `--socket-group`, environment `PAGI_SOCKET_GROUP`.
   */
  readonly socketGroup?: string | undefined;

  /**
   * Connections that may wait to be accepted, at each address; the kernel's own bound (net.core.somaxconn) holds
   * too. A burst of connections must not be refused while the server is busy for a moment.
   *
   * Default: 2048. Flag `--backlog`, environment `PAGI_BACKLOG`.
   */
  readonly backlog?: number | undefined;

  /**
   * Mode, which decides the defaults of other options; the application finds it in PAGI_ENV. A terminal counts
   * when output goes through a pipe, too.
   *
   * Default: development on a terminal, else production. Flag `--env`, environment `PAGI_ENV`.
   */
  readonly env?: "development" | "production" | "none" | undefined;

  /**
   * Where a proxy has mounted the application: the scope's root_path.
   *
   * Default: empty. Flag `--root-path`, environment `PAGI_ROOT_PATH`.
   */
  readonly rootPath?: string | undefined;

  /**
   * Certificate, PEM, with the intermediate ones behind it; all listeners then speak TLS. Of several the one that
   * fits the name that the client asks for is shown, else the first.
   *
   * Default: none. Flag `--ssl-cert`, environment `PAGI_SSL_CERT`.
   */
  readonly sslCert?: readonly string[] | undefined;

  /**
   * Private key of each certificate, PEM, in the same order; none where the certificates' files hold the keys as
   * well.
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
   * Certificates of the authorities that clients' certificates have to come from, PEM.
   *
   * Default: empty. Flag `--ssl-ca`, environment `PAGI_SSL_CA`.
   */
  readonly sslCa?: string | undefined;

  /**
   * Ask clients for a certificate: require lets nobody in without a good one; optional lets everybody in, and the
   * application finds the certificate, and what is wrong with it, in the tls extension.
   *
   * Default: off. Flag `--ssl-verify-client`, environment `PAGI_SSL_VERIFY_CLIENT`.
   */
  readonly sslVerifyClient?: "off" | "optional" | "require" | undefined;

  /**
   * The oldest version of TLS to speak.
   *
   * Default: 1.2. Flag `--ssl-min-version`, environment `PAGI_SSL_MIN_VERSION`.
   */
  readonly sslMinVersion?: "1.2" | "1.3" | undefined;

  /**
   * Cipher suites of TLS 1.2, as OpenSSL writes them; those of TLS 1.3 are fixed.
   *
   * Default: ECDHE+AESGCM:ECDHE+CHACHA20. Flag `--ssl-ciphers`, environment `PAGI_SSL_CIPHERS`.
   */
  readonly sslCiphers?: string | undefined;

  /**
   * Believe what trusted proxies say of a request: its client, scheme, host and root path. on reads
   * X-Forwarded-For, -Proto, -Host, -Port and -Prefix, and Forwarded (RFC 7239) where there are none of these;
   * x-forwarded and forwarded read one kind only.
   *
   * Default: off. Flag `--proxy-headers`, environment `PAGI_PROXY_HEADERS`.
   */
  readonly proxyHeaders?: "off" | "on" | "x-forwarded" | "forwarded" | undefined;

  /**
   * Proxies that --proxy-headers trusts: IP addresses and networks (10.0.0.0/8, fd00::/8), unix for whoever
   * connects to a Unix socket, or * for everybody, with commas between them.
   *
   * Default: 127.0.0.1,::1. Flag `--forwarded-allow-ips`, environment `PAGI_FORWARDED_ALLOW_IPS`.
   */
  readonly forwardedAllowIps?: string | undefined;

  /**
   * Address of a listener of its own, HOST:PORT, [IPV6]:PORT or a path, for /metrics (Prometheus), /healthz and
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
   * Check every event that the application sends against the whole specification.
   *
   * Default: on in development, else off. Flag `--validate-events`, environment `PAGI_VALIDATE_EVENTS`.
   */
  readonly validateEvents?: boolean | undefined;

  /**
   * Processes that serve; 1 is this one alone, more are supervised by it, auto is one for each CPU.
   *
   * Default: 1. Flag `--workers`, environment `PAGI_WORKERS`.
   */
  readonly workers?: number | "auto" | undefined;

  /**
   * Each worker has a socket of its own for a TCP address, and the kernel spreads connections evenly; without, all
   * share one.
   *
   * Default: on. Flag `--reuseport`, environment `PAGI_REUSEPORT`.
   */
  readonly reuseport?: boolean | undefined;

  /**
   * The application's lifespan runs once in the supervisor too, around that of all workers.
   *
   * Default: on. Flag `--supervisor-lifespan`, environment `PAGI_SUPERVISOR_LIFESPAN`.
   */
  readonly supervisorLifespan?: boolean | undefined;

  /**
   * The longest that the event loop of a worker may be blocked; then the worker is killed and replaced. 0 never
   * kills one. A worker that is blocked for good answers nobody. This is no limit for requests, which may wait for
   * longer.
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
   * Up to so many requests more, different for each worker, so that they are not replaced all together.
   *
   * Default: 0. Flag `--max-requests-jitter`, environment `PAGI_MAX_REQUESTS_JITTER`.
   */
  readonly maxRequestsJitter?: number | undefined;

  /**
   * Memory (resident set) beyond which a worker is replaced; its replacement is ready before it stops accepting. 0
   * never replaces one. Better replaced in good order than killed by the kernel when no memory is left.
   *
   * Default: 0. Flag `--max-rss`, environment `PAGI_MAX_RSS`.
   */
  readonly maxRss?: Size | undefined;

  /**
   * File for the process id, written when the server is ready; refused while a process that runs holds it.
   *
   * Default: empty. Flag `--pid`, environment `PAGI_PID`.
   */
  readonly pid?: string | undefined;

  /**
   * User (a name or a number) to become once the sockets are open, for good; its groups come with it.
   *
   * Default: empty. Flag `--user`, environment `PAGI_USER`.
   */
  readonly user?: string | undefined;

  /**
   * Group (a name or a number) to become; without, that of --user.
   *
   * Default: empty. Flag `--group`, environment `PAGI_GROUP`.
   */
  readonly group?: string | undefined;

  /**
   * Permissions that new files do not get.
   *
   * Default: empty. Flag `--umask`, environment `PAGI_UMASK`.
   */
  readonly umask?: string | undefined;

  /**
   * Folder to go to first of all; every other path is meant from there.
   *
   * Default: empty. Flag `--chdir`, environment `PAGI_CHDIR`.
   */
  readonly chdir?: string | undefined;

  /**
   * Go on in the background, without a terminal; the command ends once the server is ready, or cannot be.
   *
   * Default: off. Flag `--daemonize`, environment `PAGI_DAEMONIZE`.
   */
  readonly daemonize?: boolean | undefined;

  /**
   * No banner, and of the log only errors.
   *
   * Default: off. Flag `--quiet`, environment `PAGI_QUIET`.
   */
  readonly quiet?: boolean | undefined;

  /**
   * The least important messages to log; debug also shows the stack of a failure to start.
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
   * Largest request head; a larger one is answered with 431. A head is held in memory as a whole; large cookies
   * and tokens fit into 16 KiB.
   *
   * Default: 16k. Flag `--max-header-size`, environment `PAGI_MAX_HEADER_SIZE`.
   */
  readonly maxHeaderSize?: Size | undefined;

  /**
   * Most fields in a request head; more are answered with 431. Many tiny fields cost more memory and time than
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
   * Most connections at a time; one more is answered with 503 and closed. Each holds memory and a file descriptor.
   * Where the process may open few files (ulimit -n), the limit is lower, which the banner says; a WebSocket
   * counts as three.
   *
   * Default: 1000. Flag `--max-connections`, environment `PAGI_MAX_CONNECTIONS`.
   */
  readonly maxConnections?: number | undefined;

  /**
   * The longest from the first byte of a request to the end of its head; then 408. 0 waits for ever. A head that
   * trickles in would hold a connection for ever.
   *
   * Default: 15s. Flag `--header-timeout`, environment `PAGI_HEADER_TIMEOUT`.
   */
  readonly headerTimeout?: Duration | undefined;

  /**
   * How long a connection is kept between two requests. 0 keeps it for ever. Many load balancers keep idle
   * connections for 60 s; a longer time here means that they never send a request into a connection that the
   * server is closing.
   *
   * Default: 75s. Flag `--timeout`, environment `PAGI_TIMEOUT`.
   */
  readonly timeout?: Duration | undefined;

  /**
   * Maximum time without a byte of a request body that the application waits for; then 408. 0 sets no limit. An
   * upload that has stalled would hold the application's call indefinitely.
   *
   * Default: 30s. Flag `--body-timeout`, environment `PAGI_BODY_TIMEOUT`.
   */
  readonly bodyTimeout?: Duration | undefined;

  /**
   * Maximum time of a request in which no byte is read or written; then 504, or the end of a response that has
   * begun. 0 sets no limit. Off, since the server cannot know how long an application may work. Not for SSE and
   * WebSocket, which have idle timeouts.
   *
   * Default: 0. Flag `--request-timeout`, environment `PAGI_REQUEST_TIMEOUT`.
   */
  readonly requestTimeout?: Duration | undefined;

  /**
   * The longest that a client may take no byte of a response; then the connection is cut. 0 waits for ever. A
   * client that stops reading holds the response in memory.
   *
   * Default: 1m. Flag `--write-timeout`, environment `PAGI_WRITE_TIMEOUT`.
   */
  readonly writeTimeout?: Duration | undefined;

  /**
   * The longest that an event stream may send nothing before it is ended. 0 never ends one. Off, since a quiet
   * event stream is an ordinary one.
   *
   * Default: 0. Flag `--sse-idle-timeout`, environment `PAGI_SSE_IDLE_TIMEOUT`.
   */
  readonly sseIdleTimeout?: Duration | undefined;

  /**
   * How long a client that has closed its sending side still gets its answer. 0 counts it as gone at once. A
   * client that sends its request and then FIN is rare; one that is gone looks the same.
   *
   * Default: 1s. Flag `--half-close-grace`, environment `PAGI_HALF_CLOSE_GRACE`.
   */
  readonly halfCloseGrace?: Duration | undefined;

  /**
   * How long the unread rest of a request is read away after the last response of a connection. 0 closes at once.
   * A close with unread bytes is a reset, which could destroy the response on its way.
   *
   * Default: 2s. Flag `--linger-timeout`, environment `PAGI_LINGER_TIMEOUT`.
   */
  readonly lingerTimeout?: Duration | undefined;

  /**
   * How long running requests may go on at shutdown. 0 cuts them at once. Service managers kill what does not end
   * by itself, often after 30 seconds or more.
   *
   * Default: 30s. Flag `--shutdown-timeout`, environment `PAGI_SHUTDOWN_TIMEOUT`.
   */
  readonly shutdownTimeout?: Duration | undefined;

  /**
   * Largest message of a client, decompressed; a larger one closes the WebSocket with 1009. A message is held in
   * memory as a whole before the application gets it.
   *
   * Default: 1m. Flag `--max-ws-message-size`, environment `PAGI_MAX_WS_MESSAGE_SIZE`.
   */
  readonly maxWsMessageSize?: Size | undefined;

  /**
   * Most messages that may wait for the application; one more closes the WebSocket with 1008. Reading from the
   * client already stops at 64 waiting messages or 1 MiB; a number under 64 closes instead.
   *
   * Default: 1000. Flag `--max-receive-queue`, environment `PAGI_MAX_RECEIVE_QUEUE`.
   */
  readonly maxReceiveQueue?: number | undefined;

  /**
   * The longest without a message to the client and without a byte from it; then it is closed with 1001. 0 never
   * closes one. Off, since a quiet WebSocket is an ordinary one; applications have websocket.keepalive.
   *
   * Default: 0. Flag `--ws-idle-timeout`, environment `PAGI_WS_IDLE_TIMEOUT`.
   */
  readonly wsIdleTimeout?: Duration | undefined;

  /**
   * The longest that the application may take to answer a handshake; then 504. 0 waits for ever. A client that
   * waits for its WebSocket is nobody whom another timeout protects.
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
   * Unsent bytes of a connection below which a waiting send goes on; not above the high watermark. The gap between
   * the two saves a wake-up for every few bytes.
   *
   * Default: 16k. Flag `--write-low-watermark`, environment `PAGI_WRITE_LOW_WATERMARK`.
   */
  readonly writeLowWatermark?: Size | undefined;
}
