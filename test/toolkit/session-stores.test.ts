import { afterAll, describe, expect, test } from "bun:test";
import { CompactEncrypt } from "jose";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionError } from "../../src/errors.ts";
import type { Clock, StoredSession, Store } from "../../src/toolkit/session.ts";
import { CookieStore, MemoryStore, sessions, SqliteStore } from "../../src/toolkit/session.ts";
import { StoppedClock, Visitor } from "../support/sessions.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const OTHER_SECRET = "fedcba9876543210fedcba9876543210";
const folder = mkdtempSync(join(tmpdir(), "pagi-server-sessions-"));
const opened: SqliteStore[] = [];
let files = 0;

async function openSqlite(now?: Clock, file = join(folder, `${++files}.sqlite`)): Promise<SqliteStore> {
  const store = await SqliteStore.open(file, { ...(now && { now }) });
  opened.push(store);
  return store;
}

afterAll(() => {
  for (const store of opened) store.close();
  rmSync(folder, { recursive: true });
});

interface Kind {
  readonly name: string;
  readonly open: (now: Clock) => Store | Promise<Store>;
  /** Whether the server knows which sessions there are. */
  readonly forgets: boolean;
}

const KINDS: readonly Kind[] = [
  { name: "MemoryStore", open: (now) => new MemoryStore({ now }), forgets: true },
  { name: "SqliteStore", open: (now) => openSqlite(now), forgets: true },
  { name: "CookieStore", open: (now) => new CookieStore({ secrets: [SECRET], now }), forgets: false },
];

function sessionAt(clock: StoppedClock, changes: Partial<StoredSession> = {}): StoredSession {
  const createdAt = clock.now();
  const json = JSON.stringify({ user: 7, text: 'ö"\\ \u2028🙂', list: [1.5, null, { a: true }] });
  return { id: "i".repeat(32), json, createdAt, expiresAt: createdAt + 60_000, ...changes };
}

describe.each(KINDS)("$name", ({ open, forgets }) => {
  test("gives back what was saved, by its token", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const session = sessionAt(clock);
    const token = (await store.save(session)) ?? "";
    expect(token === session.id).toBe(forgets);
    expect(store.isToken?.(token) ?? true).toBe(true);
    expect(await store.load(token)).toEqual(session);
    expect(await store.load("n".repeat(32))).toBeUndefined();
  });

  test("loads no session that has expired", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const token = (await store.save(sessionAt(clock))) ?? "";
    clock.advance(59.999);
    expect(await store.load(token)).toBeDefined();
    clock.advance(0.001);
    expect(await store.load(token)).toBeUndefined();
  });

  test("replaces a session that is there, with its own id or a new one", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const session = sessionAt(clock);
    const first = (await store.save(session)) ?? "";
    const changed = { ...session, json: '{"n":1}' };
    expect(await store.load((await store.save(changed, session.id)) ?? "")).toEqual(changed);
    const moved = { ...changed, id: "m".repeat(32) };
    expect(await store.load((await store.save(moved, session.id)) ?? "")).toEqual(moved);
    expect((await store.load(first)) === undefined).toBe(forgets);
  });

  test("prolongs a session", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const session = sessionAt(clock);
    await store.save(session);
    clock.advance(59);
    const longer = { ...session, expiresAt: clock.now() + 60_000 };
    const token = (await store.touch(longer)) ?? "";
    clock.advance(59);
    expect(await store.load(token)).toEqual(longer);
  });

  if (!forgets) return;

  test("prolonging does not take back what another request has written", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const session = sessionAt(clock);
    await store.save(session);
    await store.save({ ...session, json: "{}" }, session.id);
    await store.touch(session);
    expect((await store.load(session.id))?.json).toBe("{}");
  });

  test.each(["destroyed", "expired", "moved"])("writes nothing for a session that was %s", async (how) => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    const session = sessionAt(clock);
    await store.save(session);
    if (how === "destroyed") await store.destroy(session.id);
    if (how === "expired") clock.advance(60);
    if (how === "moved") await store.save({ ...session, id: "m".repeat(32) }, session.id);
    const later = { ...session, expiresAt: clock.now() + 60_000 };
    expect(await store.save(later, session.id)).toBeUndefined();
    expect(await store.save({ ...later, id: "o".repeat(32) }, session.id)).toBeUndefined();
    expect(await store.touch(later)).toBeUndefined();
    expect(await store.load(session.id)).toBeUndefined();
    expect(await store.load("o".repeat(32))).toBeUndefined();
    await store.destroy(session.id);
  });
});

