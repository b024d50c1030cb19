import { describe, expect, test } from "bun:test";
import {
  belowMount,
  decodePath,
  endsWithSlash,
  mountPathOf,
  otherSlash,
  pathSegments,
  rawPathBelow,
  type PathKeys,
} from "../../src/spec/request-path.ts";

/** The keys as a server makes them, with the first segments cut off by mounts, one after another. */
function scopeOf(raw_path: string, cuts: readonly number[] = [], root_path = ""): Required<PathKeys> {
  let scope = { raw_path, path: decodePath(raw_path), root_path };
  for (const length of cuts) {
    const segments = pathSegments(scope.path, scope.raw_path) ?? [];
    scope = { ...scope, ...belowMount(scope, segments, length) };
  }
  return scope;
}

describe("what mounts leave of a path", () => {
  test.each<[raw: string, cuts: number[], root: string, path: string, left: string, mountPath: string]>([
    ["/a/b", [], "", "/a/b", "/a/b", ""],
    ["/a/b", [1], "", "/b", "/b", "/a"],
    ["/a/b/c", [1, 1], "", "/c", "/c", "/a/b"],
    ["/a", [1], "", "/", "", "/a"],
    ["/a/", [1], "", "/", "/", "/a"],
    ["/a/a/a", [1], "", "/a/a", "/a/a", "/a"],
    ["/a%2Fb/c", [1], "", "/c", "/c", "/a%2Fb"],
    ["/a%2fb/c%2Fd", [1], "", "/c/d", "/c%2Fd", "/a%2fb"],
    ["/a%252Fb/c", [1], "", "/c", "/c", "/a%252Fb"],
    ["/100%25/x%25", [1], "", "/x%", "/x%25", "/100%25"],
    ["/caf%C3%A9/%E2%82%AC", [1], "", "/€", "/%E2%82%AC", "/caf%C3%A9"],
    ["/%E9/%FF", [1], "", "/\xff", "/%FF", "/%E9"],
    ["/a/b", [1], "/outer", "/b", "/b", "/outer/a"],
    ["/a%2Fb/b", [1], "/ou ter/é", "/b", "/b", "/ou%20ter/%C3%A9/a%2Fb"],
    ["/a/b", [], "/outer", "/a/b", "/a/b", "/outer"],
    ["/outer/b", [], "/outer", "/outer/b", "/outer/b", "/outer"],
    ["/%2Fevil.example/x", [1], "", "/x", "/x", "/%2Fevil.example"],
    ["/%5Cevil.example/x", [1], "", "/x", "/x", "/%5Cevil.example"],
    ["/\\evil.example/x", [1], "", "/x", "/x", "/%5Cevil.example"],
    ["/%09/evil.example/x", [2], "", "/x", "/x", "/%09/evil.example"],
    ["/a/b", [1], "/outer/", "/b", "/b", "/outer/a"],
    ["//evil.example/x", [2], "", "/x", "/x", "/.//evil.example"],
    ["/x", [], "//evil.example", "/x", "/x", "/.//evil.example"],
    ["/x", [], "/\\evil.example", "/x", "/x", "/%5Cevil.example"],
    ["/x", [], "/", "/x", "/x", ""],
  ])("%s below %j of '%s' is %s, as sent '%s', mounted at '%s'", (raw, cuts, root, path, left, mountPath) => {
    const scope = scopeOf(raw, cuts, root);
    expect([scope.path, rawPathBelow(scope), mountPathOf(scope)]).toEqual([path, left, mountPath]);
    expect(scope.raw_path).toBe(raw);
    expect(new URL(`${mountPathOf(scope)}/x`, "http://here.example/").host).toBe("here.example");
  });

  test.each([
    [
      "as PAGI-Tools does it, decoded",
      { raw_path: "/a%2Fb/c", path: "/c", root_path: "/a/b" },
      "/c",
      "/a%2Fb",
    ],
    ["without raw_path", { path: "/c d", root_path: "/a b" }, "/c%20d", "/a%20b"],
    ["without raw_path, a slash in a value", { path: "/c", root_path: "/a%2Fb" }, "/c", "/a%2Fb"],
    [
      "with a path that was changed alone",
      { raw_path: "/a/b", path: "/other", root_path: "/a" },
      "/other",
      "/a",
    ],
    ["with a path changed to a slash", { raw_path: "/b", path: "/", root_path: "/a" }, "/", "/a"],
    ["changed alone, without a mount", { raw_path: "/a%20b", path: "/c d", root_path: "" }, "/a%20b", ""],
    ["of another shape", { raw_path: "*", path: "*", root_path: "" }, "*", ""],
  ])("%s", (_what, scope, left, mountPath) => {
    expect([rawPathBelow(scope), mountPathOf(scope)]).toEqual([left, mountPath]);
  });

  test("whether the client has sent a slash at the end", () => {
    expect(endsWithSlash(scopeOf("/a", [1]))).toBe(false);
    expect(endsWithSlash(scopeOf("/a/", [1]))).toBe(true);
    expect(endsWithSlash(scopeOf("/a%2F", []))).toBe(false);
    expect(endsWithSlash({ path: "/a/" })).toBe(true);
  });
});

describe("the other form of a path", () => {
  test.each([
    ["/a", "", "./a/"],
    ["/a/", "x=1", "../a?x=1"],
    ["//evil.example", "", "./evil.example/"],
    ["//evil.example/", "", "../evil.example"],
    ["/\\evil.example", "", "./%5Cevil.example/"],
    ["/a:b", "c://d", "./a:b/?c://d"],
    ["/%2F", "", "./%2F/"],
    ["/a\r\nb", "\r\n", "./a%0D%0Ab/?%0D%0A"],
    ["/a#b", "c#d", "./a%23b/?c%23d"],
    ["/..", "", undefined],
    ["/%2e./", "", undefined],
  ])("of %j with the query %j is %s", (raw_path, query_string, expected) => {
    const other = otherSlash({ ...scopeOf(raw_path), query_string });
    expect(other).toBe(expected);
    if (other !== undefined) {
      const base = new URL("http://here.example");
      base.pathname = raw_path;
      expect(new URL(other, base).host).toBe("here.example");
    }
  });

  test("without raw_path", () => {
    expect(otherSlash({ path: "/a b", query_string: "c" })).toBe("./a%20b/?c");
  });
});
