/** What somebody wants who writes a flag of another server. */
interface Synonym {
  /** Our flag, without its dashes; a value that belongs to it follows after a space. */
  readonly flag?: string;
  /** More to know, or what to do instead, as a sentence. */
  readonly note?: string;
}

const FILE_NOTE = "The file is named without a flag: pagi-server app.ts";
const ONE_LOOP = "Bun has one event loop, one HTTP parser and one kind of worker; leave it out.";
const DIRECTORY_NOTE = "To serve the files of a directory: pagi-server directory DIRECTORY";
const LOG_NOTE = "The server logs to standard error; redirect that.";
const SYSLOG_NOTE = "The server logs to standard error; a service manager can pass that on to syslog.";
const STRICT_NOTE = "Requests are always read strictly; leave it out.";
const STATSD_NOTE = "Metrics are offered in the text format of Prometheus.";
const HTTP2_NOTE = "HTTP/2 is not spoken; let a proxy do that.";

/**
 * Flags of uvicorn, gunicorn, hypercorn, granian, srvx and of PAGI's reference implementation that are not ours, by their
 * names without dashes.
 */
export const SYNONYMS: Readonly<Record<string, Synonym>> = {
  // Where to listen.
  bind: { flag: "listen" },
  "insecure-bind": { flag: "listen", note: "One server speaks TLS at all its addresses, or at none." },
  "quic-bind": { note: "HTTP/3 is not spoken; let a proxy do that." },
  uds: { flag: "socket" },
  "unix-socket": { flag: "socket" },
  "uds-permissions": { flag: "socket-mode" },
  fd: { flag: "listen fd:NUMBER" },
  hostname: { flag: "host" },
  address: { flag: "listen" },
  "reuse-port": { flag: "reuseport" },
  "url-path-prefix": { flag: "root-path" },

  // What to serve.
  entry: { note: FILE_NOTE },
  file: { note: FILE_NOTE },
  "app-dir": { flag: "chdir" },
  "working-dir": { flag: "chdir" },
  cwd: { flag: "chdir" },
  pythonpath: { flag: "chdir", note: "Bun finds modules from the application's own file." },
  lib: { note: "Bun finds modules from the application's own file, by node_modules and tsconfig.json." },
  dir: { note: DIRECTORY_NOTE },
  static: { note: DIRECTORY_NOTE },
  "static-path-mount": { note: DIRECTORY_NOTE },
  "static-path-route": { note: DIRECTORY_NOTE },
  "static-path-expires": { note: DIRECTORY_NOTE },
  "static-path-dir-to-file": { note: DIRECTORY_NOTE },
  paste: { note: FILE_NOTE },
  import: { flag: "preload" },
  require: { flag: "preload" },
  module: { flag: "preload" },
  "env-files": { flag: "env-file" },
  "asgi-lifespan": { flag: "lifespan" },
  "default-middleware": { flag: "validate-events" },
  "no-default-middleware": { flag: "no-validate-events" },
  interface: {
    note: "There is one interface, PAGI; other kinds of applications are recognized. Leave it out.",
  },

  // Modes and development.
  prod: { flag: "env production" },
  production: { flag: "env production" },
  dev: { flag: "env development" },
  development: { flag: "env development" },
  debug: { flag: "log-level debug" },
  verbose: { flag: "log-level debug" },
  "reload-dir": { flag: "reload-include", note: "The application's directory is watched by itself." },
  "reload-paths": { flag: "reload-include", note: "The application's directory is watched by itself." },
  "reload-extra-file": { flag: "reload-include" },
  "reload-ignore-dirs": { flag: "reload-exclude" },
  "reload-ignore-paths": { flag: "reload-exclude" },
  "reload-ignore-patterns": { flag: "reload-exclude" },
  "reload-delay": { note: "Changes are noticed at once, without polling; leave it out." },
  "reload-tick": { note: "Changes are noticed at once, without polling; leave it out." },
  "reload-engine": { note: "Changes are noticed at once, without polling; leave it out." },
  watch: { flag: "reload" },
  "reload-ignore-worker-failure": {
    note: "Code that cannot be loaded leaves the old code serving; leave it out.",
  },
  hot: { flag: "reload" },

  // Processes.
  "worker-class": { note: ONE_LOOP },
  http: { note: ONE_LOOP },
  ws: { note: ONE_LOOP },
  "asgi-loop": { note: ONE_LOOP },
  "http-parser": { note: ONE_LOOP },
  "runtime-mode": { note: ONE_LOOP },
  "task-impl": { note: ONE_LOOP },
  threads: { flag: "workers", note: "JavaScript runs on one thread of each process." },
  "runtime-threads": { flag: "workers", note: "JavaScript runs on one thread of each process." },
  "blocking-threads": { flag: "workers", note: "JavaScript runs on one thread of each process." },
  "worker-connections": { flag: "max-connections", note: "It holds for each worker." },
  "limit-concurrency": { flag: "max-connections" },
  backpressure: { flag: "max-connections" },
  "limit-max-requests": { flag: "max-requests" },
  "limit-max-requests-jitter": { flag: "max-requests-jitter" },
  "workers-max-rss": { flag: "max-rss" },
  "workers-lifetime": { flag: "max-requests", note: "Workers are not replaced by their age." },
  "timeout-worker-healthcheck": { flag: "heartbeat-timeout" },
  "worker-timeout": { flag: "heartbeat-timeout" },
  "blocking-threads-idle-timeout": { note: ONE_LOOP },
  "runtime-blocking-threads": { note: ONE_LOOP },
  "respawn-interval": {
    note: "A worker that fails is replaced at once, then with growing delay; leave it out.",
  },
  "rss-sample-interval": { flag: "max-rss", note: "Memory is sampled by itself." },
  "rss-samples": { flag: "max-rss", note: "Memory is sampled by itself." },
  "worker-tmp-dir": { note: "Workers send heartbeats without files; leave it out." },
  "reset-contextvars": { note: "JavaScript has no context variables to reset; leave it out." },
  initgroups: { note: "--user always sets the groups of the user; leave it out." },
  "respawn-failed-workers": { note: "A worker that fails is always replaced; leave it out." },
  daemon: { flag: "daemonize" },
  "pid-file": { flag: "pid" },
  pidfile: { flag: "pid" },
  "working-directory": { flag: "chdir" },
  "process-name": { note: "The process keeps its name; name the service in the service manager." },
  name: { note: "The process keeps its name; name the service in the service manager." },

  // Timeouts and limits.
  "graceful-timeout": { flag: "shutdown-timeout" },
  "timeout-graceful-shutdown": { flag: "shutdown-timeout" },
  "workers-kill-timeout": { flag: "shutdown-timeout" },
  "graceful-shutdown-timeout": { flag: "shutdown-timeout" },
  "keep-alive": { flag: "timeout" },
  "timeout-keep-alive": { flag: "timeout" },
  "keep-alive-timeout": { flag: "timeout" },
  "read-timeout": { flag: "body-timeout" },
  "http1-keep-alive": { flag: "timeout", note: "It is always on; the timeout limits it." },
  "http1-pipeline-flush": { note: "Responses are always flushed; leave it out." },
  "http1-header-read-timeout": { flag: "header-timeout" },
  "limit-request-line": { flag: "max-request-line" },
  "limit-request-fields": { flag: "max-header-count" },
  "limit-request-field_size": { flag: "max-header-size" },
  "h11-max-incomplete-event-size": { flag: "max-header-size" },
  "http1-buffer-size": { flag: "max-header-size" },
  "max-request-body-size": { flag: "max-body-size" },
  "body-limit": { flag: "max-body-size" },
  "ws-max-size": { flag: "max-ws-message-size" },
  "ws-max-queue": { flag: "max-receive-queue" },
  "ws-per-message-deflate": { flag: "ws-compression" },
  "ws-ping-interval": { note: "An application asks for pings with websocket.keepalive." },
  "ws-ping-timeout": { note: "An application asks for pings with websocket.keepalive." },
  "websocket-ping-timeout": { note: "An application asks for pings with websocket.keepalive." },
  "websocket-ping-interval": { note: "An application asks for pings with websocket.keepalive." },
  sendfile: { note: "Files are always sent without blocking; leave it out." },
  "permit-obsolete-folding": { note: STRICT_NOTE },
  "strip-header-spaces": { note: STRICT_NOTE },
  "casefold-http-method": { note: STRICT_NOTE },
  "permit-unconventional-http-method": { note: STRICT_NOTE },
  "permit-unconventional-http-version": { note: STRICT_NOTE },
  "header-map": { note: STRICT_NOTE },
  "server-name": {
    note: "Requests for every host name are served; the application can check the host header.",
  },
  "server-names": {
    note: "Requests for every host name are served; the application can check the host header.",
  },
  "sync-file-threshold": { note: "Files are always sent without blocking; leave it out." },
  http2: { note: HTTP2_NOTE },
  "http2-max-concurrent-streams": { note: HTTP2_NOTE },

  // TLS.
  tls: { flag: "ssl-cert", note: "--ssl-key names the key." },
  cert: { flag: "ssl-cert" },
  certfile: { flag: "ssl-cert" },
  "ssl-certfile": { flag: "ssl-cert" },
  "ssl-certificate": { flag: "ssl-cert" },
  "tls-cert": { flag: "ssl-cert" },
  key: { flag: "ssl-key" },
  keyfile: { flag: "ssl-key" },
  "ssl-keyfile": { flag: "ssl-key" },
  "tls-key": { flag: "ssl-key" },
  "keyfile-password": { flag: "ssl-key-passphrase-file" },
  "ssl-keyfile-password": { flag: "ssl-key-passphrase-file" },
  passphrase: { flag: "ssl-key-passphrase-file" },
  "ca-certs": { flag: "ssl-ca" },
  "ssl-ca-certs": { flag: "ssl-ca" },
  "cert-reqs": { flag: "ssl-verify-client" },
  "ssl-cert-reqs": { flag: "ssl-verify-client" },
  "ssl-client-verify": { flag: "ssl-verify-client" },
  "verify-mode": { flag: "ssl-verify-client" },
  ciphers: { flag: "ssl-ciphers" },
  "ssl-crl": { note: "Revocation lists are not read; use a proxy if you need them." },
  "do-handshake-on-connect": { note: "Connections never wait for the handshake of another; leave it out." },
  "suppress-ragged-eofs": {
    note: "A TLS connection that ends without a notice is simply closed; leave it out.",
  },
  "ssl-version": { flag: "ssl-min-version" },
  "ssl-protocol-min": { flag: "ssl-min-version" },

  // Proxies, logs and metrics.
  "trust-proxy": { flag: "proxy-headers" },
  "proxy-allow-from": { flag: "forwarded-allow-ips" },
  "forwarder-headers": { flag: "proxy-headers" },
  "trusted-hosts": { flag: "forwarded-allow-ips" },
  "proxy-protocol": {
    note: "The PROXY protocol is not spoken; --proxy-headers reads a proxy's headers.",
  },
  "access-logfile": { flag: "access-log" },
  "access-logformat": { flag: "access-log-format" },
  "access-log-fmt": { flag: "access-log-format" },
  "error-log": { note: LOG_NOTE },
  "error-logfile": { note: LOG_NOTE },
  "log-file": { note: LOG_NOTE },
  log: { flag: "log-level" },
  "no-log": { flag: "quiet" },
  "log-config-json": { flag: "log-level", note: LOG_NOTE },
  "logger-class": { flag: "log-format", note: LOG_NOTE },
  "log-syslog": { note: SYSLOG_NOTE },
  "log-syslog-to": { note: SYSLOG_NOTE },
  "log-syslog-prefix": { note: SYSLOG_NOTE },
  "log-syslog-facility": { note: SYSLOG_NOTE },
  "disable-redirect-access-to-syslog": { note: SYSLOG_NOTE },
  "capture-output": { note: LOG_NOTE },
  "enable-stdio-inheritance": { note: LOG_NOTE },
  "log-config": { flag: "log-level", note: LOG_NOTE },
  silent: { flag: "quiet" },
  "use-colors": { note: "Colors are used on a terminal; NO_COLOR=1 switches them off." },
  "metrics-address": { flag: "metrics" },
  "metrics-port": { flag: "metrics" },
  "metrics-scrape-interval": { note: "Metrics are collected when they are asked for; leave it out." },
  "statsd-host": { flag: "metrics", note: STATSD_NOTE },
  "statsd-prefix": { flag: "metrics", note: STATSD_NOTE },
  "dogstatsd-tags": { flag: "metrics", note: STATSD_NOTE },
  header: { note: "Response headers are set by the application, or by a middleware around it." },
  "server-header": { note: "No Server header is sent unless the application sets one." },
  "date-header": { note: "The Date header is always sent (RFC 9110 6.6.1)." },
};

