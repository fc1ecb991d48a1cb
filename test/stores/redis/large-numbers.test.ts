import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, inject, test } from "vitest";
import { Limiter, MemoryStore, perDuration, type Quota } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS, BUCKETS } from "../../support/algorithms.js";
import { IOREDIS } from "../../support/ioredis.js";

const YEAR_MS = 31_536_000_000;
/** The largest limit and the longest period that a quota may have. */
const MOST = (Number.MAX_SAFE_INTEGER - 1) / 2;

const QUOTAS: Record<string, Quota> = {
  "the largest limit": perDuration(1, MOST),
  "the longest period": perDuration(MOST, 1),
  "a period of 10 years": perDuration(10 * YEAR_MS, 1_000),
  "a limit just above 2^31": perDuration("1m", 2 ** 31 + 1),
  "a limit just above 2^32": perDuration("1s", 2 ** 32 + 1),
  "a limit beyond what %.14g shows": perDuration(7, 123_456_789_012_345),
};

describe.each(IOREDIS)("over $version", ({ connect }) => {
  const redis = connect(inject("redisUrl"));
  afterAll(() => redis.disconnect());

  describe.each(ALGORITHMS)("%s", (using) => {
    test.each(Object.keys(QUOTAS))(
      "%s gives the same numbers as in memory, to the last digit",
      async (name) => {
        const quota = QUOTAS[name]!;
        const limiter = new Limiter(using, quota);
        const clock = new ManualClock(1_700_000_000_001);
        const memory = new MemoryStore({ clock });
        const store = new RedisStore(redis, { prefix: randomUUID(), clock });
        const { limit, periodMs } = quota;
        const steps = [
          [1, 0],
          [Math.max(limit - 2, 1), 1],
          [1, 0],
          [0, 12_345],
          [limit, Math.floor(periodMs / 3)],
          [-Math.ceil(limit / 3), 0],
          [limit, Math.floor(periodMs / 2)],
          [limit + 1, 0],
          [1, 0],
        ] as const;
        for (const [cost, laterMs] of steps) {
          const answer = await store.decide(limiter, "key", cost, 0);
          expect(answer, `cost ${cost}`).toEqual(memory.decide(limiter, "key", cost, 0));
          clock.advance(Math.min(laterMs, 10 * YEAR_MS));
        }
        for (const booking of [limit, limit]) {
          const mine = await store.decide(limiter, "key", booking, 1_000 * YEAR_MS);
          const theirs = memory.decide(limiter, "key", booking, 1_000 * YEAR_MS);
          expect({ ...mine, booking: mine.booking?.waitMs }).toEqual({
            ...theirs,
            booking: theirs.booking?.waitMs,
          });
        }
      },
    );

    test.each([
      [50, 1, 2 ** 48],
      [50, 1, 2 ** 50],
      [43, 3, 2 ** 48],
    ])("a debt of %i under %i in %i ms is capped as in memory", async (debt, limit, periodMs) => {
      const limiter = new Limiter(using, perDuration(periodMs, limit));
      const clock = new ManualClock();
      const stores = [new MemoryStore({ clock }), new RedisStore(redis, { prefix: randomUUID(), clock })];
      for (const store of stores) await store.decide(limiter, "key", debt, Number.POSITIVE_INFINITY);
      const [inMemory, onRedis] = await Promise.all(
        stores.map((store) => store.decide(limiter, "key", 0, 0)),
      );
      expect(onRedis).toEqual(inMemory);
    });

    test("the server's own clock leaves 4503599627370494 of 4503599627370495", async () => {
      const store = new RedisStore(redis, { prefix: randomUUID() });
      const limiter = new Limiter(using, perDuration(1, MOST));
      expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limit: MOST, remaining: MOST - 1 });
    });
  });

  test("remaining counts down exactly from 4503599627370495", async () => {
    const clock = new ManualClock();
    const store = new RedisStore(redis, { prefix: randomUUID(), clock });
    for (const using of ALGORITHMS) {
      const limiter = new Limiter(using, perDuration(1, MOST));
      for (const spent of [1, 2, 3]) {
        expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({
          limit: MOST,
          remaining: MOST - spent,
        });
      }
      expect(await store.decide(limiter, "key", MOST - 3, 0)).toMatchObject({ limited: false, remaining: 0 });
      expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true, remaining: 0 });
    }
  });

  test("a period of 142,000 years is waited for exactly, and its key gets its TTL", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(redis, { prefix });
    for (const using of BUCKETS) {
      const limiter = new Limiter(using, perDuration(MOST, 1));
      expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, resetAfterMs: MOST });
      const left = await redis.pttl(`${prefix}:${limiter.id}:key`);
      expect(left).toBeGreaterThan(MOST - 60_000);
      expect(left).toBeLessThanOrEqual(MOST + 1_000);
      const { retryAfterMs } = await store.decide(limiter, "key", 1, 0);
      expect(retryAfterMs).toBeGreaterThan(MOST - 60_000);
      expect(retryAfterMs).toBeLessThanOrEqual(MOST);
    }
  });
});
