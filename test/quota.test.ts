import { describe, expect, test } from "vitest";
import {
  parseQuota,
  perDay,
  perDuration,
  perHour,
  perMinute,
  perSecond,
  perWeek,
  type Quota,
  type QuotaInput,
  Throttled,
} from "../src/index.js";

const quotasOf = (quota: unknown): readonly Quota[] => new Throttled({ quota: quota as QuotaInput }).quotas;

describe("the functions", () => {
  test.each([
    ["perSecond", perSecond, 1_000],
    ["perMinute", perMinute, 60_000],
    ["perHour", perHour, 3_600_000],
    ["perDay", perDay, 86_400_000],
    ["perWeek", perWeek, 604_800_000],
  ])("%s makes a quota of that period", (_name, per, periodMs) => {
    expect(per(10)).toEqual({ limit: 10, periodMs, burst: 10 });
    expect(per(10, { burst: 20 })).toEqual({ limit: 10, periodMs, burst: 20 });
    expect(per(10, {})).toEqual({ limit: 10, periodMs, burst: 10 });
  });

  test("perDuration takes any duration", () => {
    expect(perDuration("5m", 100)).toEqual({ limit: 100, periodMs: 300_000, burst: 100 });
    expect(perDuration(250, 3, { burst: 1 })).toEqual({ limit: 3, periodMs: 250, burst: 1 });
  });

  test("make quotas that nobody can change", () => {
    expect(Object.isFrozen(perSecond(1))).toBe(true);
    expect(parseQuota("1/s").every(Object.isFrozen)).toBe(true);
  });

  test("refuse options that they don't know", () => {
    expect(() => perSecond(1, { brust: 2 } as object)).toThrow(
      new TypeError('Unknown option "brust" in `options`, expected one of `burst`'),
    );
    expect(() => perSecond(1, 2 as unknown as object)).toThrow(
      new TypeError("Expected `options` to be an object, got 2"),
    );
    expect(() => perSecond(1, null as unknown as object)).toThrow(
      new TypeError("Expected `options` to be an object, got null"),
    );
  });

  test("refuse a period of nothing", () => {
    expect(() => perDuration(0, 1)).toThrow(
      new RangeError("Expected `period` to be a positive integer, got 0"),
    );
    expect(() => perDuration("0s", 1)).toThrow(
      new RangeError("Expected `period` to be a positive integer, got 0"),
    );
  });
});

