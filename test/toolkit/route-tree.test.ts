import { describe, expect, test } from "bun:test";
import { accepts, matchSegment, parsePattern, pathOf } from "../../src/toolkit/router/route-pattern.ts";
import { RouteTree } from "../../src/toolkit/router/route-tree.ts";

/** Numbers below `limit`, the same in each run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Segments of random patterns: what each is to a regular expression, and its rank among the others of its place. */
const SEGMENTS = [
  { pattern: "a", expression: "a", rank: 0 },
  { pattern: "b", expression: "b", rank: 0 },
  { pattern: "12", expression: "12", rank: 0 },
  { pattern: ":?.js", expression: "([^/]+)\\.js", rank: 1 },
  { pattern: "a-{?}", expression: "a-([^/]+)", rank: 2 },
  { pattern: "{?:[\\d]+}", expression: "([\\d]+)", rank: 3 },
  { pattern: ":?", expression: "([^/]+)", rank: 4 },
] as const;
const WILDCARDS = [
  { pattern: "a*?", expression: "a(.+)", rank: 5 },
  { pattern: "*?", expression: "(.+)", rank: 6 },
] as const;
const TEXTS = ["a", "b", "12", "7", "x.js", ".js", "a-", "a-1", "a-x.js", "", "é", "ab", "a.b-c"];

interface Naive {
  readonly text: string;
  readonly expression: RegExp;
  readonly ranks: readonly number[];
}

/** The most specific of all patterns that match, found by trying every one. */
function naiveMatches(patterns: readonly Naive[], path: string): { text: string; values: string[] }[] {
  return patterns
    .flatMap(({ text, expression, ranks }) => {
      const match = expression.exec(path);
      return match === null ? [] : [{ text, values: match.slice(1), ranks }];
    })
    .sort((one, other) => {
      const at = one.ranks.findIndex((rank, index) => rank !== other.ranks[index]);
      return (one.ranks[at] ?? 0) - (other.ranks[at] ?? 0);
    })
    .map(({ text, values }) => ({ text, values }));
}

function randomPattern(next: (limit: number) => number): Naive {
  const wildcard = next(4) === 0 ? WILDCARDS[next(WILDCARDS.length)] : undefined;
  const segments = Array.from({ length: 1 + next(4) }, () => SEGMENTS[next(SEGMENTS.length)] ?? SEGMENTS[0]);
  const parts = wildcard === undefined ? segments : [...segments, wildcard];
  return {
    text: parts.map(({ pattern }, index) => `/${pattern.replace("?", `p${index}`)}`).join(""),
    expression: new RegExp(`^${parts.map(({ expression }) => `/${expression}`).join("")}$`, "u"),
    ranks: parts.map(({ rank }) => rank),
  };
}

test("finds what a matcher finds that tries every pattern, and in the same order", () => {
  const next = numbers(20);
  let found = 0;
  for (let round = 0; round < 150; round++) {
    const patterns = new Map<string, Naive>();
    for (let count = 1 + next(30); count > 0; count--) {
      const pattern = randomPattern(next);
      patterns.set(pattern.text, pattern);
    }
    const tree = new RouteTree<string>(1000);
    for (const text of patterns.keys()) tree.placeOf(parsePattern(text), () => text);
    for (let count = 0; count < 60; count++) {
      const segments = Array.from({ length: 1 + next(5) }, () => TEXTS[next(TEXTS.length)] ?? "");
      const seen: { text: string; values: string[] }[] = [];
      tree.match(segments, (text, values) => seen.push({ text, values: [...values] }) === 0);
      const expected = naiveMatches([...patterns.values()], `/${segments.join("/")}`);
      expect(seen).toEqual(expected);
      found += seen.length;
    }
  }
  expect(found).toBeGreaterThan(2000);
});

