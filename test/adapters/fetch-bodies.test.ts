import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ADAPTERS, applicationOf, type AdapterName } from "../support/fetch-adapters.ts";
import { CASES, FILES, MEASURED, openSources } from "../support/response-bodies.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

// The same handlers answer on `Bun.serve` and on pagi-server: as a fetch handler, in a Hono application, and in a handler
// of the toolkit. Each body that a Response can have must arrive as it arrives from `Bun.serve`.

function respond(method: string, path: string): Response | Promise<Response> {
  const found = CASES[decodeURIComponent(path.slice(1))];
  return found === undefined ? new Response("no such case", { status: 400 }) : found.make(method);
}

let sources: AsyncDisposable;
let bun: ReturnType<typeof Bun.serve>;
const servers: Partial<Record<AdapterName, TestServer>> = {};

beforeAll(async () => {
  sources = await openSources();
  bun = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch: (request) => respond(request.method, new URL(request.url).pathname),
    error: () => new Response("failed", { status: 500 }),
  });
  for (const name of ADAPTERS) servers[name] = await startServer(applicationOf(name, respond));
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
  await bun.stop(true);
  await sources[Symbol.asyncDispose]();
});

interface Answered {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

const FRAMING = /^(content-length|transfer-encoding): /;

async function ask(port: number, method: string, name: string, ...fields: string[]): Promise<Answered> {
  await using wire = await Wire.open({ host: "127.0.0.1", port });
  const lines = [`${method} /${encodeURIComponent(name)} HTTP/1.1`, "Host: a", ...fields, "", ""];
  await wire.send(lines.join("\r\n"));
  const { status, headers, body } = await wire.response(method);
  const shown = headers
    .filter(([field]) => field !== "date")
    .map(([field, value]) => `${field}: ${value}`)
    .sort();
  // Each form has a boundary of its own, all of one length.
  const same = (text: string): string => text.replace(/-{2,}WebKitFormBoundary\w+/g, "boundary");
  return { status, fields: shown.map(same), body: same(body) };
}

function portOf(name: AdapterName): number {
  return servers[name]?.port ?? 0;
}

describe.each(ADAPTERS)("%s", (adapter) => {
  test.each(Object.entries(CASES))("GET: %s", async (name, { differs = [[], ""], timed }) => {
    const [there, here] = await Promise.all([
      ask(bun.port ?? 0, "GET", name),
      ask(portOf(adapter), "GET", name),
    ]);
    expect(there.status).not.toBe(400);
    expect([here.status, here.body]).toEqual([there.status, there.body]);
    const compared = ({ fields }: Answered): string[] =>
      fields.filter((field) => {
        const [key = ""] = field.split(":");
        return !differs[0].includes(key) && !(timed === true && FRAMING.test(field));
      });
    // The toolkit adds what identifies the state of a file (RFC 9110 section 8.8).
    const added = /^(accept-ranges|etag|last-modified): /;
    const isFile = Object.hasOwn(FILES, name) || name.startsWith("a file, length");
    const expected = compared(there);
    const found = compared(here).filter((field) => !(isFile && adapter === "toolkit" && added.test(field)));
    expect(found).toEqual(expected);
  });

  // A browser would save a page of this type, and not show it.
  test("a file's stream is not given a type that it does not have", async () => {
    const { fields } = await ask(portOf(adapter), "GET", "a file's stream without a type");
    expect(fields.filter((field) => field.startsWith("content-type: "))).toEqual([]);
  });

  // RFC 9110 section 9.3.2: the fields that GET would get, though not necessarily all of them. What the handler itself
  // says of a body that it does not give is believed.
  test.each(Object.entries(CASES))("HEAD: %s", async (name) => {
    const [get, head] = await Promise.all([
      ask(portOf(adapter), "GET", name),
      ask(portOf(adapter), "HEAD", name),
    ]);
    expect(head.body).toBe("");
    if (get.status === 206) return;
    expect(head.status).toBe(get.status);
    const extra = head.fields.filter((field) => !get.fields.includes(field));
    expect(extra.filter((field) => !/^(content-(length|encoding): |connection: close$)/.test(field))).toEqual(
      [],
    );
    const length = head.fields.find((field) => field.startsWith("content-length: "));
    if (MEASURED.has(name) && length !== undefined) expect(get.fields).toContain(length);
    // Hono takes the body away itself, and so has Bun.serve say 0; nobody knows the length here (RFC 9110 section 8.6).
    if (MEASURED.has(name) && adapter !== "hono") expect(length).toBeDefined();
  });
});
