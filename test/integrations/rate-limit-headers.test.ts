import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import { type HeaderVersion, rateLimitHeaders, type Told } from "../../src/integrations/http.js";
import { ManualClock } from "../../src/testing.js";

const VERSIONS: readonly HeaderVersion[] = ["draft-10", "draft-7", "legacy"];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_001 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a limiter with a fresh key says of these calls; the last of it. */
function told(quota: string, calls: number, cost = 1): Told {
  const throttle = new Throttled({ key: "k", quota, store: new MemoryStore({ clock: new ManualClock() }) });
  const { quotas } = throttle;
  let result = throttle.limitSync("k", 0);
  for (let i = 0; i < calls; i++) result = throttle.limitSync("k", cost);
  return { quotas, result };
}

/** As they stand in an answer. */
function lines(all: Told | readonly Told[], version?: HeaderVersion): string[] {
  return rateLimitHeaders(all, version).map(([name, value]) => `${name}: ${value}`);
}

describe("draft-10", () => {
  test("is the default, and names each policy by its quota", () => {
    expect(lines(told("100/m", 1))).toEqual([
      'RateLimit-Policy: "100-in-60s";q=100;w=60',
      'RateLimit: "100-in-60s";r=99;t=1',
    ]);
    expect(rateLimitHeaders(told("9/h", 1))).toEqual(rateLimitHeaders(told("9/h", 1), "draft-10"));
  });

  test("says after a refusal when the same call passes, as Retry-After does", () => {
    expect(lines(told("2/m", 3))).toEqual([
      'RateLimit-Policy: "2-in-60s";q=2;w=60',
      'RateLimit: "2-in-60s";r=0;t=30',
      "Retry-After: 30",
    ]);
  });

  test("lists every quota as a policy, and tells of the one that matters", () => {
    expect(lines(told("2/s; 5/m", 3))).toEqual([
      'RateLimit-Policy: "2-in-1s";q=2;w=1, "5-in-60s";q=5;w=60',
      'RateLimit: "2-in-1s";r=0;t=1',
      "Retry-After: 1",
    ]);
  });

  test("rounds times up to whole seconds, a window to one at least", () => {
    expect(lines(told("3/250ms burst 9", 1))).toEqual([
      'RateLimit-Policy: "3-in-250ms";q=3;w=1',
      'RateLimit: "3-in-250ms";r=8;t=1',
    ]);
    expect(lines(told("1/1500ms", 2))[2]).toBe("Retry-After: 2");
  });

  test("says nothing is to wait for where all is there", () => {
    expect(lines(told("2/m", 0))[1]).toBe('RateLimit: "2-in-60s";r=2;t=0');
  });

  test("tells of stacked limiters in one list each, and in it of each policy once", () => {
    const [one, other] = [told("5/m", 1), told("5/m", 3)];
    expect(lines([told("100/h", 2), one, other])).toEqual([
      'RateLimit-Policy: "100-in-3600s";q=100;w=3600, "5-in-60s";q=5;w=60',
      'RateLimit: "100-in-3600s";r=98;t=72, "5-in-60s";r=2;t=36',
    ]);
    expect(lines([other, one])).toEqual(lines([other, other]));
  });
});

describe("draft-7", () => {
  test("tells of the policies, and what is left of one", () => {
    expect(lines(told("2/m", 1), "draft-7")).toEqual([
      "RateLimit-Policy: 2;w=60",
      "RateLimit: limit=2, remaining=1, reset=30",
    ]);
    expect(lines(told("2/m; 9/h", 3), "draft-7")).toEqual([
      "RateLimit-Policy: 2;w=60, 9;w=3600",
      "RateLimit: limit=2, remaining=0, reset=30",
      "Retry-After: 30",
    ]);
  });

  test("tells of stacked limiters by the one that has least left, or that refused", () => {
    expect(lines([told("9/m", 1), told("2/m", 1), told("5/m", 1)], "draft-7")).toEqual([
      "RateLimit-Policy: 9;w=60, 2;w=60, 5;w=60",
      "RateLimit: limit=2, remaining=1, reset=30",
    ]);
    expect(lines([told("1/m", 1), told("5/m", 3, 2)], "draft-7")[1]).toBe(
      "RateLimit: limit=5, remaining=1, reset=12",
    );
  });
});

describe("legacy", () => {
  test("tells the moment of the reset in seconds of Unix time, rounded up", () => {
    expect(lines(told("2/m", 1), "legacy")).toEqual([
      "X-RateLimit-Limit: 2",
      "X-RateLimit-Remaining: 1",
      "X-RateLimit-Reset: 1800000031",
    ]);
    expect(lines(told("2/m burst 3", 4), "legacy")).toEqual([
      "X-RateLimit-Limit: 3",
      "X-RateLimit-Remaining: 0",
      "X-RateLimit-Reset: 1800000031",
      "Retry-After: 30",
    ]);
  });
});

describe.each(VERSIONS)("every version: %s", (version) => {
  test("leaves Retry-After out for what never passes", () => {
    const headers = rateLimitHeaders(told("2/m", 2, 3), version);
    expect(headers.map(([name]) => name)).not.toContain("Retry-After");
    expect(lines([told("1/m", 2), told("2/m", 1, 3)], version).at(-1)).not.toMatch(/^Retry-After/);
  });

  test("asks for the longest of several waits", () => {
    expect(lines([told("1/m", 2), told("1/h", 2), told("1/s", 2)], version).at(-1)).toBe("Retry-After: 3600");
  });

  test("has no words for no decision", () => {
    expect(rateLimitHeaders([], version)).toEqual([]);
  });

  test("writes numbers without exponents, and none beyond the 15 digits of structured fields", () => {
    const text = lines(told("4000000000000000/ms burst 4000000000000000", 1, 4_000_000_000_000_000), version);
    expect(text.join()).not.toMatch(/\de|[=;] *\d{16}/);
    const result = {
      limited: true,
      quotaIndex: 0,
      source: "store",
      limit: 2 ** 53,
      remaining: 2 ** 53,
    } as const;
    const quotas = [{ limit: 2 ** 53, burst: 1, periodMs: 2 ** 53 }];
    const most = { quotas, result: { ...result, resetAfterMs: 2 ** 53, retryAfterMs: Number.MAX_VALUE } };
    expect(lines(most, version).at(-1)).toBe("Retry-After: 999999999999999");
    expect(lines(most, version).join()).not.toMatch(/[=:] *\d{16}/);
  });
});

test.each(["draft-6", "toString", "", null, 7])("an unknown version is a TypeError: %j", (version) => {
  expect(() => rateLimitHeaders([], version as never)).toThrow(
    /^Expected `headers` to be one of draft-10, draft-7, legacy, got /,
  );
});