describe.each([
  ["MemoryStore", async (now: Clock) => new MemoryStore({ now })],
  ["SqliteStore", (now: Clock) => openSqlite(now)],
] as const)("%s", (_name, open) => {
  test("sweeps what has expired when a session is saved a minute later", async () => {
    const clock = new StoppedClock();
    const store = await open(clock.now);
    for (const id of ["a", "b", "c"]) await store.save(sessionAt(clock, { id: id.repeat(32) }));
    await store.save(sessionAt(clock, { id: "l".repeat(32), expiresAt: clock.now() + 90_000 }));
    clock.advance(59);
    await store.save(sessionAt(clock, { id: "d".repeat(32) }));
    expect(store.size).toBe(5);
    clock.advance(1);
    await store.save(sessionAt(clock, { id: "e".repeat(32) }));
    expect(store.size).toBe(3);
    expect(await store.load("l".repeat(32))).toBeDefined();
  });
});

describe("MemoryStore", () => {
  test("when it is full, the session that was not used for the longest time goes", async () => {
    const clock = new StoppedClock();
    const store = new MemoryStore({ maxSessions: 2, now: clock.now });
    const [a, b, c] = ["a", "b", "c"].map((char) => sessionAt(clock, { id: char.repeat(32) }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three sessions");
    await store.save(a);
    await store.save(b);
    await store.load(a.id);
    await store.save(c);
    expect(store.size).toBe(2);
    expect([await store.load(a.id), await store.load(b.id), await store.load(c.id)]).toEqual([
      a,
      undefined,
      c,
    ]);
    store.clear();
    expect(store.size).toBe(0);
    expect(() => new MemoryStore({ maxSessions: 0 })).toThrow(OptionError);
  });
});

describe("SqliteStore", () => {
  test("the file is its owner's, and no id can be read in it", async () => {
    const clock = new StoppedClock();
    const file = join(folder, "owner.sqlite");
    const store = await openSqlite(clock.now, file);
    const session = sessionAt(clock, { id: "SECRET-ID-of-somebody-who-is-in.", json: '{"seen":"readable"}' });
    await store.save(session);
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
    const bytes = (await Bun.file(file).text()) + (await Bun.file(`${file}-wal`).text());
    expect(bytes).toContain("readable");
    expect(bytes).not.toContain("SECRET-ID");
  });

  test("sessions are there again after the file is opened anew, and not after it was closed", async () => {
    const clock = new StoppedClock();
    const file = join(folder, "again.sqlite");
    {
      using store = await SqliteStore.open(file, { now: clock.now });
      await store.save(sessionAt(clock));
    }
    const again = await SqliteStore.open(file, { now: clock.now });
    expect(await again.load("i".repeat(32))).toEqual(sessionAt(clock));
    again.close();
    await expect(again.load("i".repeat(32))).rejects.toThrow();
  });

  test("keeps no more than it may: those that would expire next go, a minute later", async () => {
    const clock = new StoppedClock();
    const store = await SqliteStore.open(join(folder, "full.sqlite"), { maxSessions: 2, now: clock.now });
    opened.push(store);
    const expiresIn = (id: string, seconds: number) =>
      sessionAt(clock, { id: id.repeat(32), expiresAt: clock.now() + seconds * 1000 });
    for (const [id, seconds] of [
      ["a", 300],
      ["b", 200],
      ["c", 400],
      ["d", 100],
    ] as const)
      await store.save(expiresIn(id, seconds));
    expect(store.size).toBe(4);
    clock.advance(60);
    await store.save(expiresIn("e", 60));
    expect(store.size).toBe(3);
    const loaded = await Promise.all(["a", "b", "c", "d", "e"].map((id) => store.load(id.repeat(32))));
    expect(loaded.map((session) => session !== undefined)).toEqual([true, false, true, false, true]);
    await expect(SqliteStore.open(":memory:", { maxSessions: 0 })).rejects.toThrow(OptionError);
  });

  test("a file that is no database, or cannot be made, is told when it is opened", async () => {
    const file = join(folder, "text.sqlite");
    await Bun.write(file, "this is no database, but text ".repeat(50));
    await expect(SqliteStore.open(file)).rejects.toThrow("not a database");
    await expect(SqliteStore.open(join(folder, "no/such/folder.sqlite"))).rejects.toThrow("ENOENT");
  });

  test("two stores on one file see each other's sessions", async () => {
    const file = join(folder, "two.sqlite");
    const clock = new StoppedClock();
    const [one, two] = [await openSqlite(clock.now, file), await openSqlite(clock.now, file)];
    await one.save(sessionAt(clock));
    expect(await two.load("i".repeat(32))).toEqual(sessionAt(clock));
    await two.destroy("i".repeat(32));
    expect(await one.save(sessionAt(clock), "i".repeat(32))).toBeUndefined();
  });
});

describe("CookieStore", () => {
  const clock = new StoppedClock();
  const store = new CookieStore({ secrets: [SECRET], now: clock.now });

  test("the cookie shows nothing of the session, and is another one each time", async () => {
    const token = await store.save(sessionAt(clock));
    expect(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).toBe(
      '{"alg":"dir","enc":"A256GCM"}',
    );
    const parts = token.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(parts.join()).not.toMatch(/user|iiii/);
    expect(await store.save(sessionAt(clock))).not.toBe(token);
  });

  test("whatever is changed in it, it is not taken", async () => {
    const token = await store.save(sessionAt(clock));
    for (let at = 0; at < token.length; at++) {
      // The first bits of a char count in every case; the last char of a part may have bits that mean nothing.
      const other = token[at] === "A" ? "Q" : token[at] === "." ? "A" : "A";
      const forged = token.slice(0, at) + other + token.slice(at + 1);
      if (forged === token) continue;
      const found = store.isToken(forged) ? await store.load(forged) : undefined;
      if (found !== undefined) throw new Error(`the char ${at} of ${token} does not matter`);
    }
    for (const cut of [1, 10, 30]) expect(await store.load(token.slice(0, -cut))).toBeUndefined();
    expect(await store.load(token)).toBeDefined();
  });

  test("what is no token is not decrypted", () => {
    for (const text of [
      "",
      "i".repeat(32),
      "a.b.c",
      "a.b.c.d.e",
      "a..c.d.e.f",
      "a..c.d.e\n",
      `a..c.${"d".repeat(4096)}.e`,
    ]) {
      expect(store.isToken(text)).toBe(false);
    }
    expect(store.isToken("a..c.d.e")).toBe(true);
  });

  test("other algorithms are not taken, even with a key that the attacker knows", async () => {
    const payload = new TextEncoder().encode(JSON.stringify({ ...sessionAt(clock), data: { admin: true } }));
    const key = crypto.getRandomValues(new Uint8Array(32));
    const wrapped = await new CompactEncrypt(payload)
      .setProtectedHeader({ alg: "A256KW", enc: "A256GCM" })
      .encrypt(key);
    const direct = await new CompactEncrypt(payload)
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(key);
    expect([await store.load(wrapped), await store.load(direct)]).toEqual([undefined, undefined]);
  });

  test("sessions of another purpose or secret are not taken", async () => {
    const token = await store.save(sessionAt(clock));
    const admin = new CookieStore({ secrets: [SECRET], purpose: "admin", now: clock.now });
    const other = new CookieStore({ secrets: [OTHER_SECRET], now: clock.now });
    expect([await admin.load(token), await other.load(token)]).toEqual([undefined, undefined]);
  });

  test("a secret is changed without ending sessions, which get the new one when they are used", async () => {
    const before = new Visitor(sessions({ store, now: clock.now }));
    await before.visit((session) => session.set("user", 7));
    const rotated = new CookieStore({ secrets: [OTHER_SECRET, SECRET], now: clock.now });
    const visitor = new Visitor(sessions({ store: rotated, now: clock.now }), { pagi_session: before.token });
    expect((await visitor.visit((session) => expect(session.get("user")).toBe(7))).cookies).toHaveLength(1);
    expect((await visitor.visit()).cookies).toEqual([]);
    const after = new CookieStore({ secrets: [OTHER_SECRET], now: clock.now });
    expect(await after.load(before.token)).toBeUndefined();
    expect((await after.load(visitor.token))?.json).toBe('{"user":7}');
  });

  test("the expiry is inside: keeping a cookie for longer is of no use", async () => {
    const visitor = new Visitor(sessions({ store, now: clock.now, idleTimeout: 100 }));
    await visitor.visit((session) => session.set("user", 7));
    clock.advance(100);
    await visitor.visit((session) => expect(session.isNew()).toBe(true));
  });

  test("each change, regenerate and destroy reach the client", async () => {
    const visitor = new Visitor(sessions({ store, now: clock.now }));
    await visitor.visit((session) => session.set("n", 1));
    await visitor.visit((session) => session.set("n", 2));
    let id = "";
    await visitor.visit((session) => {
      expect(session.get("n")).toBe(2);
      id = session.regenerate().id;
    });
    await visitor.visit((session) => expect([session.id, session.get("n")]).toEqual([id, 2]));
    await visitor.visit((session) => session.destroy());
    await visitor.visit((session) => expect(session.isNew()).toBe(true));
  });

  test("secrets that could be guessed are refused", () => {
    expect(() => new CookieStore({ secrets: ["short"] })).toThrow("32 chars");
    expect(() => new CookieStore({ secrets: [SECRET, ""] })).toThrow(TypeError);
    // @ts-expect-error: at least one
    expect(() => new CookieStore({ secrets: [] })).toThrow(TypeError);
  });
});
