import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { startExample, type ServerProcess } from "../support/example.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await startExample("mini-framework");
});
afterAll(async () => {
  await server.stop("SIGKILL");
});

async function get(path: string, init?: RequestInit): Promise<[status: number, body: string]> {
  const response = await fetch(`${server.url}${path}`, init);
  return [response.status, await response.text()];
}

test("the framework has less than a hundred lines", async () => {
  const source = await Bun.file(join(import.meta.dir, "../../examples/mini-framework/mini.ts")).text();
  expect(source.split("\n").length).toBeLessThan(100);
});

test("answers with what handlers return", async () => {
  expect(await get("/")).toEqual([200, "Hello from a web framework built on PAGI!\n"]);
  expect(await get("/hello/Gr%C3%BC%C3%9Fe")).toEqual([200, "Hello, Grüße!\n"]);
  expect(await get("/fetch")).toEqual([200, "A Response of the Fetch standard.\n"]);
  const json = (body: string) => ({ method: "POST", body, headers: { "content-type": "application/json" } });
  expect(await get("/sum", json('{"numbers":[40,2]}'))).toEqual([200, '{"sum":42}']);
  expect(await get("/", { method: "HEAD" })).toEqual([200, ""]);
  await server.shows(/^POST \/sum ends$/m);
});

test("no path makes up lines of the log", async () => {
  expect(await get("/hello/a%0Aforged%20begins")).toEqual([200, "Hello, a\nforged begins!\n"]);
  await server.shows(/^GET \/hello\/a%0Aforged%20begins ends$/m);
});

test("errors of the client are told as problem documents", async () => {
  const send = async (body: string, type: string) => {
    const response = await fetch(`${server.url}/sum`, {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    return await response.json();
  };
  expect(await send('{"numbers":["1"]}', "application/json")).toMatchObject({
    status: 422,
    errors: [{ in: "body", pointer: "/numbers/0" }],
  });
  expect(await send("{", "application/json")).toMatchObject({ status: 400 });
  expect(await send("<a/>", "text/xml")).toMatchObject({ status: 415 });
  expect(await get("/nowhere")).toEqual([404, "Not Found\n"]);
  expect((await get("/hello/ada", { method: "PUT" }))[0]).toBe(405);
});

test("who waits and goes is not met", async () => {
  const leaving = new AbortController();
  const left = fetch(`${server.url}/meet/Bob`, { signal: leaving.signal }).catch(
    (error: Error) => error.name,
  );
  await server.shows(/^GET \/meet\/Bob begins$/m);
  leaving.abort();
  expect(await left).toBe("AbortError");
  await server.shows(/^GET \/meet\/Bob ends$/m);
  const meetings = await Promise.all([get("/meet/Ada"), get("/meet/Grace")]);
  expect(meetings).toEqual([
    [200, "Ada and Grace have met.\n"],
    [200, "Ada and Grace have met.\n"],
  ]);
});
