import type { ParameterSegment, PatternSegment, RoutePattern, WildcardSegment } from "./route-pattern.ts";
import { accepts, matchSegment, parametersOf } from "./route-pattern.ts";

/** A node of the tree: all patterns that are alike up to here. */
interface TreeNode<Place> {
  readonly literals: Map<string, TreeNode<Place>>;
  /** The most specific one first. */
  readonly parameters: Edge<ParameterSegment, Place>[];
  readonly wildcards: Edge<WildcardSegment, Place>[];
  place: Place | undefined;
}

interface Edge<Segment, Place> {
  /** Two segments with the same key match the same text. */
  readonly key: string;
  readonly segment: Segment;
  readonly node: TreeNode<Place>;
}

/** Where the longest prefix of a path leads. */
export interface PrefixMatch<Place> {
  readonly place: Place;
  readonly values: readonly string[];
  /** How many segments the prefix takes. */
  readonly length: number;
}

/**
 * Patterns as a tree of their segments. A path goes down it segment by segment: a literal is looked up, parameters are
 * tried in turn, then wildcards; where a way ends, the walk steps back. Each node is entered at most once for a path,
 * since it stands at one depth, and nodes with other literals are not entered at all: what a match costs depends on the
 * path and on how many patterns fit its beginning, not on how many there are.
 */
export class RouteTree<Place> {
  readonly #root: TreeNode<Place> = newNode();
  /** Paths that are patterns without parameters. */
  readonly #exact = new Map<string, Place>();
  readonly #longest: number;
  #steps = 0;

  /** @param longest UTF-16 units; a longer value meets no constraint. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Nodes entered and parameters tried since the tree was made; what a test measures. */
  get steps(): number {
    return this.#steps;
  }

  /** The place of a pattern, made when there is none yet: patterns that match the same paths share one. */
  placeOf(pattern: RoutePattern, make: () => Place): Place {
    let node = this.#root;
    for (const segment of pattern.segments) node = descend(node, segment);
    const place = (node.place ??= make());
    if (pattern.names.length === 0) this.#exact.set(pattern.text, place);
    return place;
  }

  /** The place of a pattern without parameters that is this path, found in one look. */
  exact(path: string): Place | undefined {
    return this.#exact.get(path);
  }

  /**
   * Calls `visit` with each place that the path leads to, the most specific one first, until it returns true. The
   * values are the parameters' in the order of the pattern; they are overwritten afterwards.
   *
   * @param segments percent-decoded; what stands between the path's slashes.
   * @returns true when `visit` has returned true.
   */
  match(segments: readonly string[], visit: (place: Place, values: readonly string[]) => boolean): boolean {
    const values: string[] = [];
    const walk = (node: TreeNode<Place>, at: number): boolean => {
      this.#steps += 1;
      const text = segments[at];
      if (text === undefined) return node.place !== undefined && visit(node.place, values);
      const literal = node.literals.get(text);
      if (literal !== undefined && walk(literal, at + 1)) return true;
      const mark = values.length;
      for (const edge of node.parameters) {
        this.#steps += 1;
        if (matchSegment(edge.segment, text, this.#longest, values) && walk(edge.node, at + 1)) return true;
        values.length = mark;
      }
      if (node.wildcards.length === 0) return false;
      const rest = segments.slice(at).join("/");
      for (const { segment, node: leaf } of node.wildcards) {
        this.#steps += 1;
        const value = rest.slice(segment.prefix.length);
        if (!rest.startsWith(segment.prefix) || !accepts(segment.parameter, value, this.#longest)) continue;
        values.push(value);
        if (leaf.place !== undefined && visit(leaf.place, values)) return true;
        values.length = mark;
      }
      return false;
    };
    return walk(this.#root, 0);
  }

  /** Where the longest prefix of the path that is a pattern leads; among equals the most specific one. */
  matchPrefix(segments: readonly string[]): PrefixMatch<Place> | undefined {
    const values: string[] = [];
    let best: PrefixMatch<Place> | undefined;
    const walk = (node: TreeNode<Place>, at: number): void => {
      this.#steps += 1;
      if (node.place !== undefined && (best === undefined || at > best.length)) {
        best = { place: node.place, values: [...values], length: at };
      }
      const text = segments[at];
      if (text === undefined) return;
      const literal = node.literals.get(text);
      if (literal !== undefined) walk(literal, at + 1);
      const mark = values.length;
      for (const edge of node.parameters) {
        this.#steps += 1;
        if (matchSegment(edge.segment, text, this.#longest, values)) walk(edge.node, at + 1);
        values.length = mark;
      }
    };
    walk(this.#root, 0);
    return best;
  }
}

function newNode<Place>(): TreeNode<Place> {
  return { literals: new Map(), parameters: [], wildcards: [], place: undefined };
}

/** The node behind a segment, made when there is none yet. */
function descend<Place>(node: TreeNode<Place>, segment: PatternSegment): TreeNode<Place> {
  switch (segment.kind) {
    case "literal": {
      const found = node.literals.get(segment.text);
      if (found !== undefined) return found;
      const made = newNode<Place>();
      node.literals.set(segment.text, made);
      return made;
    }
    case "parameters":
      return edgeOf(node.parameters, segment);
    case "wildcard":
      return edgeOf(node.wildcards, segment);
  }
}

function edgeOf<Segment extends ParameterSegment | WildcardSegment, Place>(
  edges: Edge<Segment, Place>[],
  segment: Segment,
): TreeNode<Place> {
  const key = keyOf(segment);
  const found = edges.find((edge) => edge.key === key);
  if (found !== undefined) return found.node;
  const node = newNode<Place>();
  edges.push({ key, segment, node });
  edges.sort((a, b) => specificity(b.segment) - specificity(a.segment));
  return node;
}

function keyOf(segment: ParameterSegment | WildcardSegment): string {
  const literals = segment.kind === "wildcard" ? [segment.prefix] : segment.literals;
  return JSON.stringify([
    literals,
    parametersOf(segment).map(({ constraints }) => constraints.map(({ key }) => key).sort()),
  ]);
}

/** More literal text comes first, then more constraints; among equals the one that was added first. */
function specificity(segment: ParameterSegment | WildcardSegment): number {
  const literals = segment.kind === "wildcard" ? segment.prefix : segment.literals.join("");
  const constraints = parametersOf(segment).reduce((sum, each) => sum + each.constraints.length, 0);
  return literals.length * 1000 + Math.min(constraints, 999);
}
