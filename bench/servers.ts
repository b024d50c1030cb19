import { existsSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { BenchFailure } from "./failure.ts";
import { pinned, type Cores } from "./machine.ts";

export const SERVER_NAMES = ["pagi", "bun", "node", "uvicorn"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A server under measurement. */
export interface ServerKind {
  readonly name: ServerName;
  readonly title: string;
  /** Default `http`. */
  readonly scheme?: "http" | "https";
  /** Why it cannot run here; `undefined` when it can. */
  missing(): string | undefined;
  command(scenario: string, port: number): string[];
}

/** The program of a server, where a scenario needs another than the usual one. */
const OWN_PROGRAMS: {
  readonly [scenario: string]: { readonly bun: string; readonly node?: string } | undefined;
} = {
  ws: { bun: "./servers/bun-ws.ts", node: "./servers/node-ws.mjs" },
  hono: { bun: "./servers/bun-hono.ts", node: "./servers/node-hono.mjs" },
  "toolkit-router-hono": { bun: "./servers/bun-hono.ts" },
  "toolkit-upload-hono": { bun: "./servers/bun-hono.ts" },
  "toolkit-stream": { bun: "./servers/bun-upload.ts" },
  elysia: { bun: "./servers/bun-elysia.ts" },
  "elysia-listen": { bun: "./servers/bun-elysia.ts" },
  "node-bare": { bun: "./servers/bun-node.ts" },
  "node-express": { bun: "./servers/bun-node.ts" },
  "node-fastify": { bun: "./servers/bun-node.ts" },
};

const here = (path: string): string => Bun.fileURLToPath(new URL(path, import.meta.url));
/** This checkout, with a slash at its end. */
export const ROOT = here("../");
const BUNDLE = "dist/pagi-server.js";
/** The program that the package installs, so the one that its users run. */
export const CLI = join(ROOT, BUNDLE);

export const SERVERS: readonly ServerKind[] = [
  {
    name: "pagi",
    title: "pagi-server",
    missing: () => undefined,
    command: (scenario, port) => [
      process.execPath,
      CLI,
      here(`./servers/pagi/${scenario}.ts`),
      ...["--port", String(port), "--env", "production", "--quiet"],
      // Above what any scenario opens; the keep-alive must outlast the opening of 10 000 connections.
      ...["--max-connections", "50000", "--timeout", "600"],
    ],
  },
  {
    name: "bun",
    title: "Bun.serve",
    missing: () => undefined,
    command: (scenario, port) => [
      process.execPath,
      here(OWN_PROGRAMS[scenario]?.bun ?? "./servers/bun.ts"),
      ...[scenario, String(port)],
    ],
  },
  {
    name: "node",
    title: "node:http",
    missing: () => (Bun.which("node") === null ? "node is not installed" : undefined),
    command: (scenario, port) => [
      "node",
      here(OWN_PROGRAMS[scenario]?.node ?? "./servers/node.mjs"),
      ...[scenario, String(port)],
    ],
  },
  {
    name: "uvicorn",
    title: "uvicorn",
    missing: () => missingInPython("uvicorn, websockets", ""),
    command: (_scenario, port) => uvicornCommand("uvicorn_app", port),
  },
];

function missingInPython(modules: string, packages: string): string | undefined {
  const found =
    Bun.which("python3") !== null &&
    Bun.spawnSync(["python3", "-c", `import ${modules}`], { stderr: "ignore" }).exitCode === 0;
  if (found) return undefined;
  return (
    `${packages === "" ? "uvicorn" : "Starlette"} is not installed (pip install 'uvicorn[standard]' ${packages}`.trimEnd() +
    ")"
  );
}

function uvicornCommand(module: string, port: number): string[] {
  return [
    ...["python3", "-m", "uvicorn", `${module}:app`, "--app-dir", here("./servers")],
    ...["--port", String(port), "--no-access-log", "--log-level", "error", "--lifespan", "off"],
    ...["--timeout-keep-alive", "600"],
  ];
}

/**
 * A server with another application or other options than the scenario's name says.
 *
 * @param serves the application's name.
 * @param flags further words of pagi-server's command line.
 */
export function contender(
  name: "pagi" | "bun",
  title: string,
  serves: string,
  flags: readonly string[] = [],
): ServerKind {
  const [kind] = SERVERS.filter((one) => one.name === name);
  if (kind === undefined) throw new BenchFailure(`There is no server '${name}'.`);
  return { ...kind, title, command: (_scenario, port) => [...kind.command(serves, port), ...flags] };
}

/** Starlette on uvicorn: one application for all scenarios that it takes part in. */
export function starlette(title: string): ServerKind {
  return {
    name: "uvicorn",
    title,
    missing: () => missingInPython("uvicorn, starlette, multipart", "starlette python-multipart"),
    command: (_scenario, port) => uvicornCommand("starlette_app", port),
  };
}

/**
 * Bundles the command line as the package ships it.
 *
 * @param root the checkout, with a slash at its end.
 * @throws BenchFailure when it cannot be built.
 */
export function buildPackage(root: string = ROOT): void {
  const { success, stderr } = Bun.spawnSync([process.execPath, "run", bundleScript(root)], {
    cwd: root,
    stdout: "ignore",
    stderr: "pipe",
  });
  if (!success || !existsSync(join(root, BUNDLE))) {
    throw new BenchFailure(`${root} cannot be bundled: ${stderr.toString().trim()}`);
  }
}

/** Older checkouts make the bundle together with the declarations. */
function bundleScript(root: string): string {
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  return manifest.includes('"bundle":') ? "bundle" : "prepack";
}

/** A server that has been started and accepts connections. */
export interface RunningServer {
  readonly kind: ServerKind;
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /**
   * Waits for work with the server.
   *
   * @throws BenchFailure when the server ends first.
   */
  during<T>(work: Promise<T>): Promise<T>;
  end(): Promise<void>;
}

const children = new Set<Bun.Subprocess>();

/** Ends all servers at once, where the benchmark itself is ended. */
export function killServers(): void {
  for (const child of children) child.kill("SIGKILL");
}

/**
 * Starts a server on its core.
 *
 * @throws BenchFailure when the server ends, or accepts nothing within 15 seconds.
 */
export async function startServer(
  kind: ServerKind,
  scenario: string,
  environment: Readonly<Record<string, string>>,
  core: number | undefined,
): Promise<RunningServer> {
  const port = await unusedPort();
  const child = Bun.spawn(pinned(core, kind.command(scenario, port)), {
    env: { ...process.env, ...environment, BENCH_SCENARIO: scenario, NODE_ENV: "production" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  children.add(child);
  const complaints = new Response(child.stderr).text();
  const ended = child.exited.then(async (code) => {
    const said = (await complaints).trim();
    throw new BenchFailure(
      `${kind.title} ended with exit code ${code} in '${scenario}': ${said || "no message"}`,
    );
  });
  // Every server is ended at last; that counts only while somebody waits for work with it.
  ended.catch(() => {});
  const server: RunningServer = {
    kind,
    port,
    pid: child.pid,
    url: `${kind.scheme ?? "http"}://127.0.0.1:${port}/`,
    during: (work) => Promise.race([work, ended]),
    async end() {
      child.kill("SIGKILL");
      await child.exited;
      children.delete(child);
    },
  };
  try {
    await server.during(accepting(kind, port));
  } catch (error) {
    await server.end();
    throw error;
  }
  return server;
}

/** Starts a server on its core, runs `use` with it, and ends it. */
export async function withServer<T>(
  kind: ServerKind,
  scenario: string,
  environment: Readonly<Record<string, string>>,
  cores: Cores,
  use: (server: RunningServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(kind, scenario, environment, cores.server);
  try {
    return await server.during(use(server));
  } finally {
    await server.end();
  }
}

/** A port that was free a moment ago. */
export async function unusedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new BenchFailure("no port is free on 127.0.0.1");
  return address.port;
}

async function accepting(kind: ServerKind, port: number): Promise<void> {
  const limit = performance.now() + 15_000;
  while (performance.now() < limit) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (accepted) return;
    await Bun.sleep(10);
  }
  throw new BenchFailure(`${kind.title} accepts no connection on port ${port} after 15 seconds.`);
}
