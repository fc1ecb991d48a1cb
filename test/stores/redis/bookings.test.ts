import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type Booking, Limiter, MemoryStore, type Store } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS } from "../../support/algorithms.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

const STORES: [string, (clock: ManualClock) => Store][] = [
  ["RedisStore", (clock) => new RedisStore(redis, { clock, prefix: randomUUID() })],
  ["MemoryStore", (clock) => new MemoryStore({ clock })],
];

const CASES = ALGORITHMS.flatMap((using) =>
  ["4/m", "2/s; 4/m", "4/m; 100/d"].map((quota) => ({ using, quota })),
);
const WAITERS = 5;

describe.each(STORES)("bookings in %s", (_, create) => {
  test.each(CASES)(
    "$using of $quota: all given back, the last first, they leave no trace",
    async ({ using, quota }) => {
      // The first millisecond of a minute, so that no window ends on the way.
      const clock = new ManualClock(1_700_000_040_000);
      const store = create(clock);
      const limiter = new Limiter(using, quota);
      for (let spent = 0; spent < 4; spent += 2) {
        for (const key of ["booked", "control"]) await store.decide(limiter, key, 2, 0);
        clock.advance(2_000);
      }

      const bookings: Booking[] = [];
      for (let i = 0; i < WAITERS; i++) {
        const { booking } = await store.decide(limiter, "booked", 1, 10 ** 9);
        expect(booking).toBeDefined();
        bookings.push(booking!);
        clock.advance(1);
      }
      for (const booking of bookings.reverse()) {
        await store.decide(limiter, "booked", -1, 0, booking);
        clock.advance(1);
      }

      expect(await store.decide(limiter, "booked", 0, 0)).toEqual(
        await store.decide(limiter, "control", 0, 0),
      );
      expect(await store.decide(limiter, "booked", 1, 0)).toEqual(
        await store.decide(limiter, "control", 1, 0),
      );
    },
  );
});

test.each<[string, Pick<Booking, "before" | "after">]>([
  ["of another store", { before: "0 0", after: "1 1" }],
  ["of another limiter", { before: [0, 0, 0, 0], after: [1, 1, 1, 1] }],
  ["of broken numbers", { before: [0, Number.NaN], after: [1, 1] }],
])("a booking %s is refused, and those that travel with it are not", async (_, records) => {
  const store = new RedisStore(redis, { prefix: randomUUID() });
  const limiter = new Limiter("gcra", "5/d");
  const good = store.decide(limiter, "key", 1, 0);
  await expect(store.decide(limiter, "key", -1, 0, { waitMs: 1, ...records })).rejects.toThrow(
    new TypeError("Expected `booking` to be a booking of this store, got an object"),
  );
  expect(await good).toMatchObject({ limited: false, remaining: 4 });
});
