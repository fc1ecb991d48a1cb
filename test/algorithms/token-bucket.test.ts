import { describe, test } from "vitest";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("token bucket", () => {
  test("spends its burst at once, then a token for each period / limit", () => {
    trace("token-bucket", "10/s", [
      { at: 0, cost: 1, remaining: 9, resetAfterMs: 100 },
      { at: 0, cost: 9, remaining: 0, resetAfterMs: 1000 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 1000, retryAfterMs: 100 },
      { at: 99, cost: 1, limited: true, remaining: 0, resetAfterMs: 901, retryAfterMs: 1 },
      { at: 100, cost: 1, remaining: 0, resetAfterMs: 1000 },
      { at: 100, cost: 10, limited: true, remaining: 0, resetAfterMs: 1000, retryAfterMs: 1000 },
      { at: 250, cost: 3, limited: true, remaining: 1, resetAfterMs: 850, retryAfterMs: 150 },
      { at: 399, cost: 3, limited: true, remaining: 2, resetAfterMs: 701, retryAfterMs: 1 },
      { at: 400, cost: 3, remaining: 0, resetAfterMs: 1000 },
      { at: 1399, cost: 10, limited: true, remaining: 9, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1400, cost: 10, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("keeps the fraction of a token that a call leaves", () => {
    // A token comes every 333 1/3 ms: at 333.3, 666.7 and 1000, each rounded up.
    trace("token-bucket", "3/s", [
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 1000 },
      { at: 333, cost: 1, limited: true, remaining: 0, resetAfterMs: 667, retryAfterMs: 1 },
      { at: 334, cost: 1, remaining: 0, resetAfterMs: 1000 },
      { at: 666, cost: 1, limited: true, remaining: 0, resetAfterMs: 668, retryAfterMs: 1 },
      { at: 667, cost: 1, remaining: 0, resetAfterMs: 1000 },
      { at: 999, cost: 1, limited: true, remaining: 0, resetAfterMs: 668, retryAfterMs: 1 },
      { at: 1000, cost: 1, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("asking does not lose a fraction either", () => {
    trace("token-bucket", "1/s", [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 1000 },
      { at: 400, cost: 0, remaining: 0, resetAfterMs: 600, retryAfterMs: 600 },
      { at: 800, cost: 1, limited: true, remaining: 0, resetAfterMs: 200, retryAfterMs: 200 },
      { at: 1000, cost: 0, remaining: 1, resetAfterMs: 0 },
      { at: 1000, cost: 1, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a burst below the limit is all that fits at once", () => {
    trace("token-bucket", "10/s burst 3", [
      { at: 0, cost: 4, limited: true, remaining: 3, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 0, cost: 3, remaining: 0, resetAfterMs: 300 },
      { at: 99, cost: 1, limited: true, remaining: 0, resetAfterMs: 201, retryAfterMs: 1 },
      { at: 100, cost: 1, remaining: 0, resetAfterMs: 300 },
      { at: 5000, cost: 3, remaining: 0, resetAfterMs: 300 },
    ]);
  });

  test("a burst above the limit is spent at once and refills at the limit", () => {
    trace("token-bucket", "10/s burst 25", [
      { at: 0, cost: 25, remaining: 0, resetAfterMs: 2500 },
      { at: 1000, cost: 11, limited: true, remaining: 10, resetAfterMs: 1500, retryAfterMs: 100 },
      { at: 1000, cost: 10, remaining: 0, resetAfterMs: 2500 },
      { at: 3499, cost: 25, limited: true, remaining: 24, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 3500, cost: 25, remaining: 0, resetAfterMs: 2500 },
    ]);
  });

  test("a cost of the whole capacity passes on a full bucket only, one above it never", () => {
    trace("token-bucket", "5/s", [
      { at: 0, cost: 6, limited: true, remaining: 5, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 0, cost: 1, remaining: 4, resetAfterMs: 200 },
      { at: 199, cost: 5, limited: true, remaining: 4, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 199, cost: 6, limited: true, remaining: 4, resetAfterMs: 1, retryAfterMs: NEVER },
      { at: 200, cost: 5, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("several tokens a millisecond come together", () => {
    trace("token-bucket", "5000/s burst 7", [
      { at: 0, cost: 7, remaining: 0, resetAfterMs: 2 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 2, retryAfterMs: 1 },
      { at: 1, cost: 6, limited: true, remaining: 5, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1, cost: 5, remaining: 0, resetAfterMs: 2 },
      { at: 3, cost: 7, remaining: 0, resetAfterMs: 2 },
    ]);
  });

  test("books places a period / limit apart and tells the numbers of those moments", () => {
    trace("token-bucket", "2/s burst 1", [
      { at: 0, cost: 1, maxWaitMs: 2000, remaining: 0, resetAfterMs: 500 },
      { at: 0, cost: 1, maxWaitMs: 2000, remaining: 0, resetAfterMs: 500, waitMs: 500 },
      { at: 100, cost: 1, maxWaitMs: 900, remaining: 0, resetAfterMs: 500, waitMs: 900 },
      {
        at: 100,
        cost: 1,
        maxWaitMs: 1399,
        limited: true,
        remaining: 0,
        resetAfterMs: 1400,
        retryAfterMs: 1400,
      },
      { at: 100, cost: 1, limited: true, remaining: 0, resetAfterMs: 1400, retryAfterMs: 1400 },
      { at: 1500, cost: 1, remaining: 0, resetAfterMs: 500 },
    ]);
  });

  test("a booking takes the first moment at which its cost fits, and leaves the rest of the bucket", () => {
    trace("token-bucket", "10/s", [
      { at: 0, cost: 8, remaining: 2, resetAfterMs: 800 },
      { at: 0, cost: 5, maxWaitMs: 300, remaining: 0, resetAfterMs: 1000, waitMs: 300 },
      { at: 299, cost: 1, limited: true, remaining: 0, resetAfterMs: 1001, retryAfterMs: 101 },
      { at: 350, cost: 0, remaining: 0, resetAfterMs: 950, retryAfterMs: 50 },
      { at: 400, cost: 1, remaining: 0, resetAfterMs: 1000 },
      {
        at: 400,
        cost: 11,
        maxWaitMs: 1e9,
        limited: true,
        remaining: 0,
        resetAfterMs: 1000,
        retryAfterMs: NEVER,
      },
    ]);
  });

  test("a call that fits does not wait, whatever it may", () => {
    trace("token-bucket", "10/s", [
      { at: 0, cost: 10, maxWaitMs: 60_000, remaining: 0, resetAfterMs: 1000 },
      { at: 1000, cost: 10, maxWaitMs: 60_000, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("a charge that does not fit is owed", () => {
    trace("token-bucket", "10/s", [
      { at: 0, cost: 4, maxWaitMs: NEVER, remaining: 6, resetAfterMs: 400 },
      { at: 0, cost: 21, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 2500 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 2500, retryAfterMs: 1600 },
      { at: 1599, cost: 1, limited: true, remaining: 0, resetAfterMs: 901, retryAfterMs: 1 },
      { at: 1600, cost: 1, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("units that are given back can be spent, up to a full bucket", () => {
    trace("token-bucket", "10/s", [
      { at: 0, cost: 10, remaining: 0, resetAfterMs: 1000 },
      { at: 50, cost: -3, remaining: 3, resetAfterMs: 650 },
      { at: 50, cost: 4, limited: true, remaining: 3, resetAfterMs: 650, retryAfterMs: 50 },
      { at: 50, cost: -100, remaining: 10, resetAfterMs: 0 },
      { at: 50, cost: 11, limited: true, remaining: 10, resetAfterMs: 0, retryAfterMs: NEVER },
      { at: 50, cost: -1, remaining: 10, resetAfterMs: 0 },
    ]);
  });
});
