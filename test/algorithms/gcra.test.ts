import { describe, test } from "vitest";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("GCRA", () => {
  test("lets calls pass until the theoretical arrival time is the burst ahead", () => {
    // The emission interval is 2 s, so the arrival time may be 6 s ahead.
    trace("gcra", "30/m burst 3", [
      { at: 0, cost: 1, remaining: 2, resetAfterMs: 2000 },
      { at: 0, cost: 3, limited: true, remaining: 2, resetAfterMs: 2000, retryAfterMs: 2000 },
      { at: 500, cost: 2, remaining: 0, resetAfterMs: 5500 },
      { at: 500, cost: 1, limited: true, remaining: 0, resetAfterMs: 5500, retryAfterMs: 1500 },
      { at: 1999, cost: 1, limited: true, remaining: 0, resetAfterMs: 4001, retryAfterMs: 1 },
      { at: 2000, cost: 1, remaining: 0, resetAfterMs: 6000 },
      { at: 7999, cost: 3, limited: true, remaining: 2, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 8000, cost: 3, remaining: 0, resetAfterMs: 6000 },
      { at: 8000, cost: 4, limited: true, remaining: 0, resetAfterMs: 6000, retryAfterMs: NEVER },
    ]);
  });

  test("an emission interval of a broken number of milliseconds does not drift", () => {
    // 7 a second are 142 6/7 ms apart: each passes in the millisecond after it is due, the seventh at 1000 sharp.
    const due = [143, 286, 429, 572, 715, 858, 1000];
    trace("gcra", "7/s", [
      { at: 0, cost: 7, remaining: 0, resetAfterMs: 1000 },
      ...due.flatMap((at) => {
        const resetAfterMs = at === 1000 ? 859 : 858;
        return [
          { at: at - 1, cost: 1, limited: true as const, remaining: 0, resetAfterMs, retryAfterMs: 1 },
          { at, cost: 1, remaining: 0, resetAfterMs: 1000 },
        ];
      }),
    ]);
  });

  test("time on a full key is not saved up", () => {
    trace("gcra", "10/s burst 1", [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 100 },
      { at: 5000, cost: 1, remaining: 0, resetAfterMs: 100 },
      { at: 5000, cost: 1, limited: true, remaining: 0, resetAfterMs: 100, retryAfterMs: 100 },
    ]);
  });

  test("books, owes and takes back like the token bucket", () => {
    trace("gcra", "10/s burst 5", [
      { at: 0, cost: 5, remaining: 0, resetAfterMs: 500 },
      { at: 0, cost: 2, maxWaitMs: 200, remaining: 0, resetAfterMs: 500, waitMs: 200 },
      { at: 0, cost: 1, maxWaitMs: 299, limited: true, remaining: 0, resetAfterMs: 700, retryAfterMs: 300 },
      { at: 0, cost: 3, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 1000 },
      { at: 100, cost: -6, remaining: 2, resetAfterMs: 300 },
      { at: 100, cost: -60, remaining: 5, resetAfterMs: 0 },
    ]);
  });
});
