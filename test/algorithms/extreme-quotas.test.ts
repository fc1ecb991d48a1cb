import { describe, test } from "vitest";
import { ALIGNED } from "./single-key.js";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("near 2^53, a token bucket", () => {
  test("is exact to the millisecond under the slowest quota of all", () => {
    const periodMs = 4_503_599_627_370_495;
    trace("token-bucket", { limit: 1, periodMs, burst: 1 }, [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: periodMs },
      { at: 1, cost: 1, limited: true, remaining: 0, resetAfterMs: periodMs - 1, retryAfterMs: periodMs - 1 },
      { at: periodMs - 1, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: periodMs, cost: 1, remaining: 0, resetAfterMs: periodMs },
    ]);
  });

  test("is exact to the unit under the fastest quota of all", () => {
    const limit = 4_503_599_627_370_495;
    trace("token-bucket", { limit, periodMs: 1, burst: limit }, [
      { at: 0, cost: limit - 1, remaining: 1, resetAfterMs: 1 },
      { at: 0, cost: 2, limited: true, remaining: 1, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 1 },
      { at: 1, cost: limit, remaining: 0, resetAfterMs: 1 },
      { at: 1, cost: limit + 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: NEVER },
    ]);
  });

  test("loses nothing under an odd quota", () => {
    // A token comes every 7 / 642,371,400,000,000 of a millisecond: 91,767,342,857,142 and 6/7 each millisecond.
    trace("token-bucket", { limit: 642_371_400_000_000, periodMs: 7, burst: 642_371_400_000_000 }, [
      { at: 0, cost: 642_371_400_000_000, remaining: 0, resetAfterMs: 7 },
      {
        at: 1,
        cost: 91_767_342_857_143,
        limited: true,
        remaining: 91_767_342_857_142,
        resetAfterMs: 6,
        retryAfterMs: 1,
      },
      { at: 1, cost: 91_767_342_857_142, remaining: 0, resetAfterMs: 7 },
      { at: 2, cost: 91_767_342_857_143, remaining: 0, resetAfterMs: 7 },
      { at: 2, cost: 1, limited: true, remaining: 0, resetAfterMs: 7, retryAfterMs: 1 },
    ]);
  });

  test("books no place further ahead than numbers stay exact", () => {
    // A full bucket and 6 ms more are all that fits below 2^53.
    trace("token-bucket", { limit: 642_371_400_000_000, periodMs: 7, burst: 642_371_400_000_000 }, [
      { at: 0, cost: 642_371_400_000_000, remaining: 0, resetAfterMs: 7 },
      {
        at: 0,
        cost: 550_604_057_142_858,
        maxWaitMs: 1000,
        limited: true,
        remaining: 0,
        resetAfterMs: 7,
        retryAfterMs: 7,
      },
      { at: 0, cost: 550_604_057_142_857, maxWaitMs: 1000, remaining: 0, resetAfterMs: 7, waitMs: 6 },
    ]);
  });

  test("cuts a debt off where numbers would no longer be exact", () => {
    const most = Number.MAX_SAFE_INTEGER;
    trace("token-bucket", "10/s", [
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 900_719_925_474_099 },
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 900_719_925_474_099 },
      { at: 7, cost: 0, remaining: 0, resetAfterMs: 900_719_925_474_092, retryAfterMs: 900_719_925_473_192 },
      { at: 7, cost: -most, remaining: 10, resetAfterMs: 0 },
    ]);
  });
});

describe("near 2^53, a fixed window", () => {
  test("is exact to the unit and to the millisecond under the largest quotas", () => {
    const most = 4_503_599_627_370_495;
    trace("fixed-window", { limit: most, periodMs: 1, burst: most }, [
      { at: 0, cost: most - 1, remaining: 1, resetAfterMs: 1 },
      { at: 0, cost: 2, limited: true, remaining: 1, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 1, cost: most, remaining: 0, resetAfterMs: 1 },
    ]);
    // The first window of this length began at the epoch and is not over yet.
    const end = most - ALIGNED;
    trace("fixed-window", { limit: 1, periodMs: most, burst: 1 }, [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: end },
      { at: end - 1, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: end, cost: 1, remaining: 0, resetAfterMs: most },
    ]);
  });

  test("cuts a debt off where numbers would no longer be exact", () => {
    const most = Number.MAX_SAFE_INTEGER;
    trace("fixed-window", "5/s", [
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 4_503_599_627_368_000 },
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 4_503_599_627_368_000 },
      { at: 1007, cost: -most, remaining: 5, resetAfterMs: 0 },
    ]);
  });
});

describe("near 2^53, a sliding window", () => {
  test("is exact to the unit and to the millisecond under the largest quotas", () => {
    const limit = 52_124_995;
    trace("sliding-window", { limit, periodMs: 86_400_000, burst: limit }, [
      { at: 0, cost: limit, remaining: 0, resetAfterMs: 172_799_999 },
      // 0.6 of a unit fades each millisecond.
      { at: 86_400_001, cost: 2, limited: true, remaining: 1, resetAfterMs: 86_399_998, retryAfterMs: 2 },
      { at: 86_400_002, cost: 2, limited: true, remaining: 1, resetAfterMs: 86_399_997, retryAfterMs: 1 },
      { at: 86_400_003, cost: 2, remaining: 0, resetAfterMs: 172_799_996 },
    ]);
    const most = 4_503_599_627_370_495;
    // The last millisecond of the window after the one that began at the epoch.
    const end = 2 * most - 1 - ALIGNED;
    trace("sliding-window", { limit: 1, periodMs: most, burst: 1 }, [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: end },
      { at: end - 1, cost: 1, limited: true, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 },
      { at: end, cost: 1, remaining: 0, resetAfterMs: most },
    ]);
  });

  test("books no place and goes into no debt beyond this window where numbers would no longer be exact", () => {
    const most = 4_503_599_627_370_495;
    const end = 2 * most - 1 - ALIGNED;
    trace("sliding-window", { limit: 1, periodMs: most, burst: 1 }, [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: end },
      {
        at: 0,
        cost: 1,
        maxWaitMs: Number.MAX_SAFE_INTEGER,
        limited: true,
        remaining: 0,
        resetAfterMs: end,
        retryAfterMs: end,
      },
      { at: 0, cost: 5, maxWaitMs: NEVER, remaining: 0, resetAfterMs: end },
      { at: 0, cost: 0, remaining: 0, resetAfterMs: end, retryAfterMs: end },
    ]);
  });

  test("cuts a debt off where numbers would no longer be exact", () => {
    const most = Number.MAX_SAFE_INTEGER;
    trace("sliding-window", "10/s", [
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 4_503_599_627_369_999 },
      { at: 0, cost: most, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 4_503_599_627_369_999 },
      { at: 1007, cost: -most, remaining: 10, resetAfterMs: 0 },
    ]);
  });
});
