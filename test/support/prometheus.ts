/** What stands in a page of metrics. */
export interface Page {
  /** By name and labels, as written. */
  readonly samples: ReadonlyMap<string, number>;
  /** Types by the names of families. */
  readonly types: ReadonlyMap<string, string>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?(?:\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?|Inf)|NaN)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"$/;

/**
 * Reads the text format of Prometheus, version 0.0.4, and is stricter than Prometheus: every family has its HELP and
 * TYPE, once and in front of its samples, which stand together; names follow the conventions; histograms add up.
 *
 * @throws for the first line that is wrong.
 */
export function parsePrometheus(text: string): Page {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let helped: string | undefined;
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const wrong = (why: string): Error => new Error(`${why}: ${JSON.stringify(line)}`);
    const help = HELP.exec(line);
    if (help !== null) {
      helped = help[1];
      continue;
    }
    const [, name = "", type = ""] = TYPE.exec(line) ?? [];
    if (name !== "") {
      if (types.has(name)) throw wrong("a second TYPE");
      if (helped !== name) throw wrong("no HELP in front of it");
      if ((type === "counter") !== name.endsWith("_total")) throw wrong("only counters end with _total");
      types.set(name, type);
      family = name;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw wrong("neither a comment nor a sample");
    const [, base = "", labels, value = ""] = sample;
    const isOfFamily =
      types.get(family) === "histogram"
        ? [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(base)
        : base === family;
    if (!isOfFamily) throw wrong(`a sample that is not of the family ${family}`);
    if (labels?.split(",").some((each) => !LABEL.test(each))) throw wrong("malformed labels");
    const key = labels === undefined ? base : `${base}{${labels}}`;
    if (samples.has(key)) throw wrong("twice the same sample");
    if (!Number.isFinite(Number(value))) throw wrong("not a finite value");
    samples.set(key, Number(value));
  }
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, samples);
  return { samples, types };
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{`));
  let bound = -Infinity;
  let count = 0;
  for (const [key, value] of buckets) {
    const le = /le="([^"]+)"/.exec(key)?.[1] ?? "";
    const next = le === "+Inf" ? Infinity : Number(le);
    if (!(next > bound) || value < count) throw new Error(`${key} is less than what is before it`);
    [bound, count] = [next, value];
  }
  if (bound !== Infinity) throw new Error(`${name} has no bucket +Inf`);
  if (samples.get(`${name}_count`) !== count) throw new Error(`${name}_count is not its last bucket`);
  if (!samples.has(`${name}_sum`)) throw new Error(`${name} has no sum`);
}
