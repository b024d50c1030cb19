import { expect, test } from "bun:test";
import { PagiRequest } from "pagi-server/request";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { TestClient } from "pagi-server/testing";
import { echo } from "../support/server.ts";

interface Echo {
  readonly method: string;
  readonly headers: [string, string][];
  readonly body: string;
}

const site = new Router()
  .get("/login", PagiResponse.redirect("/home").cookie("id", "7").cookie("deep", "1", { path: "/deep" }))
  .get("/logout", PagiResponse.redirect("/home").deleteCookie("id"))
  .get("/home", async (scope, receive, send) => {
    await PagiResponse.json(new PagiRequest(scope, receive).cookies).respond(send, scope);
  })
  .post("/form", PagiResponse.redirect("/echo", 303))
  .post("/again", PagiResponse.redirect("/echo", 307))
  .any("/echo", echo)
  .get("/loop", PagiResponse.redirect("/loop"))
  .get("/away", PagiResponse.redirect("https://example.org/"));

test("cookies are kept, and sent where their path says", async () => {
  const app = new TestClient(site);
  const login = await app.get("/login");
  expect(login.status).toBe(302);
  expect(login.location).toBe("/home");
  expect(await (await app.get("/home")).json()).toEqual({ id: "7" });
  expect(app.cookies()).toEqual({ id: "7" });
  expect(app.cookies("/deep/er")).toEqual({ id: "7", deep: "1" });
  await app.get("/logout");
  expect(app.cookie("id")).toBeUndefined();
});

test("cookies can be set, sent for once, and forgotten", async () => {
  const app = new TestClient(site).setCookie("theme", "dark");
  const once = await app.get("/home", { cookies: { once: "1" } });
  expect(await once.json()).toEqual({ theme: "dark", once: "1" });
  expect(await (await app.get("/home")).json()).toEqual({ theme: "dark" });
  expect(await (await app.clearCookies().get("/home")).json()).toEqual({});
});

test("redirects are followed where that is wanted, with the cookies that they set", async () => {
  const response = await new TestClient(site).get("/login", { followRedirects: true });
  expect(await response.json()).toEqual({ id: "7" });
  expect(response.url).toBe("http://localhost/home");
  expect(response.history.map(({ status }) => status)).toEqual([302]);
  const streamed = await new TestClient(site).get("/login", { followRedirects: true, stream: true });
  expect(await streamed.json()).toEqual({ id: "7" });
  expect(await streamed.history[0]?.text()).toBeString();
});

test("303 asks with GET and without the body, 307 with both as they were", async () => {
  const app = new TestClient(site, { followRedirects: true });
  const form = await (await app.post("/form", { form: { a: 1 } })).json<Echo>();
  expect([form.method, form.body]).toEqual(["GET", ""]);
  expect(form.headers.map(([name]) => name)).not.toContain("content-type");
  const again = await (await app.post("/again", { form: { a: 1 } })).json<Echo>();
  expect([again.method, again.body]).toEqual(["POST", "a=1"]);
});

const CONTENT = {
  "content-type": "text/x",
  "content-language": "de",
  "content-encoding": "x",
  "content-location": "/x",
  "content-length": "1",
  "content-digest": "x",
  "last-modified": "x",
};
const redirects = new Router().any("/echo", echo).any("/to/:status", async (scope, receive, send) => {
  const request = new PagiRequest<{ status: string }>(scope, receive);
  const to = request.queryParam("to") ?? "/echo";
  await PagiResponse.redirect(to, Number(request.params.status))
    .header("referrer-policy", request.queryParam("policy") ?? "")
    .respond(send, scope);
});

test.each([
  ["POST", 301, "GET"],
  ["POST", 302, "GET"],
  ["POST", 303, "GET"],
  ["PUT", 303, "GET"],
  ["DELETE", 303, "GET"],
  ["HEAD", 303, "HEAD"],
  ["HEAD", 302, "HEAD"],
  ["PUT", 301, "PUT"],
  ["DELETE", 302, "DELETE"],
  ["POST", 307, "POST"],
  ["POST", 308, "POST"],
  ["PATCH", 308, "PATCH"],
])("%s and %d: %s, as the Fetch standard has it", async (method, status, then) => {
  const seen: Echo[] = [];
  const app = new TestClient(redirects, {
    followRedirects: true,
    headers: { "x-own": "1", "content-language": "en" },
  });
  const hasBody = method !== "HEAD" && method !== "DELETE";
  const options = { headers: { ...CONTENT, authorization: "a" }, ...(hasBody ? { body: "text" } : {}) };
  const response = await app.request(method, `/to/${status}`, options);
  if (then !== "HEAD") {
    seen.push(await response.json<Echo>());
    const [echoed] = seen;
    expect(echoed?.method).toBe(then);
    const names = new Set(echoed?.headers.map(([name]) => name));
    const keeps = then === method;
    expect([echoed?.body, names.has("x-own"), names.has("authorization")]).toEqual([
      keeps && hasBody ? "text" : "",
      true,
      true,
    ]);
    for (const name of Object.keys(CONTENT)) expect([name, names.has(name)]).toEqual([name, keeps]);
    expect(names.has("transfer-encoding")).toBe(false);
  }
  expect([response.status, response.redirected, response.url]).toEqual([200, true, "http://localhost/echo"]);
});

