import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { Limiter } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { BUCKETS } from "../../support/algorithms.js";
import { nextTick } from "../../support/next-tick.js";
import { serverTime } from "../../support/server-time.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

describe("regression: keys without TTL or `EXPIRE 0`", () => {
  test.each(
    BUCKETS.flatMap((using) =>
      ["10/s burst 4", "1000/s burst 1", "3/s burst 1", "1/ms burst 1", "3/250ms", "1000000/s burst 1"].map(
        (quota) => ({ using, quota }),
      ),
    ),
  )("$using of $quota keeps to its bound, and its key has a TTL", async ({ using, quota }) => {
    const prefix = randomUUID();
    const store = new RedisStore(redis, { prefix });
    const limiter = new Limiter(using, quota);
    const { limit, periodMs, burst } = limiter.quotas[0]!;
    await store.decide(limiter, "key", 0, 0);
    const before = await serverTime(redis);
    const calls = Array.from({ length: 200 }, () => store.decide(limiter, "key", 1, 0));
    // Right behind the calls, as some of these keys live for little more than a second.
    await nextTick();
    const left = redis.pttl(`${prefix}:${limiter.id}:key`);
    const passed = (await Promise.all(calls)).filter(({ limited }) => !limited).length;
    const elapsed = (await serverTime(redis)) - before;

    expect(passed).toBeGreaterThanOrEqual(burst);
    expect(passed).toBeLessThanOrEqual(burst + Math.floor((elapsed * limit) / periodMs));
    expect(await left).toBeGreaterThan(0);
  });

  test.each(["fixed-window", "sliding-window"] as const)(
    "%s of 3/250ms keeps to its bound",
    async (using) => {
      const prefix = randomUUID();
      const store = new RedisStore(redis, { prefix });
      const limiter = new Limiter(using, "3/250ms");
      await store.decide(limiter, "key", 0, 0);
      const before = await serverTime(redis);
      const calls = Array.from({ length: 200 }, () => store.decide(limiter, "key", 1, 0));
      // Right behind the calls, as some of these keys live for little more than a second.
      await nextTick();
      const left = redis.pttl(`${prefix}:${limiter.id}:key`);
      const passed = (await Promise.all(calls)).filter(({ limited }) => !limited).length;
      const windows = Math.floor((await serverTime(redis)) / 250) - Math.floor(before / 250) + 1;
      expect(passed).toBeLessThanOrEqual(3 * windows);
      expect(await left).toBeGreaterThan(0);
    },
  );
});
