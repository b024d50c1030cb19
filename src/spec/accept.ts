import { parameterOf, parseParameterized, splitList, type Parameter } from "./parameters.ts";

/** A media range of an `Accept` field. */
export interface MediaRange {
  /** In lower case, perhaps with wildcards, without parameters. */
  readonly type: string;
  /** The parameters before the weight; they are part of the range. */
  readonly parameters: readonly Parameter[];
  /** From 0, not at all, to 1. */
  readonly weight: number;
}

const MEDIA_RANGE = /^[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * The media ranges of an `Accept` field, in order; malformed members are left out. Source: RFC 9110 section 12.5.1.
 * A weight outside 0 to 1 is clamped, and one that is not a number counts as 1 (section 12.4.2).
 */
export function parseMediaRanges(accept: string): MediaRange[] {
  return splitList(accept).flatMap((member) => {
    const { type, parameters } = parseParameterized(member);
    if (!MEDIA_RANGE.test(type)) return [];
    const at = parameters.list.findIndex(([name]) => name === "q");
    return [
      {
        type,
        parameters: at === -1 ? parameters.list : parameters.list.slice(0, at),
        weight: weightOf(parameterOf(parameters, "q")),
      },
    ];
  });
}

function weightOf(text: string | undefined): number {
  const weight = text === undefined ? 1 : Number.parseFloat(text);
  return Number.isNaN(weight) ? 1 : Math.min(1, Math.max(0, weight));
}
