import { describe, expect, test } from "bun:test";
import { HeadCache, HeadMemory, LONGEST_HEAD, MAX_OWN_BYTES } from "../../src/http1/head-cache.ts";
import { RequestReader } from "../../src/http1/request-reader.ts";
import type { Http1Request } from "../../src/http1/request-reader.ts";
import { LIMITS } from "../support/http1-rows.ts";

/** A connection, and how it recognised its last head. */
class Client {
  readonly memory: HeadMemory;
  readonly #reader: RequestReader;

  constructor(cache: HeadCache) {
    this.memory = new HeadMemory(cache);
    this.#reader = new RequestReader(cache.limits);
    this.#reader.serve(this.memory);
  }

  /** Reads requests without a body; returns the last. */
  read(...chunks: readonly string[]): Http1Request {
    let last: Http1Request | undefined;
    for (const chunk of chunks) {
      this.#reader.receive(Buffer.from(chunk, "latin1"));
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
        if (event.type === "request") last = event;
        if (this.#reader.state === "complete") this.#reader.nextRequest();
      }
    }
    if (last === undefined) throw new Error("no request");
    return last;
  }

  /** Whether all of `head`, or only its fields, or nothing of it would be recognised. */
  knows(head: string): "head" | "fields" | "nothing" {
    const bytes = Buffer.from(head, "latin1");
    if (this.memory.findHead(bytes, 0) !== undefined) return "head";
    const fields = this.memory.findFields(bytes, head.indexOf("\r\n") + 2);
    return fields === undefined ? "nothing" : "fields";
  }
}

function headOf(line: string, ...fields: string[]): string {
  return [line, "Host: a.example", ...fields, "", ""].join("\r\n");
}

/** Long enough to be looked up without its request line. */
const AGENT = `User-Agent: Mozilla/5.0 ${"x".repeat(60)}`;
const PLAIN = headOf("GET / HTTP/1.1", AGENT, "Accept: */*");

interface Row {
  name: string;
  head: string;
  /** What the connection that has sent it twice recognises, and what another one does. */
  own: "head" | "fields" | "nothing";
  other: "head" | "fields" | "nothing";
}

const rows: Row[] = [
  { name: "a head that says nothing of its client", head: PLAIN, own: "head", other: "head" },
  {
    name: "Content-Length: 0",
    head: headOf("DELETE / HTTP/1.1", "Content-Length: 0"),
    own: "head",
    other: "head",
  },
  { name: "a query", head: headOf("GET /?token=x HTTP/1.1", AGENT), own: "head", other: "fields" },
  { name: "HTTP/1.0", head: headOf("GET / HTTP/1.0"), own: "nothing", other: "nothing" },
  { name: "an absolute target", head: headOf("GET http://b/ HTTP/1.1"), own: "nothing", other: "nothing" },
  {
    name: "the longest head",
    head: headOf("GET / HTTP/1.1", `Accept: ${"x".repeat(LONGEST_HEAD - 45)}`),
    own: "head",
    other: "head",
  },
  {
    name: "a longer head",
    head: headOf("GET / HTTP/1.1", `Accept: ${"x".repeat(LONGEST_HEAD - 44)}`),
    own: "nothing",
    other: "nothing",
  },
  {
    name: "a long request line",
    head: headOf(`GET /${"x".repeat(300)} HTTP/1.1`),
    own: "nothing",
    other: "nothing",
  },
  ...[
    "Authorization",
    "Cookie",
    "PROXY-AUTHORIZATION",
    "X-Api-Key",
    "X-Forwarded-For",
    "Referer",
    "X-New",
  ].map((name): Row => ({
    name,
    head: headOf("GET / HTTP/1.1", `${name}: secret`),
    own: "head",
    other: "nothing",
  })),
];

describe("a head that has come twice", () => {
  test.each(rows)("$name", ({ head, own, other }) => {
    const cache = new HeadCache(LIMITS);
    const client = new Client(cache);
    const first = client.read(head);
    expect(client.knows(head)).toBe("nothing");
    client.read(head);
    expect(client.knows(head)).toBe(own);
    expect(client.read(head)).toEqual(first);
    expect(new Client(cache).knows(head)).toBe(other);
    // Not where it is served under other limits.
    expect(new Client(new HeadCache({ ...LIMITS })).knows(head)).toBe("nothing");
  });

  test("the longest head is as long as its row says", () => {
    const lengths = rows.map(({ head }) => head.length);
    expect(lengths).toContain(LONGEST_HEAD);
    expect(lengths).toContain(LONGEST_HEAD + 1);
  });
});

