import fs from "node:fs";
import path from "node:path";

import { openListeningSocket } from "../../src/server/listening-socket.ts";
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

  private constructor(command: (port: number) => string[], environment: Record<string, string>) {
    // Opened here, so that the port is free, and handed down.
    const socket = openListeningSocket({ type: "tcp", host: this.host, port: 0 });
    if (socket.address.type !== "tcp") throw new Error("never");
    this.port = socket.address.port;
    this.#child = Bun.spawn(command(this.port), {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit", socket.fd],
    });
    socket.close();
  }

  /** nginx with docs/deployment/nginx.conf and further directives, before a server at a Unix socket. */
  static async nginx(folder: Folder, socket: string, directives = ""): Promise<Front> {
    const program = programPath("nginx");
    const { temporary, main, site } = {
      temporary: ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"],
      main: folder.file("nginx-main.conf"),
      site: folder.file("nginx-site.conf"),
    };
    const user = process.getuid?.() === 0 ? "user root;" : "";
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

  /** HAProxy with docs/deployment/haproxy.cfg, before a server at a TCP port. */
  static async haproxy(folder: Folder, upstream: number): Promise<Front> {
    const program = programPath("haproxy");
    const config = folder.file("haproxy.cfg");
    const places = { "bind :80": `bind fd@${FIRST}`, "127.0.0.1:5000 check": `127.0.0.1:${upstream} check` };
    fs.writeFileSync(config, deploymentFile("haproxy.cfg", places));
    const front = new Front(() => [program, "-db", "-q", "-f", config], {});
    await front.#untilItRuns(() => front.#child.exitCode === null, config);
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