test("fields for one origin do not go to another one", async () => {
  const app = new TestClient(redirects, { followRedirects: true, headers: { authorization: "client" } });
  app.setCookie("kept", "1");
  const seen = async (to: string, headers: Record<string, string> = {}) => {
    const response = await app.get("/to/302", { query: { to }, headers, cookies: { once: "1" } });
    return new Map((await response.json<Echo>()).headers);
  };
  const given = {
    authorization: "a",
    "proxy-authorization": "b",
    host: "localhost",
    cookie: "c=1",
    "x-own": "1",
  };
  const same = await seen("http://localhost:80/echo", given);
  expect([same.get("authorization"), same.get("proxy-authorization")]).toEqual(["a", "b"]);
  for (const to of ["http://localhost:81/echo", "https://localhost/echo"]) {
    const other = await seen(to, given);
    expect([other.has("authorization"), other.has("proxy-authorization"), other.get("x-own")]).toEqual([
      ...[false, false, "1"],
    ]);
    expect([other.get("host"), other.get("cookie")]).toEqual([new URL(to).host, "kept=1"]);
    // Those that the client sends with every request are fields of this request, too.
    expect((await seen(to)).has("authorization")).toBe(false);
  }
  expect((await seen("/echo")).get("authorization")).toBe("client");
});

test.each([
  ["http://localhost/page?x", "/echo", "", "http://localhost/page?x"],
  ["http://localhost/page", "http://localhost:81/echo", "", "http://localhost/"],
  ["https://localhost/page", "http://localhost/echo", "", undefined],
  ["http://localhost/page", "/echo", "no-referrer", undefined],
  ["http://localhost/page", "/echo", "origin", "http://localhost/"],
  ["http://localhost/page", "http://localhost:81/echo", "same-origin", undefined],
  ["http://localhost/page", "http://localhost:81/echo", "unsafe-url, something-new", "http://localhost/page"],
  ["https://localhost/page", "/echo", "no-referrer-when-downgrade", undefined],
  [
    "http://localhost/page",
    "http://localhost:81/echo",
    "no-referrer-when-downgrade",
    "http://localhost/page",
  ],
])("the referrer %s before %s under '%s' is %s", async (referer, to, policy, expected) => {
  const app = new TestClient(redirects, { followRedirects: true });
  const response = await app.get("/to/302", { query: { to, policy }, headers: { referer } });
  expect(new Map((await response.json<Echo>()).headers).get("referer")).toBe(expected);
});

test("a location that is no URL is an error where it is followed", async () => {
  const app = new TestClient(redirects);
  expect((await app.get("/to/302?to=http://[")).status).toBe(302);
  await expect(app.get("/to/302?to=http://[", { followRedirects: true })).rejects.toThrow("http://[");
});

test("fetch says where it has been", async () => {
  const { fetch } = new TestClient(redirects);
  const posted = await fetch("/to/302", { method: "POST", body: "text", headers: CONTENT });
  const echoed = await posted.clone().json();
  expect(echoed).toMatchObject({ method: "GET", body: "" });
  expect(JSON.stringify(echoed)).not.toContain("content-");
  for (const response of [posted, posted.clone()]) {
    expect(response).toMatchObject({ url: "http://localhost/echo", redirected: true, type: "basic" });
  }
  expect(await fetch("/to/307", { method: "POST", body: "text" })).toMatchObject({ redirected: true });
  expect(await fetch("/echo?x#y")).toMatchObject({ url: "http://localhost/echo?x", redirected: false });
  const manual = await fetch("/to/302", { redirect: "manual" });
  expect(manual).toMatchObject({ url: "http://localhost/to/302", redirected: false, status: 302 });
});

test("there is a limit, and another host is not gone to", async () => {
  const app = new TestClient(site);
  await expect(app.get("/loop", { followRedirects: 3 })).rejects.toThrow("more than 3 redirects");
  expect((await app.get("/away", { followRedirects: true })).location).toBe("https://example.org/");
});

test("fetch is that of the web", async () => {
  const { fetch } = new TestClient(site);
  const home = await fetch("/login");
  expect(home).toBeInstanceOf(Response);
  expect(await home.json()).toEqual({ id: "7" });
  const seen = await fetch(new Request("http://localhost/echo", { method: "POST", body: "a" }));
  expect(await seen.json()).toMatchObject({ method: "POST", body: "a" });
  expect((await fetch("/login", { redirect: "manual" })).status).toBe(302);
  await expect(fetch("/login", { redirect: "error" })).rejects.toThrow(TypeError);
  expect(await (await fetch("/echo", { method: "HEAD" })).text()).toBe("");
});
