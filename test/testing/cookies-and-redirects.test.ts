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
