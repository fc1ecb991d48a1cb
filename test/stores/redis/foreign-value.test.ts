import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { isStoreError, Limiter, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ALGORITHMS } from "../../support/algorithms.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

const GARBAGE = [
  "",
  " ",
  "garbage",
  "NaN",
  "nan nan nan nan",
  "inf inf inf inf",
  "1700000000000",
  "1700000000000 -5",
  "1700000000000 1.5",
  "1700000000000 1e3",
  "1700000000000 0x10",
  "1700000000000 5 5 5 5 5 5 5",
  "1700000000000\t5",
  "1700000000000 5\n",
  "\u0000\u0001\u0002",
  '{"tokens":5}',
  "五",
];

/** Numbers that no limiter writes, in records of the right count for one algorithm or another. */
const OUT_OF_RANGE = ["9007199254740993", "99999999999999999999", "9".repeat(400)].flatMap((number) => [
  `${number} 5`,
  `1700000000000 ${number}`,
  `1700000000000 5 ${number} 0`,
]);

test("the largest number that a limiter writes is one that it reads", async () => {
  const prefix = randomUUID();
  const limiter = new Limiter("token-bucket", "5/h");
  const store = new RedisStore(redis, { prefix });
  await redis.set(`${prefix}:${limiter.id}:key`, `1700000000000 ${Number.MAX_SAFE_INTEGER}`, "PX", 60_000);
  await store.decide(limiter, "key", -1, 0);
  expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true, remaining: 0 });
});

const CALLS: [string, number, number][] = [
  ["spending", 1, 0],
  ["asking", 0, 0],
  ["booking", 1, 10_000],
  ["giving back", -1, 0],
  ["charging in any case", 1, Number.POSITIVE_INFINITY],
];

describe.each(ALGORITHMS)("%s", (using) => {
  const limiter = new Limiter(using, "5/h");

  async function withValue(
    plant: (key: string) => Promise<unknown>,
  ): Promise<{ store: RedisStore; key: string }> {
    const prefix = randomUUID();
    const key = `${prefix}:${limiter.id}:key`;
    await plant(key);
    return { store: new RedisStore(redis, { prefix }), key };
  }

  test.each(GARBAGE)(
    "a foreign string %j at the key is a StoreError whatever is asked, and stays",
    async (value) => {
      const { store, key } = await withValue((at) => redis.set(at, value));
      for (const [kind, cost, maxWaitMs] of CALLS) {
        const call = store.decide(limiter, "key", cost, maxWaitMs);
        await expect(call, kind).rejects.toMatchObject({
          name: "StoreError",
          store: "redis",
          operation: "decide",
          message: expect.stringMatching(
            /^The redis store failed to decide: ERR the key does not hold a record of this limiter/,
          ),
        });
      }
      expect(await redis.get(key)).toBe(value);
    },
  );

  test.each<[string, (key: string) => Promise<unknown>]>([
    ["list", (key) => redis.rpush(key, "1", "2")],
    ["hash", (key) => redis.hset(key, "tokens", "5")],
    ["set", (key) => redis.sadd(key, "1")],
    ["sorted set", (key) => redis.zadd(key, 1, "1")],
    ["stream", (key) => redis.xadd(key, "*", "a", "1")],
  ])("a %s at the key is a StoreError whatever is asked", async (_, plant) => {
    const { store, key } = await withValue(plant);
    for (const [kind, cost, maxWaitMs] of CALLS) {
      const call = store.decide(limiter, "key", cost, maxWaitMs);
      await expect(call, kind).rejects.toMatchObject({
        name: "StoreError",
        message: expect.stringMatching(
          /^The redis store failed to decide: WRONGTYPE Operation against a key holding the wrong kind of value/,
        ),
      });
    }
    expect(await redis.exists(key)).toBe(1);
  });

  test("a record with a number beyond 2^53 is a StoreError: nothing of it can be exact", async () => {
    for (const value of OUT_OF_RANGE) {
      const { store } = await withValue((at) => redis.set(at, value));
      for (const [kind, cost, maxWaitMs] of CALLS) {
        const answer = await store.decide(limiter, "key", cost, maxWaitMs).catch((error: unknown) => error);
        expect(answer, `${kind} with ${value.slice(0, 40)}`).toSatisfy(isStoreError);
      }
    }
  });
});

test("a key that holds something foreign is good again after `reset`", async () => {
  const prefix = randomUUID();
  const throttle = new Throttled({ store: new RedisStore(redis, { prefix }), quota: "5/h", using: "gcra" });
  await redis.rpush(`${prefix}:gcra:5/3600000/5:key`, "foreign");
  await expect(throttle.limit("key")).rejects.toSatisfy(isStoreError);
  await throttle.reset("key");
  expect(await throttle.limit("key")).toMatchObject({ limited: false, remaining: 4 });
});