/** One-letter flags of the same servers that we do not have. */
const SHORT_SYNONYMS: Readonly<Record<string, Synonym>> = {
  c: { flag: "config" },
  g: { flag: "group" },
  k: { note: ONE_LOOP },
  m: { flag: "umask" },
  n: { note: "The process keeps its name; name the service in the service manager." },
  t: { flag: "heartbeat-timeout", note: "gunicorn's -t bounds how long a worker may be blocked." },
  u: { flag: "user" },
  d: { flag: "daemonize" },
  I: { note: "Bun finds modules from the application's own file, by node_modules and tsconfig.json." },
  M: { flag: "preload" },
};

/**
 * What to write in place of a flag that is not ours, as sentences; `undefined` for one that nobody has.
 *
 * @param negatable whether our flag of this name has a `--no-` form.
 */
export function synonymOf(written: string, negatable: (flag: string) => boolean): string | undefined {
  const name = written.replace(/^--?/, "");
  if (!written.startsWith("--")) return advice(lookUp(SHORT_SYNONYMS, name));
  const plain = name.toLowerCase();
  const synonym = lookUp(SYNONYMS, plain);
  if (synonym !== undefined || !plain.startsWith("no-")) return advice(synonym);
  return advice(negated(lookUp(SYNONYMS, plain.slice(3)), negatable));
}

/** Our flag for another server's, whose name in a variable is `words`, such as `KEEP_ALIVE`; `undefined` without one. */
export function flagForVariable(words: string): string | undefined {
  const synonym = lookUp(SYNONYMS, words.toLowerCase().replaceAll("_", "-"));
  return synonym?.flag?.split(" ")[0];
}

/** Switching off needs the opposite of our flag, or nothing at all. */
function negated(synonym: Synonym | undefined, negatable: (flag: string) => boolean): Synonym | undefined {
  if (synonym?.flag === undefined) return synonym;
  if (negatable(synonym.flag)) return { flag: `no-${synonym.flag}` };
  return { note: synonym.flag.includes(" ") ? "Leave it out." : `Leave it out, or use --${synonym.flag}.` };
}

function advice(synonym: Synonym | undefined): string | undefined {
  if (synonym === undefined) return undefined;
  const { flag, note } = synonym;
  return [flag === undefined ? [] : `Use --${flag} instead.`, note ?? []].flat().join(" ");
}

function lookUp(table: Readonly<Record<string, Synonym>>, name: string): Synonym | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
