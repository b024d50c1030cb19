const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const TIME = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;

/** The formats of RFC 9110 section 5.6.7, of which the last two are obsolete, and are read all the same. */
const FORMATS = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^${DAY}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  // rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^${LONG_DAY}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  // asctime-date: Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^${DAY} ${MONTH} (?<day>\d\d| \d) ${TIME} (?<year>\d{4})$`),
];

/**
 * The time that an `HTTP-date` stands for, in any of the three formats that a recipient must accept (RFC 9110 section
 * 5.6.7). Whether the name of the day fits the date is not looked at.
 *
 * @param now milliseconds since 1970, which decide what century a year of two digits is in.
 * @returns milliseconds since 1970; `undefined` for what is not a date, such as the 30th of February.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  for (const format of FORMATS) {
    const parts = format.exec(text.trim())?.groups;
    if (parts !== undefined) return timeOf(parts, now);
  }
  return undefined;
}

function timeOf(parts: Readonly<Record<string, string | undefined>>, now: number): number | undefined {
  const number = (name: string): number => Number(parts[name]);
  const month = MONTHS.indexOf(parts["month"] ?? "");
  const timeIn = (year: number): number | undefined => {
    const date = new Date(0);
    date.setUTCFullYear(year, month, number("day"));
    if (date.getUTCMonth() !== month || date.getUTCDate() !== number("day")) return undefined;
    // A leap second is the next one, as for the clock of the system.
    return date.setUTCHours(number("hour"), number("minute"), number("second"));
  };
  if (parts["year"]?.length === 4) return timeIn(number("year"));
  return inNearestCentury(number("year"), timeIn, now);
}

/**
 * A year of two digits: the latest one that is not more than 50 years in the future, which for all others is the most
 * recent one in the past (RFC 9110 section 5.6.7).
 */
function inNearestCentury(
  digits: number,
  timeIn: (year: number) => number | undefined,
  now: number,
): number | undefined {
  const farthest = new Date(now);
  farthest.setUTCFullYear(farthest.getUTCFullYear() + 50);
  const century = Math.floor(farthest.getUTCFullYear() / 100) * 100;
  for (const year of [century + digits, century - 100 + digits]) {
    const time = timeIn(year);
    // The 29th of February is in some of them only.
    if (time !== undefined && time <= farthest.getTime()) return time;
  }
  return undefined;
}
