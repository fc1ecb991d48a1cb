import { describe, test } from "vitest";
import { type Call, trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("leaky bucket, calls that do not wait", () => {
  test("pass until the bucket is full, then as it drains", () => {
    trace("leaky-bucket", "10/s burst 4", [
      { at: 0, cost: 3, remaining: 1, resetAfterMs: 300 },
      { at: 0, cost: 2, limited: true, remaining: 1, resetAfterMs: 300, retryAfterMs: 100 },
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 400 },
      { at: 99, cost: 1, limited: true, remaining: 0, resetAfterMs: 301, retryAfterMs: 1 },
      { at: 100, cost: 1, remaining: 0, resetAfterMs: 400 },
      { at: 499, cost: 4, limited: true, remaining: 3, resetAfterMs: 1, retryAfterMs: 1 },
      { at: 500, cost: 4, remaining: 0, resetAfterMs: 400 },
      { at: 500, cost: 5, limited: true, remaining: 0, resetAfterMs: 400, retryAfterMs: NEVER },
    ]);
  });

  test("are charged and given back like those of a token bucket", () => {
    trace("leaky-bucket", "10/s burst 4", [
      { at: 0, cost: 9, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 900 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 900, retryAfterMs: 600 },
      { at: 100, cost: -6, remaining: 2, resetAfterMs: 200 },
      { at: 100, cost: -6, remaining: 4, resetAfterMs: 0 },
    ]);
  });
});

describe("leaky bucket, calls that may wait", () => {
  /** A call that is paced, all of them at the start. */
  const paced = (waitMs: number | undefined, rest: Omit<Call, "at" | "waitMs"> & { at?: number }): Call => ({
    at: 0,
    maxWaitMs: 10_000,
    ...rest,
    ...(waitMs === undefined ? {} : { waitMs }),
  });

  test("go at once on an idle key, then period / limit apart", () => {
    trace("leaky-bucket", "10/s burst 4", [
      paced(undefined, { cost: 1, remaining: 3, resetAfterMs: 100 }),
      paced(100, { cost: 1, remaining: 3, resetAfterMs: 100 }),
      paced(200, { cost: 2, remaining: 2, resetAfterMs: 200 }),
      paced(400, { cost: 1, remaining: 3, resetAfterMs: 100 }),
      paced(499, { at: 1, cost: 4, remaining: 0, resetAfterMs: 400 }),
    ]);
  });

  test("are refused when their turn is further away than they may wait", () => {
    trace("leaky-bucket", "10/s burst 4", [
      { at: 0, cost: 3, maxWaitMs: 299, remaining: 1, resetAfterMs: 300 },
      { at: 0, cost: 1, maxWaitMs: 299, limited: true, remaining: 1, resetAfterMs: 300, retryAfterMs: 300 },
      { at: 1, cost: 1, maxWaitMs: 299, remaining: 3, resetAfterMs: 100, waitMs: 299 },
      { at: 1, cost: 5, maxWaitMs: 1e6, limited: true, remaining: 0, resetAfterMs: 399, retryAfterMs: NEVER },
    ]);
  });

  test("keep to the mean pace where period / limit is no whole number of milliseconds", () => {
    // Due at 0, 333.3, 666.7, 1000 and 1333.3: each goes in the millisecond of its due time.
    trace("leaky-bucket", "3/s", [
      paced(undefined, { cost: 1, remaining: 2, resetAfterMs: 334 }),
      paced(333, { cost: 1, remaining: 1, resetAfterMs: 334 }),
      paced(666, { cost: 1, remaining: 1, resetAfterMs: 334 }),
      paced(1000, { cost: 1, remaining: 2, resetAfterMs: 334 }),
      paced(1333, { cost: 1, remaining: 1, resetAfterMs: 334 }),
    ]);
  });

  test("go several a millisecond where the quota drains several a millisecond", () => {
    const atOnce = [2999, 2998, 2997].map((remaining) =>
      paced(undefined, { cost: 1, remaining, resetAfterMs: 1 }),
    );
    const later = [1, 1, 1, 2, 2, 2, 3].map((waitMs, i) =>
      paced(waitMs, { cost: 1, remaining: 2999 - (i % 3), resetAfterMs: 1 }),
    );
    trace("leaky-bucket", "3000/s", [...atOnce, ...later]);
  });

  test("never go more than the burst in a millisecond", () => {
    trace("leaky-bucket", "3000/s burst 2", [
      paced(undefined, { cost: 1, remaining: 1, resetAfterMs: 1 }),
      paced(undefined, { cost: 1, remaining: 0, resetAfterMs: 1 }),
      paced(1, { cost: 1, remaining: 1, resetAfterMs: 1 }),
      paced(1, { cost: 1, remaining: 0, resetAfterMs: 1 }),
      paced(2, { cost: 2, remaining: 0, resetAfterMs: 1 }),
    ]);
  });

  test("wait for a burst before them to drain, and let later ones that do not wait pass them", () => {
    trace("leaky-bucket", "10/s burst 4", [
      { at: 0, cost: 2, remaining: 2, resetAfterMs: 200 },
      paced(200, { cost: 1, remaining: 3, resetAfterMs: 100 }),
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 400 },
      { at: 0, cost: 1, limited: true, remaining: 0, resetAfterMs: 400, retryAfterMs: 100 },
      paced(400, { cost: 1, remaining: 3, resetAfterMs: 100 }),
      { at: 99, cost: 1, limited: true, remaining: 0, resetAfterMs: 401, retryAfterMs: 101 },
      { at: 200, cost: 1, remaining: 0, resetAfterMs: 400 },
    ]);
  });

  test("of the whole capacity wait until the bucket is empty", () => {
    trace("leaky-bucket", "1000/s burst 4", [
      paced(undefined, { cost: 4, remaining: 0, resetAfterMs: 4 }),
      paced(4, { cost: 4, remaining: 0, resetAfterMs: 4 }),
      paced(8, { cost: 1, remaining: 3, resetAfterMs: 1 }),
    ]);
  });
});
