import { describe, expect, test } from "bun:test";
import { RouteError } from "../../src/errors.ts";
import { constraintOf } from "../../src/toolkit/router/constraint.ts";
import { LazyAutomaton } from "../../src/toolkit/router/lazy-automaton.ts";
import { LinearExpression } from "../../src/toolkit/router/linear-expression.ts";
import { compileProgram } from "../../src/toolkit/router/linear-program.ts";
import { Router } from "../../src/toolkit/router.ts";
import { ask, says } from "../support/routing.ts";

/** Milliseconds; far above what they take, and far below what trying one way after another takes. */
const SOON = 1000;

/** The same numbers each time: a xorshift generator. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe("no expression is slow", () => {
  const long = "a".repeat(1000);
  const digits = "1".repeat(1000);
  test.each([
    ["(a+)+", `${long.slice(1)}!`],
    ["(a*)*", `${long.slice(1)}!`],
    ["(a|a)*", `${long.slice(1)}!`],
    ["(a|aa)+", `${long.slice(1)}!`],
    ["(?:a?){300}a{300}b", long],
    ["(?:a|b|ab)*c", "ab".repeat(500)],
    ["\\d+\\d+\\d+", `${digits.slice(1)}!`],
    ["\\d*\\d*\\d*\\d*\\d*x", digits],
    [".*.*.*=.*", long],
    ["(.*)*x", long],
    ["(?:.*a){12}", `${"a".repeat(11)}${"b".repeat(989)}`],
    ["([a-zA-Z]+)*", `${long.slice(1)}1`],
    ["(a|a?)+", `${long.slice(1)}!`],
    ["(\\w|_)+!", "_".repeat(1000)],
    ["([\\w.]+)+@x", `${long}`],
    ["(x+x+)+y", "x".repeat(1000)],
    ["(?=(a+)+b)a*", long],
    ["(?!(a+)+b)a*c", long],
    ["(?:(?=.*a)(?=.*b).)*", long],
    ["(?:a(?=.*(?:a|aa)+$))*b", long],
    ["a*(?<=(a+)+b)", long],
    ["(?:\\b|a)*x", long],
    ["((((a+)+)+)+)+", `${long.slice(1)}!`],
    ["[^]*[^]*[^]*[^]*x", "é".repeat(1000)],
  ])("{x:%s}", async (source, value) => {
    const router = new Router().get(`/{x:${source}}`, says("it")).get("/:x", says("other"));
    expect((await ask(router, "GET", "/a")).status).toBe(200);
    const started = performance.now();
    expect((await ask(router, "GET", `/${encodeURIComponent(value)}`)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(SOON);
  });

  test("nor does it keep what clients have sent", () => {
    // It has 2^18 places, so that nearly every char leads to one that was never seen.
    const automaton = new LazyAutomaton(compileProgram("(?:a|b)*a(?:a|b){17}", ""));
    const random = randomNumbers(1);
    let most = 0;
    let forgot = false;
    for (let count = 0; count < 5; count++) {
      const text = Array.from({ length: 1000 }, () => "ab"[random(2)]).join("");
      const before = automaton.kept;
      expect(automaton.test(text)).toBe(text.at(-18) === "a");
      most = Math.max(most, automaton.kept);
      forgot ||= automaton.kept < before;
    }
    expect([most < 21_000, forgot]).toEqual([true, true]);
  });

  test("not in constraints() either, nor over a value of any length", async () => {
    const router = new Router({ maxConstrainedLength: 1_000_000 })
      .get("/:x", says("it"))
      .constraints({ x: /^(a+)+$/i });
    const started = performance.now();
    expect((await ask(router, "GET", `/${"A".repeat(20_000)}`)).status).toBe(200);
    expect((await ask(router, "GET", `/${"A".repeat(20_000)}!`)).status).toBe(404);
    expect(performance.now() - started).toBeLessThan(SOON);
  });

  test.each([
    ["(a)\\1", /cannot be checked in linear time: the back-reference \\1/],
    ["(?<n>a)\\k<n>", /back-reference/],
    ["(?:a{1,99}b){1,99}", /more than 1000 steps/],
    ["((a{1000}){1000}){1000}", /more than 1000 steps/],
  ])("%s is refused when it is written down", (source, message) => {
    expect(() => new Router().get(`/{x:${source}}`, says("it"))).toThrow(RouteError);
    expect(() => new Router().get(`/{x:${source}}`, says("it"))).toThrow(message);
    expect(() => new Router().get("/:x", says("it")).constraints({ x: new RegExp(source) })).toThrow(message);
  });

  test("chars that are several are refused", () => {
    expect(() => constraintOf("x", /[\q{abc|d}]+x+/v)).toThrow("may match several chars");
    expect(() => constraintOf("x", /\p{RGI_Emoji}+x+/v)).toThrow("may match several chars");
  });

  test("repeating nothing takes no time", () => {
    expect(new LinearExpression("(?:){999999999}a(?:(?:){5,})*(?:b{0}){9999999}", "").test("a")).toBe(true);
  });
});

describe("it means what it means to the runtime", () => {
  const SOURCES = [
    "", "a", "a|b|", "(?:a|b)*c?", "a{2}", "a{2,}", "a{1,3}b", "a+?b", "(?:ab)+", "[a-c]+[^b]", ".", ".*\\n", "[^]",
    "\\d+-\\w+", "\\S\\s\\S", "(?=a)\\w+", "(?!ab)\\w+", "\\w+(?<=b)", "\\w+(?<!b)", "(?=.*b)(?!.*c).*", "(?:(?=ab)a|b)+",
    "^a$", "^a|b$", "(?:^a|b)+", "a$|b", "(?:a$)+", "\\ba+\\b", "a\\Bb", "\\B", "(?:\\b.)+", "(a(?!b)|b(?=a))*", "\\u0061+b*",
    "(?<!^)a|^b", "(?<=^|a)b+", "(?<n>a)(?:b)", "\\x61[\\]\\-a]*", "(?:a|(?=b))b", "(?:(?=a)|b)*a", "\\/|\\.", "((a)|b)+",
    "a(?=b(?!c))b?c?", "(?:a(?<=(?<!b)a)b?)+", "é+|ſ|K", "[\\u{61}]", "\\t|\\cA|\\0", "(?:)", "(?:a?)*", "a**".slice(0, 2),
  ]; // prettier-ignore
  const FLAGS = ["", "u", "i", "iu", "s", "su", "v", "iv"];
  const ALPHABET = [
    "a",
    "b",
    "c",
    "A",
    "1",
    "-",
    " ",
    "\n",
    "é",
    "ſ",
    "K",
    "k",
    "S",
    "😀",
    "/",
    "\t",
    "\x01",
  ];

  const random = randomNumbers(7);
  const texts = ["", ...ALPHABET];
  for (let count = 0; count < 200; count++) {
    texts.push(Array.from({ length: 1 + random(6) }, () => ALPHABET[random(count < 100 ? 3 : 17)]).join(""));
  }

  function agrees(source: string, flags: string): void {
    let native: RegExp;
    try {
      native = new RegExp(`^(?:${source})$`, flags);
    } catch {
      return;
    }
    const linear = new LinearExpression(source, flags);
    const constraint = constraintOf("x", new RegExp(source, flags));
    const differing = texts.filter((text) => {
      const expected = native.test(text);
      return linear.test(text) !== expected || constraint.test(text) !== expected;
    });
    expect([source, flags, differing]).toEqual([source, flags, []]);
  }

  test.each(SOURCES)("%s", (source) => {
    for (const flags of FLAGS) agrees(source, flags);
  });

  test("modifiers", () => {
    for (const source of [
      "(?i:a)b+",
      "(?i:a(?-i:b))+c?",
      "(?s:.)(?-s:.)",
      "(?m:^b$|.)*\\n?",
      "(?:a\\n)?(?m:^b)",
    ]) {
      agrees(source, "");
      agrees(source, "iu");
    }
  });

  test("whatever the expression", () => {
    const atoms = ["a", "b", "[ab]", "[^a]", ".", "\\w", "\\b", "^", "$", "é", "\\n"];
    const expression = (depth: number): string => {
      switch (random(depth > 3 ? 2 : 9)) {
        case 0:
        case 1:
          return atoms[random(atoms.length)] ?? "a";
        case 2:
          return `(?:${expression(depth + 1)}|${expression(depth + 1)})`;
        case 3:
          return `(?:${expression(depth + 1)})${["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"][random(7)]}`;
        case 4:
          return `(${["?=", "?!", "?<=", "?<!"][random(4)]}${expression(depth + 1)})`;
        default:
          return expression(depth + 1) + expression(depth + 1);
      }
    };
    for (let count = 0; count < 200; count++) agrees(expression(0), FLAGS[random(6)] ?? "");
  }, 30_000);
});