describe("a quota", () => {
  test("is an object with a period, a normalised one, a text, or several of them", () => {
    const second = { limit: 10, periodMs: 1_000, burst: 10 };
    const hour = { limit: 1_000, periodMs: 3_600_000, burst: 1_000 };
    expect(quotasOf({ limit: 10, period: "1s" })).toEqual([second]);
    expect(quotasOf({ limit: 10, period: 1_000, burst: 20 })).toEqual([{ ...second, burst: 20 }]);
    expect(quotasOf(second)).toEqual([second]);
    expect(quotasOf(perSecond(10))).toEqual([second]);
    expect(quotasOf("10/s; 1000/h")).toEqual([second, hour]);
    expect(quotasOf(["10/s", perHour(1_000)])).toEqual([second, hour]);
    expect(quotasOf(["10/s, 1000/h", { limit: 10, period: "1s" }])).toEqual([second, hour, second]);
  });

  test("is 60 a minute by default", () => {
    expect(new Throttled().quotas).toEqual([{ limit: 60, periodMs: 60_000, burst: 60 }]);
  });

  test("is a copy: changing what was handed in changes nothing", () => {
    const input = { limit: 10, period: 1_000 };
    const limiter = new Throttled({ quota: input });
    input.limit = 99;
    expect(limiter.quotas).toEqual([{ limit: 10, periodMs: 1_000, burst: 10 }]);
  });

  test.each([
    [{ limit: "1", period: 1 }, 'Expected `limit` to be a positive integer, got "1"'],
    [{ limit: 10n, period: 1 }, "Expected `limit` to be a positive integer, got 10n"],
    [{ period: 1 }, "Expected `limit` to be a positive integer, got undefined"],
    [{ limit: 1, period: 1, burst: null }, "Expected `burst` to be a positive integer, got null"],
    [{ limit: 1, periodMs: "1" }, 'Expected `periodMs` to be a positive integer, got "1"'],
    [
      { limit: 1, period: 1, rate: 1 },
      'Unknown option "rate" in `quota`, expected one of `limit`, `period`, `periodMs`, `burst`',
    ],
    [
      { limit: 1, period: 1, periodMs: 1 },
      "Expected `quota` to have either `period` or `periodMs`, got both",
    ],
    [
      { limit: 1, period: "1 s" },
      'Expected `period` to be a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w", got "1 s"',
    ],
    [[], "Expected `quota` to be at least one quota, got an array"],
    [5, 'Expected `quota` to be a text such as "10/s", or an object, got 5'],
  ])("of %o is a TypeError", (quota, message) => {
    expect(() => quotasOf(quota)).toThrow(new TypeError(message));
  });

  test.each([5, null, true, Symbol("10/s"), () => "10/s", [["10/s"]], ["10/s", 5]])(
    "of %o is a TypeError that names it",
    (quota) => {
      expect(() => quotasOf(quota)).toThrow(TypeError);
      expect(() => quotasOf(quota)).toThrow(/^Expected `quota` to be .*, got /);
    },
  );

  test.each([
    [{ limit: 0, period: 1 }, "Expected `limit` to be a positive integer, got 0"],
    [{ limit: -1, period: 1 }, "Expected `limit` to be a positive integer, got -1"],
    [{ limit: 1.5, period: 1 }, "Expected `limit` to be a positive integer, got 1.5"],
    [{ limit: Number.NaN, period: 1 }, "Expected `limit` to be a positive integer, got NaN"],
    [{ limit: 1, period: 1, burst: 0 }, "Expected `burst` to be a positive integer, got 0"],
    [{ limit: 1, period: 1, burst: -5 }, "Expected `burst` to be a positive integer, got -5"],
    [{ limit: 1, period: 0 }, "Expected `period` to be a positive integer, got 0"],
    [{ limit: 1, periodMs: 0 }, "Expected `periodMs` to be a positive integer, got 0"],
    [{ limit: 1, periodMs: 1.5 }, "Expected `periodMs` to be a positive integer, got 1.5"],
  ])("of %o is a RangeError", (quota, message) => {
    expect(() => quotasOf(quota)).toThrow(new RangeError(message));
  });

  test("is refused where its arithmetic would leave 2^53", () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(quotasOf({ limit: (most - 1) / 2, period: 1 })).toHaveLength(1);
    expect(quotasOf({ limit: 1, period: 1, burst: most - 1 })).toHaveLength(1);
    expect(() => quotasOf({ limit: 1, period: 1, burst: most })).toThrow(
      new RangeError(`Expected (limit + burst) * periodMs to be at most 2^53-1, got (1 + ${most}) * 1`),
    );
    expect(() => perDuration("1w", 1e9)).toThrow(
      new RangeError(
        "Expected (limit + burst) * periodMs to be at most 2^53-1, got (1000000000 + 1000000000) * 604800000",
      ),
    );
  });

  test.each(["fixed-window", "sliding-window"] as const)(
    "with a burst of its own means nothing to a %s",
    (using) => {
      expect(new Throttled({ using, quota: "10/s burst 10" }).quotas[0]?.burst).toBe(10);
      expect(() => new Throttled({ using, quota: "10/s burst 20" })).toThrow(
        new RangeError(`Expected \`burst\` to equal the limit of 10 for "${using}", got 20`),
      );
      expect(() => new Throttled({ using, quota: ["1/s", perHour(10, { burst: 5 })] })).toThrow(
        new RangeError(`Expected \`burst\` to equal the limit of 10 for "${using}", got 5`),
      );
    },
  );
});
