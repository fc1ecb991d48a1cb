import { describe, expect, test } from "vitest";
import { type AlgorithmName, type Booking, Limiter } from "../../src/algorithms/limiter.js";
import { ALIGNED, SingleKey } from "./single-key.js";

function keyOf(using: AlgorithmName, quota: string): SingleKey {
  return new SingleKey(new Limiter(using, quota));
}

function book(key: SingleKey, cost: number): Booking {
  const { booking } = key.decide(cost, 1e9);
  if (booking === undefined) throw new Error("Expected a booking");
  return booking;
}

describe("a booking that is given back", () => {
  test("is undone as it was, not by its units", () => {
    const key = keyOf("fixed-window", "5/s");
    key.decide(3);
    // It skips the 2 units that are left in this window.
    const booking = book(key, 4);
    expect(key.peek().remaining).toBe(0);
    key.now += 10;
    expect(key.decide(-4, 0, booking)).toMatchObject({ limited: false, remaining: 2, resetAfterMs: 990 });
    expect(key.decide(2).limited).toBe(false);
  });

  test("gives back its units where others came after it", () => {
    const key = keyOf("token-bucket", "10/s burst 1");
    key.decide(1);
    const booking = book(key, 1);
    expect(book(key, 1).waitMs).toBe(200);
    key.decide(-1, 0, booking);
    expect(book(key, 1).waitMs).toBe(200);
  });

  test("comes up with a key that has long recovered", () => {
    const key = keyOf("gcra", "10/s");
    key.decide(10);
    const booking = book(key, 5);
    key.now += 60_000;
    expect(key.decide(-5, 0, booking)).toMatchObject({ remaining: 10, resetAfterMs: 0 });
    expect(key.record).toBeUndefined();
  });

  test("gives back a place that was booked while the clock stood still", () => {
    const key = keyOf("token-bucket", "10/s");
    key.decide(10);
    key.now = ALIGNED - 300;
    const before = key.peek();
    const booking = book(key, 5);
    key.decide(-5, 0, booking);
    expect(key.peek()).toEqual(before);
  });
});

describe("bookings that are given back one after the other, the last one first, are undone as they were", () => {
  test("in a fixed window", () => {
    const key = keyOf("fixed-window", "5/s");
    key.decide(3);
    const [first, last] = [book(key, 4), book(key, 1)];
    key.now += 1;
    key.decide(-1, 0, last);
    key.decide(-4, 0, first);
    expect(key.peek()).toMatchObject({ remaining: 2, resetAfterMs: 999 });
  });

  test("in a sliding window", () => {
    const key = keyOf("sliding-window", "5/s");
    key.decide(3);
    const [first, last] = [book(key, 4), book(key, 1)];
    key.now += 1;
    key.decide(-1, 0, last);
    key.decide(-4, 0, first);
    expect(key.peek()).toMatchObject({ remaining: 2 });
  });

  test("under several quotas, of which only one makes them wait", () => {
    const key = keyOf("token-bucket", "5/m; 100/s");
    key.decide(1);
    const [first, last] = [book(key, 5), book(key, 5)];
    key.now += 1;
    key.decide(-5, 0, last);
    key.decide(-5, 0, first);
    expect(key.peek()).toMatchObject({ quotaIndex: 0, remaining: 4, retryAfterMs: 0 });
  });
});

describe("bookings that are given back in another order lock nobody out", () => {
  test("in windows of which they skipped a part", () => {
    const key = keyOf("fixed-window", "5/s");
    key.decide(3);
    const bookings = [3, 3, 3, 3, 3].map((cost) => book(key, cost));
    for (const booking of bookings) key.decide(-3, 0, booking);
    // Of 18 units 15 were given back: 3 are used.
    expect(key.peek().retryAfterMs).toBeLessThanOrEqual(1000);
  });

  test.each(["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"] as const)(
    "under several quotas, of which only one makes them wait: %s",
    (using) => {
      const key = keyOf(using, "100/s; 1/m");
      key.decide(1);
      const [first, last] = [book(key, 1), book(key, 1)];
      key.decide(-1, 0, first);
      key.decide(-1, 0, last);
      // As if only the first call had been made: its minute passes, and with it all that it holds back.
      expect(key.peek().retryAfterMs).toBeLessThanOrEqual(60_001);
    },
  );
});
