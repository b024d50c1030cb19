import { describe, expect, test } from "bun:test";

import { echo, startHttp, text } from "../../support/server.ts";
import { Wire, get } from "../../support/wire.ts";
import type { HttpHandler } from "../../../src/spec/index.ts";

/** Answers with the credentials that it sees, and then spoils the list that it was given. */
const whoami: HttpHandler = async (scope, receive, send) => {
  const value = (name: string) => scope.headers.filter(([each]) => each === name).map(([, text]) => text);
  const seen = JSON.stringify([scope.path, value("authorization"), value("cookie"), value("x-api-key")]);
  for (const pair of scope.headers) pair[1] = "spoilt";
  scope.headers.push(["cookie", "of the application"]);
  await text(seen)(scope, receive, send);
};

describe("clients that repeat their heads", () => {
  const credentials: [string, (id: string) => string][] = [
    ["Cookie", (id) => `Cookie: sid=${id}`],
    ["Authorization", (id) => `Authorization: Bearer ${id}`],
    ["X-Api-Key", (id) => `X-Api-Key: ${id}`],
  ];
  test.each(credentials)("two with different credentials alternate: %s", async (_, fieldOf) => {
    await using server = await startHttp(whoami);
    await using alice = await Wire.open(server);
    await using bob = await Wire.open(server);
    await using nobody = await Wire.open(server);
    const bodies = new Map<Wire, Set<string>>([
      [alice, new Set()],
      [bob, new Set()],
      [nobody, new Set()],
    ]);
    for (let i = 0; i < 20; i++) {
      for (const [wire, head] of [
        [alice, get("/", fieldOf("alice"))],
        [bob, get("/", fieldOf("bobby"))],
        [nobody, get("/")],
      ] as const) {
        await wire.send(head);
        bodies.get(wire)?.add((await wire.response()).body);
      }
    }
    const said = [...bodies.values()].map((set) => [...set]);
    expect(said.map((set) => set.length)).toEqual([1, 1, 1]);
    expect(said[0]?.[0]).toContain("alice");
    expect(said[1]?.[0]).toContain("bobby");
    expect(said[2]?.[0]).toBe('["/",[],[],[]]');
  });

  test("a target that changes with each request, in one packet and in several", async () => {
    await using server = await startHttp(whoami);
    await using wire = await Wire.open(server);
    for (let round = 0; round < 5; round++) {
      const targets = Array.from({ length: 8 }, (_, i) => `/${round}/${i}`);
      await wire.send(targets.map((target) => get(target, "Cookie: a=b")).join(""));
      for (const target of targets)
        expect((await wire.response()).body).toBe(JSON.stringify([target, [], ["a=b"], []]));
      for (const target of targets) {
        await wire.send(get(target, "Cookie: a=b"));
        expect((await wire.response()).body).toBe(JSON.stringify([target, [], ["a=b"], []]));
      }
    }
  });

  test("two servers of one process keep their own limits", async () => {
    await using wide = await startHttp(text("wide"));
    await using narrow = await startHttp(text("narrow"), { maxHeaderCount: 3 });
    const head = get("/", "Accept: a", "User-Agent: b", "DNT: 1");
    for (let i = 0; i < 4; i++) {
      await using one = await Wire.open(wide);
      await one.send(head + head + head);
      for (let k = 0; k < 3; k++) expect((await one.response()).body).toBe("wide");
      await using other = await Wire.open(narrow);
      await other.send(head);
      expect((await other.response()).status).toBe(431);
    }
  });

  test("a body behind a head that was known without one", async () => {
    await using server = await startHttp(echo);
    await using wire = await Wire.open(server);
    for (let i = 0; i < 4; i++) {
      await wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
      expect((await wire.response()).status).toBe(200);
      await wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`);
      expect(JSON.parse((await wire.response()).body)).toMatchObject({ body: "abc" });
    }
  });
});
