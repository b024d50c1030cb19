import { describe, expect, test } from "bun:test";
import { parseHttpDate } from "../../src/spec/http-date.ts";

const NOW = Date.UTC(2026, 10, 30, 12);

describe("HTTP-date (RFC 9110 section 5.6.7)", () => {
  test.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Wed Nov 16 08:49:37 1994", Date.UTC(1994, 10, 16, 8, 49, 37)],
    ["  Sun, 06 Nov 1994 08:49:37 GMT ", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ["Thursday, 29-Feb-24 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
    // The name of the day is not compared.
    ["Mon, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
  ])("%j", (text, time) => {
    expect(parseHttpDate(text, NOW)).toBe(time);
  });

  test.each([
    // More than 50 years in the future is the most recent year in the past.
    ["Monday, 30-Nov-76 12:00:00 GMT", 2076],
    ["Monday, 30-Nov-76 12:00:01 GMT", 1976],
    ["Tuesday, 01-Dec-76 00:00:00 GMT", 1976],
    ["Friday, 30-Nov-77 12:00:00 GMT", 1977],
    ["Friday, 01-Jan-27 00:00:00 GMT", 2027],
    ["Friday, 31-Dec-99 23:59:59 GMT", 1999],
    ["Saturday, 01-Jan-00 00:00:00 GMT", 2000],
  ])("the century of %j", (text, year) => {
    expect(new Date(parseHttpDate(text, NOW) ?? Number.NaN).getUTCFullYear()).toBe(year);
  });

  test.each([
    [Date.UTC(2099, 5), "Friday, 01-Jan-00 00:00:00 GMT", 2100],
    [Date.UTC(1999, 5), "Saturday, 01-Jan-00 00:00:00 GMT", 2000],
    [Date.UTC(2026, 5), "Saturday, 29-Feb-00 00:00:00 GMT", 2000],
  ])("at %d, the century of %j", (now, text, year) => {
    expect(new Date(parseHttpDate(text, now) ?? Number.NaN).getUTCFullYear()).toBe(year);
  });

  test.each([
    "",
    "yesterday",
    "0",
    "2026-01-02",
    "2026-01-02T00:00:00Z",
    "06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 30 Feb 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 00:00:00 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Wednesday, 29-Feb-23 00:00:00 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  6 08:49:37 94",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
  ])("%j is not one", (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined();
  });
});
