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

describe("a booking that is given back to a key that knows nothing of it", () => {
  const all = ["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"] as const;

  test.each(all)("as the clock was set back far, is a matter of its units: %s", (using) => {
    const key = keyOf(using, "10/s");
    key.decide(10);
    const booking = book(key, 3);
    key.now -= 100_000;
    const other = key.at(0);
    key.decide(-3, 0, booking);
    other.decide(-3);
    expect(key.record).toEqual(other.record);
  });

  test.each(all)("as it was made when the clock had been set back far, locks nobody out: %s", (using) => {
    const key = keyOf(using, "10/s");
    key.decide(5);
    key.now -= 100_000;
    const { retryAfterMs } = key.peek();
    key.decide(-2, 0, book(key, 2));
    expect(key.peek().retryAfterMs).toBeLessThanOrEqual(retryAfterMs);
  });

  test.each(all)("as it was reset, lets no more pass than its units: %s", (using) => {
    const key = keyOf(using, "5/s; 20/h");
    for (let i = 0; i < 4; i++) {
      key.decide(5);
      key.now += 2000;
    }
    const booking = book(key, 2);
    // A reset.
    key.record = undefined;
    expect(key.decide(5).limited).toBe(false);
    key.decide(-2, 0, booking);
    expect(key.peek().remaining).toBeLessThanOrEqual(2);
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
  test.each(["fixed-window", "sliding-window"] as const)(
    "in windows of which they skipped a part: %s",
    (using) => {
      const key = keyOf(using, "5/s");
      key.decide(3);
      const bookings = Array.from({ length: 20 }, () => book(key, 3));
      for (const booking of bookings) key.decide(-3, 0, booking);
      // Of 63 units 60 were given back: 3 are used, in this window or the one before.
      expect(key.peek().retryAfterMs).toBeLessThanOrEqual(1999);
      expect(key.at(1999).peek()).toMatchObject({ remaining: 5, resetAfterMs: 0 });
    },
  );

  test.each(["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"] as const)(
    "under several quotas, of which only one makes them wait: %s",
    (using) => {
      const key = keyOf(using, "100/s; 1/m");
      key.decide(1);
      const [first, last] = [book(key, 1), book(key, 1)];
      key.decide(-1, 0, first);
      key.decide(-1, 0, last);
      // As if only the first call had been made.
      const once = keyOf(using, "100/s; 1/m");
      once.decide(1);
      expect(key.peek().retryAfterMs).toBeLessThanOrEqual(once.peek().retryAfterMs);
    },
  );
});
