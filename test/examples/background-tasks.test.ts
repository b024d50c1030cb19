import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";

const NAME = "background-tasks";

function post(url: string, value: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" },
  });
}

test("answers before the mail is sent, and ends after it", async () => {
  await using server = await startExample(NAME, { env: { MAIL_TIME: "300" } });
  const response = await post(`${server.url}/signup`, { email: "ada@example.org" });
  expect(response.status).toBe(201);
  expect(await response.json()).toEqual({ created: "ada@example.org" });
  await server.shows(/ada@example.org knows/);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).toMatch(/mail to ada@example.org: Welcome!\n(.*\n)*all tasks have ended/);
});

test("a mail that takes too long at the end is cut", async () => {
  await using server = await startExample(NAME, { env: { MAIL_TIME: "600000", PATIENCE: "50" } });
  expect((await post(`${server.url}/signup`, { email: "ada@example.org" })).status).toBe(201);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).toMatch(/the mail to ada@example.org was cut\nall tasks have ended/);
});

test("a task that fails is logged, and the server goes on", async () => {
  await using server = await startExample(NAME, { env: { MAIL_TIME: "0" } });
  expect((await post(`${server.url}/signup`, { email: "ada@example.invalid" })).status).toBe(201);
  await server.shows(/the mail to ada@example.invalid failed: [^]*no server takes mail/);
  expect((await post(`${server.url}/signup`, { email: "ada" })).status).toBe(422);
  expect((await fetch(server.url)).status).toBe(200);
});

test("more tasks than there may be get 503", async () => {
  await using server = await startExample(NAME, { env: { MAIL_TIME: "600000", PATIENCE: "0" } });
  const signUps = Array.from({ length: 100 }, (_, i) =>
    post(`${server.url}/signup`, { email: `${i}@example.org` }),
  );
  const statuses = (await Promise.all(signUps)).map(({ status }) => status);
  // One of the hundred tasks is the one that forgets old jobs.
  expect(statuses.filter((status) => status === 201)).toHaveLength(99);
  expect(statuses.filter((status) => status === 503)).toHaveLength(1);
  const refused = await post(`${server.url}/signup`, { email: "late@example.org" });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
  expect(await server.stop("SIGTERM")).toBe(0);
});

test("calculations leave the server free, two at once, and end with it", async () => {
  await using server = await startExample(NAME);
  const forever = { below: 1_000_000_000 };
  const [first, second, third] = [
    await post(`${server.url}/primes`, forever),
    await post(`${server.url}/primes`, { below: 1000 }),
    await post(`${server.url}/primes`, { below: -1 }),
  ];
  expect([first.status, first.headers.get("location")]).toEqual([202, "/jobs/1"]);
  expect([second.status, third.status]).toEqual([202, 422]);
  const result = await fetch(`${server.url}/jobs/2`, { headers: { prefer: "wait=10" } });
  expect(await result.json()).toEqual({ state: "done", primes: 168 });
  expect((await post(`${server.url}/primes`, forever)).status).toBe(202);
  expect((await post(`${server.url}/primes`, forever)).status).toBe(503);
  expect(await (await fetch(`${server.url}/jobs/1`)).json()).toEqual({ state: "running" });
  expect((await fetch(`${server.url}/jobs/4`)).status).toBe(404);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).toMatch(/\/jobs\/1 was cut\n/);
  expect(server.output).toMatch(/\/jobs\/3 was cut\n/);
});

test("jobs that have ended are forgotten after a while", async () => {
  await using server = await startExample(NAME, { env: { TIDY_INTERVAL: "10", KEPT: "0" } });
  expect((await post(`${server.url}/primes`, { below: 10 })).status).toBe(202);
  await server.shows(/job 1 is forgotten/);
  expect((await fetch(`${server.url}/jobs/1`)).status).toBe(404);
});