describe("recognition", () => {
  test("of the fields alone, behind any target", () => {
    const client = new Client(new HeadCache(LIMITS));
    client.read(PLAIN, PLAIN);
    const elsewhere = PLAIN.replace("GET /", "PUT /else/where?x=y");
    expect(client.knows(elsewhere)).toBe("fields");
    expect(client.read(elsewhere)).toMatchObject({
      method: "PUT",
      rawPath: "/else/where",
      queryString: "x=y",
    });
    expect(client.knows(PLAIN)).toBe("head");
  });

  test("of credentials, behind any target, by their own connection", () => {
    const client = new Client(new HeadCache(LIMITS));
    const head = headOf("GET /a HTTP/1.1", AGENT, "Cookie: sid=1");
    client.read(head, head);
    expect(client.knows(head.replace("/a", "/b?c"))).toBe("fields");
    expect(client.knows(head.replace("sid=1", "sid=2"))).toBe("nothing");
  });

  test("in front of other bytes", () => {
    const client = new Client(new HeadCache(LIMITS));
    client.read(PLAIN, PLAIN);
    expect(client.knows(`${PLAIN}GET / HT`)).toBe("head");
    expect(client.read(PLAIN + PLAIN + headOf("GET /last HTTP/1.1")).rawPath).toBe("/last");
  });

  test("not of a head in two pieces, which is read as it comes", () => {
    const client = new Client(new HeadCache(LIMITS));
    client.read(PLAIN, PLAIN);
    for (let at = 1; at < PLAIN.length; at++)
      expect(client.read(PLAIN.slice(0, at), PLAIN.slice(at))).toEqual(client.read(PLAIN));
  });

  test("not of a head with a body, whose framing has to be read", () => {
    const client = new Client(new HeadCache(LIMITS));
    const post = headOf("POST / HTTP/1.1", "Content-Length: 1");
    client.read(`${post}x`, `${post}x`, `${post}x`);
    expect(client.knows(post)).toBe("nothing");
  });

  test("gives each request a list and pairs of its own", () => {
    const client = new Client(new HeadCache(LIMITS));
    client.read(PLAIN, PLAIN);
    const first = client.read(PLAIN);
    const wanted = structuredClone(first);
    first.headers[0]![1] = "changed";
    first.headers.push(["x", "y"]);
    expect(client.read(PLAIN)).toEqual(wanted);
    expect(client.read(PLAIN.replace("/", "/b")).headers).toEqual(wanted.headers);
  });
});

describe("bounds", () => {
  test("a connection has one head of its own, and forgets it at its end", () => {
    const cache = new HeadCache(LIMITS);
    const client = new Client(cache);
    const heads = ["1", "2"].map((sid) => headOf("GET / HTTP/1.1", `Cookie: sid=${sid}`));
    for (const head of heads) client.read(head, head);
    expect(heads.map((head) => client.knows(head))).toEqual(["nothing", "head"]);
    expect(cache.ownBytes).toBe(heads[1]!.length);
    client.memory.forget();
    expect(client.knows(heads[1]!)).toBe("nothing");
    expect(cache.ownBytes).toBe(0);
  });

  test("connections together have so many bytes of their own, and no more", () => {
    const cache = new HeadCache(LIMITS);
    const head = headOf("GET / HTTP/1.1", `Cookie: ${"x".repeat(2000)}`);
    const clients = Array.from({ length: Math.floor(MAX_OWN_BYTES / head.length) }, () => new Client(cache));
    for (const client of clients) client.read(head, head);
    expect(cache.ownBytes).toBe(clients.length * head.length);
    const late = new Client(cache);
    late.read(head, head);
    expect(late.knows(head)).toBe("nothing");
    clients[0]?.memory.forget();
    late.read(head);
    expect(late.knows(head)).toBe("head");
    expect(cache.ownBytes).toBeLessThanOrEqual(MAX_OWN_BYTES);
  });

  test("heads that come only once are not remembered, however many come", () => {
    const cache = new HeadCache(LIMITS);
    const client = new Client(cache);
    for (let i = 0; i < 5000; i++) client.read(headOf(`GET /${i} HTTP/1.1`, `Accept: ${i}`));
    const known = Array.from({ length: 512 }, (_, slot) => cache.heads.get(slot)).filter(Boolean);
    expect(known).toEqual([]);
  });

  test("a reader refuses heads of other limits, and another connection in the middle of a request", () => {
    const reader = new RequestReader(LIMITS);
    expect(() => reader.serve(new HeadMemory(new HeadCache({ ...LIMITS })))).toThrow(/other limits/);
    reader.receive(Buffer.from("GET"));
    expect(() => reader.serve(new HeadMemory(new HeadCache(LIMITS)))).toThrow(/another connection|middle/);
  });
});
