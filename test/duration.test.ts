import { describe, expect, test } from "vitest";
import { type DurationText, toMs } from "../src/duration.js";

const expected = (got: string): string =>
  'Expected `timeout` to be a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w", ' +
  `got ${got}`;

describe("a duration", () => {
  test.each<[number | DurationText, number]>([
    [0, 0],
    [250, 250],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ["0s", 0],
    ["250ms", 250],
    ["1s", 1_000],
    ["1.5s", 1_500],
    ["0.001s", 1],
    ["1.000s", 1_000],
    ["1.0ms", 1],
    ["2m", 120_000],
    ["0.5m", 30_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["1w", 604_800_000],
    ["0.1w", 60_480_000],
    ["007s", 7_000],
    ["9007199254740991ms", Number.MAX_SAFE_INTEGER],
  ])("%s is %d ms", (duration, ms) => {
    expect(toMs("timeout", duration)).toBe(ms);
  });

  test("does not mind the case of its unit", () => {
    expect(["1MS", "1S", "1M", "1H", "1D", "1W"].map((text) => toMs("timeout", text))).toEqual([
      1, 1_000, 60_000, 3_600_000, 86_400_000, 604_800_000,
    ]);
  });

  test("is exact where floating point is not", () => {
    expect(toMs("timeout", "0.29s")).toBe(290);
    expect(toMs("timeout", "1.005s")).toBe(1_005);
    expect(toMs("timeout", "4.35s")).toBe(4_350);
  });

  test.each([
    ["", '""'],
    ["s", '"s"'],
    ["5", '"5"'],
    ["-1s", '"-1s"'],
    ["+1s", '"+1s"'],
    [" 1s", '" 1s"'],
    ["1 s", '"1 s"'],
    ["1s\n", '"1s\\u000a"'],
    ["1.s", '"1.s"'],
    [".5s", '".5s"'],
    ["1,5s", '"1,5s"'],
    ["1e3s", '"1e3s"'],
    ["0x1s", '"0x1s"'],
    ["1m30s", '"1m30s"'],
    ["1sec", '"1sec"'],
    ["1y", '"1y"'],
    ["٣s", '"٣s"'],
    ["1ſ", '"1ſ"'],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [5n, "5n"],
    [{}, "an object"],
    [[5], "an array"],
    [() => 5, "a function"],
    [Symbol("5"), "a symbol"],
    [new Date(), "an object"],
  ])("of %o is a TypeError", (duration, got) => {
    expect(() => toMs("timeout", duration)).toThrow(new TypeError(expected(got)));
  });

  test.each([
    [-1, "-1"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [2 ** 53, "9007199254740992"],
    ["1.5ms", '"1.5ms"'],
    ["0.0001s", '"0.0001s"'],
    ["9007199254740992ms", '"9007199254740992ms"'],
    ["9999999999999999w", '"9999999999999999w"'],
  ])("of %s is a RangeError", (duration, got) => {
    expect(() => toMs("timeout", duration)).toThrow(new RangeError(expected(got)));
  });

  test("of a million characters is refused, and shown short", () => {
    for (const text of [
      "1".repeat(1e6),
      `${"1".repeat(1e6)}s`,
      `1.${"0".repeat(1e6)}s`,
      `${" ".repeat(1e6)}1s`,
    ]) {
      expect(() => toMs("timeout", text)).toThrow(new TypeError(expected(`"${text.slice(0, 64)}…"`)));
    }
  });
});
