import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Limiter } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { everyCall } from "../../support/every-call.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";
import { serverTime } from "../../support/server-time.js";

const GRACE_MS = 1_000;
/** A busy machine may stop the server between reading its clock and setting the TTL. */
const SLACK_MS = 500;
const HOUR_MS = 3_600_000;

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) keys.push(...some);
  return keys;
}

describe.each(ALGORITHMS)("%s", (using) => {
  test.each(["5/250ms", "5/s", "5/h", "5/w"])(
    "every kind of call under %s leaves a key that lives until it is fresh and 1 s longer, or none",
    async (quota) => {
      const prefix = randomUUID();
      const store = new RedisStore(redis, { prefix });
      const limiter = new Limiter(using, quota);

      for await (const { kind } of everyCall(store, limiter, "key")) {
        const before = await serverTime(redis);
        const { resetAfterMs } = await store.decide(limiter, "key", 0, 0);
        const keys = await keysOf(prefix);
        const left = await redis.pttl(keys[0] ?? "");
        const elapsed = (await serverTime(redis)) - before;
        expect(keys.length, kind).toBeLessThanOrEqual(1);
        expect(left, kind).not.toBe(-1);
        expect(left, kind).toBeLessThanOrEqual(resetAfterMs + GRACE_MS + SLACK_MS);
        if (resetAfterMs > 0)
          expect(left, kind).toBeGreaterThanOrEqual(resetAfterMs + GRACE_MS - elapsed - SLACK_MS);
      }
      expect(await keysOf(prefix)).toEqual([]);
    },
  );

  test("a key of several quotas lives until the slowest of them is fresh", async () => {
    const [prefix, slowPrefix] = [randomUUID(), randomUUID()];
    const store = new RedisStore(redis, { prefix });
    const both = new Limiter(using, "5/s; 50/h");
    await store.decide(both, "key", 3, 0);
    await new RedisStore(redis, { prefix: slowPrefix }).decide(new Limiter(using, "50/h"), "key", 3, 0);
    const left = [...(await keysOf(prefix)), ...(await keysOf(slowPrefix))].map((key) => redis.pttl(key));
    const [one = 0, other = 0] = await Promise.all(left);
    expect(Math.abs(one - other)).toBeLessThan(5_000);

    for await (const { kind } of everyCall(store, both, "another")) {
      for (const key of await keysOf(prefix)) expect(await redis.pttl(key), kind).toBeGreaterThan(0);
    }
  });

  test("with a clock of the caller's a key lives an hour longer, as its TTL runs on the server's", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(redis, { prefix, clock: new ManualClock() });
    const limiter = new Limiter(using, "5/h");
    const { resetAfterMs } = await store.decide(limiter, "key", 3, 0);
    const left = await redis.pttl((await keysOf(prefix))[0]!);
    expect(left).toBeLessThanOrEqual(resetAfterMs + HOUR_MS);
    expect(left).toBeGreaterThan(resetAfterMs + HOUR_MS - 10_000);
  });

  test.each(["5/s", "7/m", "3/7ms", "5/s; 20/m"])(
    "deleting a key of %s at the moment of its reset changes no answer",
    async (quota) => {
      const limiter = new Limiter(using, quota);
      const clock = new ManualClock(1_700_000_000_003);
      const [kept, deleted] = [0, 1].map(() => new RedisStore(redis, { prefix: randomUUID(), clock }));
      const both = async (cost: number, maxWaitMs = 0): Promise<number> => {
        const [one, other] = await Promise.all(
          [kept!, deleted!].map((store) => store.decide(limiter, "key", cost, maxWaitMs)),
        );
        expect({ ...other, booking: other!.booking?.waitMs }).toEqual({
          ...one,
          booking: one!.booking?.waitMs,
        });
        return one!.resetAfterMs;
      };
      for (const cost of [1, 2, 3]) {
        await both(cost);
        await both(2, 100_000);
        for (let left = await both(0); left > 0; left = await both(0)) clock.advance(left);
        await deleted!.reset(limiter, "key");
        for (const next of [0, 1, 3, 1, 1]) await both(next);
        clock.advance(100_000);
      }
    },
  );
});

test.concurrent.each(ALGORITHMS)("%s: a key is gone after its expiry, and nobody can tell", async (using) => {
  const prefix = randomUUID();
  const store = new RedisStore(redis, { prefix });
  const limiter = new Limiter(using, "3/250ms");
  const fresh = await store.decide(limiter, "never used", 0, 0);
  await store.decide(limiter, "key", 3, 0);
  const [key] = await keysOf(prefix);

  await vi.waitFor(async () => expect(await store.decide(limiter, "key", 0, 0)).toEqual(fresh), 10_000);
  await vi.waitFor(async () => expect(await redis.exists(key!)).toBe(0), 10_000);
  expect(await store.decide(limiter, "key", 0, 0)).toEqual(fresh);
  expect(await store.decide(limiter, "key", 3, 0)).toMatchObject({ limited: false, remaining: 0 });
});
