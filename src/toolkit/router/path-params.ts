type Letter =
  | ("a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i" | "j" | "k" | "l" | "m")
  | ("n" | "o" | "p" | "q" | "r" | "s" | "t" | "u" | "v" | "w" | "x" | "y" | "z");
type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type WordChar = Letter | Uppercase<Letter> | Digit | "_";

/** The longest word at the start of `S`. */
type Word<S extends string, Taken extends string = ""> = S extends `${infer Char}${infer Rest}`
  ? Char extends WordChar
    ? Word<Rest, `${Taken}${Char}`>
    : Taken
  : Taken;

/** What follows the first closing brace. */
type AfterBrace<S extends string> = S extends `${string}}${infer Rest}` ? Rest : "";

/** The names in one segment of a pattern; an empty word names nothing. */
type NamesInSegment<S extends string> = S extends `${infer Before}{${infer Rest}`
  ? NamesInSegment<Before> | Word<Rest> | NamesInSegment<AfterBrace<Rest>>
  : S extends `${string}:${infer Rest}`
    ? Word<Rest> | NamesInSegment<Rest>
    : S extends `${string}*${infer Rest}`
      ? Word<Rest>
      : never;

type NamesIn<Pattern extends string> = Pattern extends `${infer Segment}/${infer Rest}`
  ? NamesInSegment<Segment> | NamesIn<Rest>
  : NamesInSegment<Pattern>;

/**
 * The parameters of a path pattern, all of them text: `PathParams<"/users/:id/*rest">` is `{ id: string; rest: string }`.
 * A pattern that is only known as `string`, or not at all, may have any.
 */
export type PathParams<Pattern extends string = string> = string extends Pattern
  ? Readonly<Record<string, string>>
  : { readonly [Name in Exclude<NamesIn<Pattern>, "">]: string };
