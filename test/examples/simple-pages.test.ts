import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";

/** What a policy says of one kind of things that a page loads. */
function sourcesOf(policy: string, kind: string): string | undefined {
  const rules = new Map(
    policy.split(";").map((rule) => {
      const [name = "", ...sources] = rule.trim().split(" ");
      return [name, sources.join(" ")];
    }),
  );
  return rules.get(kind) ?? rules.get("default-src");
}

test.each([
  ["simple-01-hello", "/html/Ada"],
  ["simple-02-forms", "/"],
  ["simple-03-websocket", "/"],
  ["simple-04-sse", "/"],
  ["simple-todo", "/"],
])("%s: no script runs that stands in a page, in that of an error neither", async (example, path) => {
  await using server = await startExample(example);
  for (const [status, asked] of [
    [200, path],
    [404, "/not-there"],
  ] as const) {
    const response = await fetch(server.url + asked, { headers: { accept: "text/html" } });
    expect(response.status).toBe(status);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(["'self'", "'none'"]).toContain(sourcesOf(policy, "script-src") ?? "anything");
    expect(await response.text()).not.toMatch(/<script(?![^>]* src=)|\son\w+=/i);
  }
});

test("simple-todo: a form of another site changes nothing, and gets no session", async () => {
  await using server = await startExample("simple-todo");
  const form = (headers: Record<string, string>) =>
    fetch(`${server.url}/todos`, {
      method: "POST",
      redirect: "manual",
      headers,
      body: new URLSearchParams({ title: "Mine" }),
    });
  const forged: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site", origin: server.url },
  ];
  for (const headers of forged) {
    const response = await form(headers);
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  }
  for (const headers of [{}, { origin: server.url }, { "sec-fetch-site": "same-origin" }])
    expect((await form(headers)).status).toBe(303);
});
