import { describe, expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { SlidingWindow } from "../../src/algorithms/sliding-window.js";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("sliding window", () => {
  test("counts the window before by the part of it that is still in sight", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 10, remaining: 0, resetAfterMs: 1999 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 1999, retryAfterMs: 1099 },
      // Of the 10 more than 9 count until 900 of the next 1000 ms are left, the running one not among them.
      { at: 1000, cost: 1, limited: true, remaining: 0, resetAfterMs: 999, retryAfterMs: 99 },
      { at: 1098, cost: 1, limited: true, remaining: 0, resetAfterMs: 901, retryAfterMs: 1 },
      { at: 1099, cost: 1, remaining: 0, resetAfterMs: 1900 },
      { at: 1099, cost: 1, limited: true, remaining: 0, resetAfterMs: 1900, retryAfterMs: 100 },
      { at: 1198, cost: 1, limited: true, remaining: 0, resetAfterMs: 1801, retryAfterMs: 1 },
      { at: 1199, cost: 1, remaining: 0, resetAfterMs: 1800 },
      { at: 1498, cost: 0, remaining: 2, resetAfterMs: 1501 },
      { at: 1499, cost: 0, remaining: 3, resetAfterMs: 1500 },
      { at: 1998, cost: 0, remaining: 7, resetAfterMs: 1001 },
      { at: 1999, cost: 0, remaining: 8, resetAfterMs: 1000 },
      // The 2 of that window are now those of the window before.
      { at: 2000, cost: 0, remaining: 8, resetAfterMs: 999 },
      { at: 2498, cost: 0, remaining: 8, resetAfterMs: 501 },
      { at: 2499, cost: 0, remaining: 9, resetAfterMs: 500 },
      { at: 2998, cost: 0, remaining: 9, resetAfterMs: 1 },
      { at: 2999, cost: 0, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("rounds the weight up where floating point would land beside it", () => {
    // 25 * 0.56 is 14, though (1 - 0.44) * 25 is 14.000000000000002 to a processor.
    trace("sliding-window", "25/s", [
      { at: 0, cost: 25, remaining: 0, resetAfterMs: 1999 },
      { at: 1438, cost: 0, remaining: 10, resetAfterMs: 561 },
      { at: 1438, cost: 11, limited: true, remaining: 10, resetAfterMs: 561, retryAfterMs: 1 },
      { at: 1439, cost: 11, remaining: 0, resetAfterMs: 1560 },
      { at: 1479, cost: 1, remaining: 0, resetAfterMs: 1520 },
    ]);
  });

  test("a cost of the whole limit waits until nothing counts any more, one above it for ever", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 11, limited: true, remaining: 10, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 600, cost: 1, remaining: 9, resetAfterMs: 1399 },
      { at: 600, cost: 10, limited: true, remaining: 9, resetAfterMs: 1399, retryAfterMs: 1399 },
      { at: 1998, cost: 10, limited: true, remaining: 9, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1998, cost: 11, limited: true, remaining: 9, resetAfterMs: 1, retryAfterMs: NEVER },
      { at: 1999, cost: 10, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("nothing of the window before counts in the last millisecond of a window", () => {
    // Of 3 units 2 still count in the first of the 2 milliseconds.
    trace("sliding-window", "3/2ms", [
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 3 },
      { at: 0, cost: 3, limited: true, remaining: 0, resetAfterMs: 3, retryAfterMs: 3 },
      { at: 2, cost: 3, limited: true, remaining: 1, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 3, cost: 3, remaining: 0, resetAfterMs: 2 },
    ]);
    // The only millisecond of a window is its last.
    trace("sliding-window", "3/ms", [
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 1 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1, cost: 3, remaining: 0, resetAfterMs: 1 },
    ]);
  });

  test("books the first moment at which enough of the window before has faded", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 10, remaining: 0, resetAfterMs: 1999 },
      { at: 0, cost: 2, maxWaitMs: 5000, remaining: 0, resetAfterMs: 1800, waitMs: 1199 },
      { at: 0, cost: 1, maxWaitMs: 5000, remaining: 0, resetAfterMs: 1700, waitMs: 1299 },
      {
        at: 0,
        cost: 1,
        maxWaitMs: 1398,
        limited: true,
        remaining: 0,
        resetAfterMs: 2999,
        retryAfterMs: 1399,
      },
      { at: 1199, cost: 1, limited: true, remaining: 0, resetAfterMs: 1800, retryAfterMs: 200 },
      { at: 1399, cost: 1, remaining: 0, resetAfterMs: 1600 },
    ]);
  });

  test("books several windows ahead", () => {
    trace("sliding-window", "4/s", [
      { at: 500, cost: 4, remaining: 0, resetAfterMs: 1499 },
      // Until 1999 some of the first 4 count, then some of the next 4 until 2999.
      { at: 500, cost: 4, maxWaitMs: 9000, remaining: 0, resetAfterMs: 1000, waitMs: 1499 },
      { at: 500, cost: 4, maxWaitMs: 9000, remaining: 0, resetAfterMs: 1000, waitMs: 2499 },
      { at: 2000, cost: 1, limited: true, remaining: 0, resetAfterMs: 1999, retryAfterMs: 1249 },
      { at: 3249, cost: 1, remaining: 0, resetAfterMs: 1750 },
    ]);
  });

  test("a charge that does not fit is owed by the windows that follow", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3999 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 3999, retryAfterMs: 2599 },
      { at: 0, cost: -6, remaining: 0, resetAfterMs: 2999 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 2999, retryAfterMs: 1999 },
      { at: 0, cost: -100, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("a debt that is given back is taken off the windows that owe it, from the last one on", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 45, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 5999 },
      { at: 0, cost: -20, remaining: 0, resetAfterMs: 3999 },
      { at: 0, cost: 0, remaining: 0, resetAfterMs: 3999, retryAfterMs: 2599 },
      { at: 0, cost: 20, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 5999 },
      { at: 0, cost: -50, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("a debt that is given back in full is forgotten", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3999 },
      { at: 0, cost: -25, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("units are given back to this window first, then to the one before", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 8, remaining: 2, resetAfterMs: 1999 },
      { at: 1500, cost: 3, remaining: 3, resetAfterMs: 1499 },
      { at: 1500, cost: -2, remaining: 5, resetAfterMs: 1499 },
      { at: 1500, cost: -3, remaining: 7, resetAfterMs: 499 },
      { at: 1500, cost: -6, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("refuses a burst other than the limit", () => {
    expect(() => new Limiter("sliding-window", "5/s burst 4")).toThrow(
      new RangeError('Expected `burst` to equal the limit of 5 for "sliding-window", got 4'),
    );
    expect(new Limiter("sliding-window", "5/s burst 5").capacity(0)).toBe(5);
  });
});

describe("the furthest window", () => {
  // Four such periods end at the last moment.
  const furthest = new SlidingWindow({ limit: 10, periodMs: 2 ** 50, burst: 10 });

  test("is two before the last moment, and places can be booked in the one before", () => {
    expect(furthest.horizonMs).toBe(2 ** 50);
  });

  test.each([
    [25, [10, 5, 2]],
    [30, [10, 10, 2]],
    [31, [10, 10, 2]],
    [1_000, [10, 10, 2]],
  ])("holds what is left of %j units, and is full with more", (cost, state) => {
    const numbers = new Float64Array(3);
    furthest.charge(numbers, 0, 0, 0, cost);
    expect([...numbers]).toEqual(state);
  });
});
