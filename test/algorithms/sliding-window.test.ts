import { describe, expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("sliding window", () => {
  test("counts the window before by the part of it that is still in sight", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 10, remaining: 0, resetAfterMs: 1901 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 1901, retryAfterMs: 1001 },
      // All 10 still count in the first millisecond of the next window, 9 in the second, 8 from 101 on.
      { at: 1000, cost: 1, limited: true, remaining: 0, resetAfterMs: 901, retryAfterMs: 1 },
      { at: 1001, cost: 1, remaining: 0, resetAfterMs: 1000 },
      { at: 1001, cost: 1, limited: true, remaining: 0, resetAfterMs: 1000, retryAfterMs: 100 },
      { at: 1100, cost: 1, limited: true, remaining: 0, resetAfterMs: 901, retryAfterMs: 1 },
      { at: 1101, cost: 1, remaining: 0, resetAfterMs: 1400 },
      { at: 1500, cost: 0, remaining: 3, resetAfterMs: 1001 },
      { at: 1501, cost: 0, remaining: 4, resetAfterMs: 1000 },
      { at: 1999, cost: 0, remaining: 8, resetAfterMs: 502 },
      // The 2 of that window are now those of the window before.
      { at: 2000, cost: 0, remaining: 8, resetAfterMs: 501 },
      { at: 2001, cost: 0, remaining: 9, resetAfterMs: 500 },
      { at: 2500, cost: 0, remaining: 9, resetAfterMs: 1 },
      { at: 2501, cost: 0, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("rounds the weight down where floating point would land beside it", () => {
    // 25 * 0.44 is 11, though (1 - 0.56) * 25 is 10.999999999999998 to a processor.
    trace("sliding-window", "25/s", [
      { at: 0, cost: 25, remaining: 0, resetAfterMs: 1961 },
      { at: 1520, cost: 0, remaining: 13, resetAfterMs: 441 },
      { at: 1521, cost: 0, remaining: 14, resetAfterMs: 440 },
      { at: 1560, cost: 0, remaining: 14, resetAfterMs: 401 },
      { at: 1560, cost: 15, limited: true, remaining: 14, resetAfterMs: 401, retryAfterMs: 1 },
      { at: 1561, cost: 15, remaining: 0, resetAfterMs: 1373 },
    ]);
  });

  test("a cost of the whole limit waits until nothing counts any more, one above it for ever", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 11, limited: true, remaining: 10, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 600, cost: 1, remaining: 9, resetAfterMs: 401 },
      { at: 600, cost: 10, limited: true, remaining: 9, resetAfterMs: 401, retryAfterMs: 401 },
      { at: 1000, cost: 10, limited: true, remaining: 9, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1000, cost: 11, limited: true, remaining: 9, resetAfterMs: 1, retryAfterMs: NEVER },
      { at: 1001, cost: 10, remaining: 0, resetAfterMs: 1900 },
    ]);
  });

  test("units of a window that counts to its very end keep out a full cost for two windows", () => {
    // Of 3 units 1 still counts in the last of the 2 milliseconds.
    trace("sliding-window", "3/2ms", [
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 4 },
      { at: 0, cost: 3, limited: true, remaining: 0, resetAfterMs: 4, retryAfterMs: 4 },
      { at: 3, cost: 3, limited: true, remaining: 2, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 4, cost: 3, remaining: 0, resetAfterMs: 4 },
    ]);
  });

  test("books the first moment at which enough of the window before has faded", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 10, remaining: 0, resetAfterMs: 1901 },
      { at: 0, cost: 2, maxWaitMs: 5000, remaining: 0, resetAfterMs: 1400, waitMs: 1101 },
      { at: 0, cost: 1, maxWaitMs: 5000, remaining: 0, resetAfterMs: 1466, waitMs: 1201 },
      {
        at: 0,
        cost: 1,
        maxWaitMs: 1300,
        limited: true,
        remaining: 0,
        resetAfterMs: 2667,
        retryAfterMs: 1301,
      },
      { at: 1101, cost: 1, limited: true, remaining: 0, resetAfterMs: 1566, retryAfterMs: 200 },
      { at: 1301, cost: 1, remaining: 0, resetAfterMs: 1450 },
    ]);
  });

  test("books several windows ahead", () => {
    trace("sliding-window", "4/s", [
      { at: 500, cost: 4, remaining: 0, resetAfterMs: 1251 },
      // Until 1751 some of the first 4 count, then some of the next 4 until 2751.
      { at: 500, cost: 4, maxWaitMs: 9000, remaining: 0, resetAfterMs: 1000, waitMs: 1251 },
      { at: 500, cost: 4, maxWaitMs: 9000, remaining: 0, resetAfterMs: 1000, waitMs: 2251 },
      { at: 2000, cost: 1, limited: true, remaining: 0, resetAfterMs: 1751, retryAfterMs: 1001 },
      { at: 3001, cost: 1, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a charge that does not fit is owed by the windows that follow", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3801 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 3801, retryAfterMs: 2501 },
      { at: 0, cost: -6, remaining: 0, resetAfterMs: 2889 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 2889, retryAfterMs: 1901 },
      { at: 0, cost: -100, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("a debt that is given back is taken off the windows that owe it, from the last one on", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 45, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 5801 },
      { at: 0, cost: -20, remaining: 0, resetAfterMs: 3801 },
      { at: 0, cost: 0, remaining: 0, resetAfterMs: 3801, retryAfterMs: 2501 },
      { at: 0, cost: 20, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 5801 },
      { at: 0, cost: -50, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("a debt that is given back in full is forgotten", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3801 },
      { at: 0, cost: -25, remaining: 10, resetAfterMs: 0 },
    ]);
  });

  test("units are given back to this window first, then to the one before", () => {
    trace("sliding-window", "10/s", [
      { at: 0, cost: 8, remaining: 2, resetAfterMs: 1876 },
      { at: 1500, cost: 3, remaining: 3, resetAfterMs: 1167 },
      { at: 1500, cost: -2, remaining: 5, resetAfterMs: 501 },
      { at: 1500, cost: -3, remaining: 7, resetAfterMs: 334 },
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
