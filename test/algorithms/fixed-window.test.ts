import { describe, expect, test } from "vitest";
import { FixedWindow } from "../../src/algorithms/fixed-window.js";
import { Limiter } from "../../src/algorithms/limiter.js";
import { ALIGNED } from "./single-key.js";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("fixed window", () => {
  test("grants the limit in each window, from its first millisecond to its last", () => {
    trace("fixed-window", "5/s", [
      { at: 0, cost: 1, remaining: 4, resetAfterMs: 1000 },
      { at: 999, cost: 5, limited: true, remaining: 4, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 999, cost: 4, remaining: 0, resetAfterMs: 1 },
      { at: 999, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1000, cost: 5, remaining: 0, resetAfterMs: 1000 },
      { at: 1999, cost: 0, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 2000, cost: 0, remaining: 5, resetAfterMs: 0 },
    ]);
  });

  test("aligns its windows to the epoch and not to the first call", () => {
    trace("fixed-window", "2 per 7d", [
      // The epoch was a Thursday, and so weeks begin on Thursdays.
      { at: 86_400_000, cost: 2, remaining: 0, resetAfterMs: 6 * 86_400_000 },
      { at: 7 * 86_400_000, cost: 1, remaining: 1, resetAfterMs: 7 * 86_400_000 },
    ]);
    trace("fixed-window", "2/7ms", [
      // 1,700,697,600,000 is 2 more than a multiple of 7.
      { at: 0, cost: 2, remaining: 0, resetAfterMs: (7 - (ALIGNED % 7)) % 7 || 7 },
    ]);
  });

  test("a cost of the whole limit passes in an unused window only, one above it never", () => {
    trace("fixed-window", "5/s", [
      { at: 300, cost: 6, limited: true, remaining: 5, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 300, cost: 1, remaining: 4, resetAfterMs: 700 },
      { at: 300, cost: 5, limited: true, remaining: 4, resetAfterMs: 700, retryAfterMs: 700 },
      { at: 300, cost: 6, limited: true, remaining: 4, resetAfterMs: 700, retryAfterMs: NEVER },
      { at: 1000, cost: 5, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a window of one millisecond is over in the next", () => {
    trace("fixed-window", "3/ms", [
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 1 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1, cost: 3, remaining: 0, resetAfterMs: 1 },
    ]);
  });

  test("books in the windows that follow, each up to the limit", () => {
    trace("fixed-window", "5/s", [
      { at: 200, cost: 5, remaining: 0, resetAfterMs: 800 },
      { at: 200, cost: 2, maxWaitMs: 9000, remaining: 3, resetAfterMs: 1000, waitMs: 800 },
      { at: 200, cost: 4, maxWaitMs: 9000, remaining: 1, resetAfterMs: 1000, waitMs: 1800 },
      { at: 200, cost: 1, maxWaitMs: 9000, remaining: 0, resetAfterMs: 1000, waitMs: 1800 },
      {
        at: 200,
        cost: 1,
        maxWaitMs: 2799,
        limited: true,
        remaining: 0,
        resetAfterMs: 2800,
        retryAfterMs: 2800,
      },
      { at: 200, cost: 1, maxWaitMs: 2800, remaining: 4, resetAfterMs: 1000, waitMs: 2800 },
      { at: 1000, cost: 1, limited: true, remaining: 0, resetAfterMs: 3000, retryAfterMs: 2000 },
      { at: 3000, cost: 4, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a booking that skips the rest of its window is not overtaken", () => {
    trace("fixed-window", "5/s", [
      { at: 0, cost: 3, remaining: 2, resetAfterMs: 1000 },
      { at: 0, cost: 3, maxWaitMs: 1000, remaining: 2, resetAfterMs: 1000, waitMs: 1000 },
      { at: 500, cost: 1, limited: true, remaining: 0, resetAfterMs: 1500, retryAfterMs: 500 },
      { at: 1000, cost: 2, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a charge that does not fit is owed by the windows that follow", () => {
    trace("fixed-window", "5/s", [
      { at: 100, cost: 13, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 2900 },
      { at: 100, cost: 3, limited: true, remaining: 0, resetAfterMs: 2900, retryAfterMs: 2900 },
      { at: 100, cost: 2, limited: true, remaining: 0, resetAfterMs: 2900, retryAfterMs: 1900 },
      { at: 1999, cost: 2, limited: true, remaining: 0, resetAfterMs: 1001, retryAfterMs: 1 },
      { at: 2000, cost: 2, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("units that are given back can be spent in the same window, and not in a later one", () => {
    trace("fixed-window", "5/s", [
      { at: 0, cost: 4, remaining: 1, resetAfterMs: 1000 },
      { at: 0, cost: -2, remaining: 3, resetAfterMs: 1000 },
      { at: 0, cost: -9, remaining: 5, resetAfterMs: 0 },
      { at: 0, cost: 5, remaining: 0, resetAfterMs: 1000 },
      { at: 1000, cost: 1, remaining: 4, resetAfterMs: 1000 },
      { at: 1000, cost: -5, remaining: 5, resetAfterMs: 0 },
      { at: 1000, cost: 6, limited: true, remaining: 5, resetAfterMs: 0, retryAfterMs: NEVER },
    ]);
  });

  test("refuses a burst other than the limit", () => {
    expect(() => new Limiter("fixed-window", "5/s burst 6")).toThrow(
      new RangeError('Expected `burst` to equal the limit of 5 for "fixed-window", got 6'),
    );
    expect(() => new Limiter("fixed-window", ["5/s", "60/m burst 59"])).toThrow(
      new RangeError('Expected `burst` to equal the limit of 60 for "fixed-window", got 59'),
    );
    expect(new Limiter("fixed-window", "5/s burst 5").capacity(0)).toBe(5);
  });
});

test("places can be booked in as many windows as can be counted exactly, but two", () => {
  const windows = Math.floor(Number.MAX_SAFE_INTEGER / 2 ** 40) - 2;
  const { horizonMs } = new FixedWindow({ limit: 2 ** 40, periodMs: 1_000, burst: 2 ** 40 });
  expect(horizonMs).toBe((windows - 1) * 1_000);
});
