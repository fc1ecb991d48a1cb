import { describe, expect, test } from "vitest";
import { parseQuota } from "../src/index.js";

const UNITS: Record<number, readonly string[]> = {
  1: ["ms"],
  1000: ["s", "sec", "second", "seconds"],
  60000: ["m", "min", "minute", "minutes"],
  3600000: ["h", "hr", "hour", "hours"],
  86400000: ["d", "day", "days"],
  604800000: ["w", "week", "weeks"],
};
const EVERY_UNIT = Object.entries(UNITS).flatMap(([ms, names]) =>
  names.map((name) => [name, Number(ms)] as const),
);

const complaint = (text: string, expected: string, position: number, found: string): string =>
  'Expected `quota` to be like "10/s" or "100 per 5 minutes burst 20", ' +
  `got ${text}: expected ${expected} at position ${position}, found ${found}`;

const UNIT = "a unit (ms, s, m, h, d or w)";
const END = '",", ";", "|" or the end';

describe("the text of a quota", () => {
  test.each(EVERY_UNIT)("knows the unit %s", (unit, periodMs) => {
    for (const text of [`3/${unit}`, `3 per ${unit}`, `3/${unit.toUpperCase()}`, `3 PER ${unit}`]) {
      expect(parseQuota(text)).toEqual([{ limit: 3, periodMs, burst: 3 }]);
    }
    for (const text of [`3/7${unit}`, `3 per 7 ${unit}`, `3 / 7 ${unit}`]) {
      expect(parseQuota(text)).toEqual([{ limit: 3, periodMs: 7 * periodMs, burst: 3 }]);
    }
  });

  test.each([
    ["10/s", [{ limit: 10, periodMs: 1_000, burst: 10 }]],
    ["100 per 5 minutes", [{ limit: 100, periodMs: 300_000, burst: 100 }]],
    ["60/m burst 120", [{ limit: 60, periodMs: 60_000, burst: 120 }]],
    ["60/M BURST 120", [{ limit: 60, periodMs: 60_000, burst: 120 }]],
    ["3/250ms", [{ limit: 3, periodMs: 250, burst: 3 }]],
    ["  10   /   s   burst   5  ", [{ limit: 10, periodMs: 1_000, burst: 5 }]],
    ["10  per  2  s  burst  5", [{ limit: 10, periodMs: 2_000, burst: 5 }]],
    ["010/01s burst 05", [{ limit: 10, periodMs: 1_000, burst: 5 }]],
  ])("%j is understood", (text, quotas) => {
    expect(parseQuota(text)).toEqual(quotas);
  });

  test.each([",", ";", "|", " , ", " ;", "| "])("names several quotas, apart by %j", (separator) => {
    expect(parseQuota(["10/s", "60 per minute burst 90", "1000/2h"].join(separator))).toEqual([
      { limit: 10, periodMs: 1_000, burst: 10 },
      { limit: 60, periodMs: 60_000, burst: 90 },
      { limit: 1_000, periodMs: 7_200_000, burst: 1_000 },
    ]);
  });

  test.each([
    ["", "a positive integer", 0, "the end"],
    ["   ", "a positive integer", 3, "the end"],
    ["/s", "a positive integer", 0, '"/"'],
    ["ten/s", "a positive integer", 0, '"t"'],
    ["-1/s", "a positive integer", 0, '"-"'],
    ["+1/s", "a positive integer", 0, '"+"'],
    ["0/s", "a positive integer", 0, '"0"'],
    ["٣/s", "a positive integer", 0, '"٣"'],
    ["10/s;", "a positive integer", 5, "the end"],
    [";10/s", "a positive integer", 0, '";"'],
    ["10/s;;10/s", "a positive integer", 5, '";"'],
    ["10", '"/" or " per "', 2, "the end"],
    ["1.5/s", '"/" or " per "', 1, '"."'],
    ["1,000/s", '"/" or " per "', 1, '","'],
    ["1_000/s", '"/" or " per "', 1, '"_"'],
    ["1e3/s", '"/" or " per "', 1, '"e"'],
    ["10per s", '"/" or " per "', 2, '"p"'],
    ["10 pers", '"/" or " per "', 3, '"p"'],
    ["10 a second", '"/" or " per "', 3, '"a"'],
    ["10/", UNIT, 3, "the end"],
    ["10//s", UNIT, 3, '"/"'],
    ["10/x", UNIT, 3, '"x"'],
    ["10/secs", UNIT, 3, '"s"'],
    ["10/month", UNIT, 3, '"m"'],
    ["10/-1s", UNIT, 3, '"-"'],
    ["10/5", UNIT, 4, "the end"],
    ["10/1.5s", UNIT, 4, '"."'],
    ["10 per x", UNIT, 7, '"x"'],
    ["10/ſ", UNIT, 3, '"ſ"'],
    ["10/0s", "a positive integer", 3, '"0"'],
    ["10/s burst 0", "a positive integer", 11, '"0"'],
    ["10/s burst -1", "a positive integer", 11, '"-"'],
    ["10/s burst x", "a positive integer", 11, '"x"'],
    ["10/s burst", "a space and a number", 10, "the end"],
    ["10/s burst20", "a space and a number", 10, '"2"'],
    ["10/s burst 1.5", END, 12, '"."'],
    ["10/s burst 5 burst 6", END, 13, '"b"'],
    ["10/s foo", END, 5, '"f"'],
    ["10/s 20/m", END, 5, '"2"'],
    ["10/s & 20/m", END, 5, '"&"'],
  ])("%j is a TypeError that shows the text and the position", (text, expected, position, found) => {
    expect(() => parseQuota(text)).toThrow(new TypeError(complaint(`"${text}"`, expected, position, found)));
  });

  test("with a tab or a line break is refused, and shown on one line", () => {
    expect(() => parseQuota("10\t/s")).toThrow(complaint('"10\\u0009/s"', '"/" or " per "', 2, '"\\u0009"'));
    expect(() => parseQuota("10/s\n")).toThrow(complaint('"10/s\\u000a"', END, 4, '"\\u000a"'));
  });

  test("is shown whole where it is long, so that the position can be found in it", () => {
    const text = `${"10/s; ".repeat(15)}10/fortnight`;
    expect(() => parseQuota(text)).toThrow(complaint(`"${text}"`, UNIT, 93, '"f"'));
  });

  test("may have 256 characters and not one more", () => {
    expect(parseQuota("10/s".padEnd(256))).toHaveLength(1);
    expect(() => parseQuota("10/s".padEnd(257))).toThrow(
      new RangeError("Expected `quota` to be at most 256 characters, got 257"),
    );
  });

  test.each(["1".repeat(1e6), " ".repeat(1e6), `1/s${",1/s".repeat(3e5)}`, "burst ".repeat(2e5)])(
    "of a million characters is refused (%#)",
    (text) => {
      expect(() => parseQuota(text)).toThrow(
        new RangeError(`Expected \`quota\` to be at most 256 characters, got ${text.length}`),
      );
    },
  );

  test.each([5, null, undefined, {}, ["10/s"], true])("that is %o is a TypeError", (text) => {
    expect(() => parseQuota(text as string)).toThrow(TypeError);
    expect(() => parseQuota(text as string)).toThrow(/^Expected `text` to be a string, got /);
  });

  test("with a number beyond 2^53 is refused", () => {
    expect(() => parseQuota("9007199254740992/ms")).toThrow(TypeError);
    expect(() => parseQuota("9007199254740991/s")).toThrow(RangeError);
    expect(() => parseQuota("1/9007199254740991w")).toThrow(RangeError);
  });
});
