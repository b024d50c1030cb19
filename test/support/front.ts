import fs from "node:fs";
import path from "node:path";

import { openListeningSocket } from "../../src/listening/listening-socket.ts";
import type { Folder } from "./program.ts";
import { eventually } from "./wire.ts";

const DEPLOYMENT = path.resolve(import.meta.dir, "../../docs/deployment");
/** The first descriptor after the standard ones. */
const FIRST = 3;

/** The text of a file of docs/deployment with other places in it. Each of them has to be there. */
export function deploymentFile(name: string, places: Readonly<Record<string, string>> = {}): string {
  let text = fs.readFileSync(path.join(DEPLOYMENT, name), "utf8");
  for (const [place, other] of Object.entries(places)) {
    if (!text.includes(place)) throw new Error(`docs/deployment/${name} does not say ${place} any more`);
    text = text.replaceAll(place, other);
  }
  return text;
}

const IS_ROOT = process.getuid?.() === 0;

/**
 * The words of the command that the head of a configuration shows, from the first option to the last.
 *
 * Root can run everything as the users that the recipe names. Anyone else runs all of it as themselves, so the socket
 * gets a group that they may give it.
 */
export function recipe(name: string, places: Readonly<Record<string, string>> = {}): string[] {
  const [, words] = /pagi-server (--.*) app\.ts$/m.exec(deploymentFile(name, places)) ?? [];
  if (words === undefined) throw new Error(`docs/deployment/${name} shows no command`);
  return (IS_ROOT ? words : words.replace("www-data", String(process.getgid?.()))).split(" ");
}

/** Opens a folder to other users, as the parent folders of a real socket are. */
export function openToAll(folder: Folder): void {
  fs.chmodSync(folder.path, 0o755);
}

/** The path of a program. Fails with the name of its package. */
export function programPath(name: string, debianPackage = name): string {
  const found = Bun.which(name, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` });
  if (found === null) throw new Error(`This test needs ${name}: install the package ${debianPackage}.`);
  return found;
}

/** What a command writes, and its exit code. */
export function outputOf(command: readonly string[]): { code: number; text: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command]);
  return { code: exitCode, text: stdout.toString() + stderr.toString() };
}

/** A proxy that runs in front of a server, on a free port. It is ended at the end. */
export class Front implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly #child: Bun.Subprocess;

  private constructor(
    command: (port: number) => string[],
    environment: Record<string, string>,
    /** Where its error output goes; inherited otherwise. */
    log?: string,
  ) {
    // Opened here, so that the port is free, and handed down.
    const socket = openListeningSocket({ type: "tcp", host: this.host, port: 0 });
    if (socket.address.type !== "tcp") throw new Error("never");
    this.port = socket.address.port;
    this.#child = Bun.spawn(command(this.port), {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", log === undefined ? "inherit" : Bun.file(log), socket.fd],
    });
    socket.close();
  }

  /**
   * nginx with docs/deployment/nginx.conf and further directives, before a server at a Unix socket. Its workers run as
   * Debian's do.
   */
  static async nginx(folder: Folder, socket: string, directives = ""): Promise<Front> {
    const program = programPath("nginx");
    const { temporary, main, site } = {
      temporary: ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"],
      main: folder.file("nginx-main.conf"),
      site: folder.file("nginx-site.conf"),
    };
    const user = IS_ROOT ? "user www-data;" : "";
    openToAll(folder);
    fs.writeFileSync(
      main,
      `${user} daemon off; pid ${folder.file("nginx.pid")}; error_log ${folder.file("nginx.log")};
      events {}
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${folder.file(`nginx-${name}`)};`).join("\n")}
        include ${site};
      }
      `,
    );
    const command = (port: number): string[] => {
      const places = {
        "listen 80;": `listen 127.0.0.1:${port};`,
        "listen [::]:80;": "",
        "/run/pagi-server/http.sock": socket,
        "proxy_http_version 1.1;": `proxy_http_version 1.1; ${directives}`,
      };
      fs.writeFileSync(site, deploymentFile("nginx.conf", places));
      return [program, "-c", main, "-e", folder.file("nginx.log")];
    };
    // By this variable nginx takes sockets over from an nginx that it replaces.
    const front = new Front(command, { NGINX: `${FIRST};` });
    await front.#untilItRuns(() => fs.existsSync(folder.file("nginx.pid")), folder.file("nginx.log"));
    return front;
  }

  /** HAProxy with docs/deployment/haproxy.cfg, before a server at a TCP port. Only root can make it change its user. */
  static async haproxy(folder: Folder, upstream: number): Promise<Front> {
    const program = programPath("haproxy");
    const config = folder.file("haproxy.cfg");
    const places = { "bind :80": `bind fd@${FIRST}`, "127.0.0.1:5000 check": `127.0.0.1:${upstream} check` };
    const text = deploymentFile("haproxy.cfg", places);
    fs.writeFileSync(config, IS_ROOT ? text : text.replace(/^ {4}(?:user|group|chroot) .*\n/gm, ""));
    const front = new Front(() => [program, "-db", "-q", "-f", config], {});
    await front.#untilItRuns(() => front.#child.exitCode === null, config);
    return front;
  }

  /** Caddy with docs/deployment/Caddyfile, over plain HTTP, before a server at a Unix socket. It runs as Debian's does. */
  static async caddy(folder: Folder, socket: string): Promise<Front> {
    const program = programPath("caddy");
    const [config, log, home] = ["Caddyfile", "caddy.log", "caddy-home"].map((name) => folder.file(name));
    if (config === undefined || log === undefined || home === undefined) throw new Error("never");
    openToAll(folder);
    fs.mkdirSync(home, { mode: 0o777 });
    fs.chmodSync(home, 0o777);
    fs.writeFileSync(log, "");
    // It reports its own address once it listens, and neither asks an authority for certificates nor has an admin port.
    const globals = "{\n\tadmin off\n\tauto_https off\n}\n\n";
    const command = (port: number): string[] => {
      const places = {
        "example.org {": `http://:${port} {\n\tbind 127.0.0.1`,
        "unix//run/pagi-server/http.sock": `unix/${socket}`,
      };
      fs.writeFileSync(config, globals + deploymentFile("Caddyfile", places));
      const asItsUser = ["setpriv", "--reuid=caddy", "--regid=caddy", "--init-groups"];
      const run = [program, "run", "--config", config, "--adapter", "caddyfile"];
      // Caddy 2.6 takes no socket over: it opens the port that was free a moment ago.
      return ["sh", "-c", `exec 3<&- && exec "$@"`, "sh", ...(IS_ROOT ? asItsUser : []), ...run];
    };
    const front = new Front(command, { HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }, log);
    await front.#untilItRuns(
      () => fs.readFileSync(log, "utf8").includes("serving initial configuration"),
      log,
    );
    return front;
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
  }

  async #untilItRuns(isRunning: () => boolean, log: string): Promise<void> {
    await eventually("the proxy runs", () => isRunning() || this.#child.exitCode !== null);
    if (this.#child.exitCode !== null)
      throw new Error(`the proxy has ended: ${fs.existsSync(log) ? fs.readFileSync(log, "utf8") : ""}`);
  }
}