test("the path of a pattern and its values leads back to them", () => {
  const next = numbers(7);
  const values = ["a", "é/ü", "x y", "%2F", "1.js", "?#", "a-b", "🙂"];
  for (let round = 0; round < 500; round++) {
    const pattern = parsePattern(randomPattern(next).text);
    const given = Object.fromEntries(
      pattern.names.map((name) => [name, values[next(values.length)] ?? ""] as const),
    );
    const numeric = Object.fromEntries(pattern.names.map((name) => [name, next(1000)] as const));
    const chosen = pattern.text.includes("[\\d]") ? numeric : given;
    const segments = pathOf(pattern, chosen).slice(1).split("/").map(decodeURIComponent);
    const tree = new RouteTree<string>(1000);
    tree.placeOf(pattern, () => "it");
    const seen: string[][] = [];
    tree.match(segments, (_place, found) => seen.push([...found]) === 0);
    expect(seen).toEqual([pattern.names.map((name) => String(chosen[name]))]);
  }
});

describe("what a match costs", () => {
  const steps = (tree: RouteTree<number>, path: string): number => {
    const before = tree.steps;
    tree.match(path.slice(1).split("/"), () => true);
    return tree.steps - before;
  };
  const treeOf = (patterns: readonly string[]): RouteTree<number> => {
    const tree = new RouteTree<number>(1000);
    for (const [index, text] of patterns.entries()) tree.placeOf(parsePattern(text), () => index);
    return tree;
  };

  test("does not grow with the number of routes", () => {
    const routes = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        `/section${index}/:id`,
        `/section${index}/:id/items/{item:\\d+}`,
        `/section${index}/*rest`,
        `/shared/part${index}/x`,
      ]).flat();
    const [small, large] = [treeOf(routes(5)), treeOf(routes(2000))];
    for (const path of [
      "/section3/1",
      "/section3/1/items/2",
      "/section3/1/2/3",
      "/shared/part4/x",
      "/nothing",
    ]) {
      expect(steps(large, path)).toBe(steps(small, path));
      expect(steps(large, path)).toBeLessThanOrEqual(8);
    }
  });

  test("does not grow with the length of a path beyond the tree", () => {
    const tree = treeOf(["/:a/:b/:c", "/x/:b/y", "/:a/z"]);
    expect(steps(tree, `/x/z${"/x".repeat(5000)}`)).toBeLessThanOrEqual(12);
  });

  test("is bounded by the nodes of the tree when every way has to be gone", () => {
    // Every node has a literal and a parameter, so that a path has 2^10 ways; each node is entered once.
    const ways = Array.from({ length: 1024 }, (_, bits) =>
      Array.from({ length: 10 }, (_, bit) => ((bits >> bit) & 1 ? "/a" : `/:p${bit}`)).join(""),
    );
    const tree = treeOf(ways);
    expect(steps(tree, `${"/a".repeat(9)}/b/c`)).toBeLessThanOrEqual(3 * 2 ** 11);
  });

  test("a segment of many parameters is matched without going back", () => {
    const pattern = parsePattern("/:a-:b-:c-:d-:e-:f-:g-:h!");
    const [segment] = pattern.segments;
    if (segment?.kind !== "parameters") throw new Error("no parameters");
    const values: string[] = [];
    // A backtracking expression would take some 10^20 steps to find that there is no "!" at the end.
    expect(matchSegment(segment, "-".repeat(8000), 1000, values)).toBe(false);
    expect(matchSegment(segment, `${"x-".repeat(4000)}x!`, 1000, [])).toBe(true);
    expect(matchSegment(segment, `${"-".repeat(8000)}!`, 1000, [])).toBe(true);
  });

  test("a constraint never sees a long value", () => {
    const [segment] = parsePattern("/{a:x*x*x*x*y}").segments;
    if (segment?.kind !== "parameters") throw new Error("no parameters");
    const [parameter] = segment.parameters;
    if (parameter === undefined) throw new Error("no parameter");
    expect(accepts(parameter, "x".repeat(100_000), 100)).toBe(false);
    expect(accepts(parameter, `${"x".repeat(90)}y`, 100)).toBe(true);
  });
});
