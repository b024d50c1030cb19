import { expect, test } from "bun:test";
import { z } from "zod";
import { TestClient } from "../../testing/testing.ts";
import { nestedValues } from "../../src/toolkit/simple/nested-values.ts";
import { Simple } from "../../src/toolkit/simple.ts";

const nested = (query: string) => nestedValues(new URLSearchParams(query));

test.each<[string, unknown]>([
  ["a=1&b=2", { a: "1", b: "2" }],
  ["user[name]=Ada&user[address][city]=London", { user: { name: "Ada", address: { city: "London" } } }],
  ["user.name=Ada&user.address.city=London", { user: { name: "Ada", address: { city: "London" } } }],
  ["items[0].name=a&items[0][n]=1&items[1].name=b", { items: [{ name: "a", n: "1" }, { name: "b" }] }],
  ["tags[]=a&tags[]=b", { tags: ["a", "b"] }],
  ["tags[]=a", { tags: ["a"] }],
  ["tags=a&tags=b", { tags: ["a", "b"] }],
  ["x[7]=c&x[999999999]=d&x[0]=a", { x: ["a", "c", "d"] }],
  ["x[1]=b&x[]=c&x[]=d", { x: ["b", "c", "d"] }],
  ["x[0]=a&x[b]=c", { x: { 0: "a", b: "c" } }],
  [
    "a]b=1&[c]=2&d[=3&e[f]g=4&.h=5&i..j=6",
    { "a]b": "1", "[c]": "2", "d[": "3", "e[f]g": "4", ".h": "5", "i..j": "6" },
  ],
  ["", {}],
])("%s", (query, expected) => {
  expect(nested(query)).toEqual(expected as ReturnType<typeof nested>);
});

test("names of the language are names like any other", () => {
  const made = nested("__proto__[admin]=1&constructor[prototype][x]=2&a[__proto__][b]=3");
  expect(Object.keys(made)).toEqual(["__proto__", "constructor", "a"]);
  expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);
  expect(JSON.stringify(made)).toBe(
    '{"__proto__":{"admin":"1"},"constructor":{"prototype":{"x":"2"}},"a":{"__proto__":{"b":"3"}}}',
  );
});

test("what contradicts itself, and what is too deep, is refused", () => {
  expect(() => nested("a=1&a[b]=2")).toThrow('"a" is a value, and has names below it');
  expect(() => nested(`a${"[b]".repeat(20)}=1`)).toThrow("more than 16 levels");
});

test("a name has at most 1000 chars, so that looking at one takes no time", () => {
  const named = (name: string) => () => nestedValues([[name, 1]]);
  expect(named("n".repeat(1000))()).toEqual({ ["n".repeat(1000)]: 1 });
  for (const name of ["n".repeat(1001), `a${"[]".repeat(300_000)}x`, `a${"[a]".repeat(300_000)}`])
    expect(named(name)).toThrow("more than 1000 chars");
});

test("a schema says what is permitted: a form, JSON, a namespace", async () => {
  const Order = z.object({
    name: z.string(),
    items: z.array(z.object({ product: z.string(), quantity: z.coerce.number().int() })).max(10),
  });
  const app = new Simple()
    .post("/orders", async (c) => c.validateNested(Order))
    .post("/named", async (c) => c.validateNested(Order, { namespace: "order" }));
  const client = new TestClient(app);
  const form = {
    name: "Ada",
    "items[0].product": "Widget",
    "items[0].quantity": 5,
    "items[1].product": "x",
    "items[1].quantity": "2",
    admin: 1,
  };
  const expected = {
    name: "Ada",
    items: [
      { product: "Widget", quantity: 5 },
      { product: "x", quantity: 2 },
    ],
  };
  expect(await (await client.post("/orders", { form })).json()).toEqual(expected);
  expect(await (await client.post("/orders", { json: expected })).json()).toEqual(expected);
  const named = Object.fromEntries(Object.entries(form).map(([name, value]) => [`order.${name}`, value]));
  expect(await (await client.post("/named", { form: { ...named, other: 1 } })).json()).toEqual(expected);
  const refused = await client.post("/orders", { form: { ...form, "items[1].quantity": "many" } });
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { errors: [{ pointer: "/items/1/quantity" }] },
  ]);
  expect((await client.post("/named", { form })).status).toBe(422);
  expect((await client.post("/orders", { form: { name: 1, "name[x]": 2 } })).status).toBe(400);
  expect(
    (await client.post("/orders", { body: "text", headers: { "content-type": "text/plain" } })).status,
  ).toBe(415);
});
