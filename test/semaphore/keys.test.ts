import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { Semaphore } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";

const PAIRS = 10_000;
const KEYS = 200;
const LEASE_MS = 30_000;
/** For how long the last token of a key is remembered, in case the clock is set back. */
const GRACE_MS = 3_600_000;

test(`${PAIRS} acquires and releases leave one key for each semaphore, which has a TTL`, async () => {
  const prefix = randomUUID();
  const redis = new Redis(inject("redisUrl"));
  await using store = new RedisStore(redis, { prefix, deadline: "10s" });
  const semaphore = new Semaphore({ capacity: 2, store, lease: LEASE_MS, timeout: "1m" });
  let pair = 0;
  const lanes = Array.from({ length: 100 }, async () => {
    while (pair < PAIRS) await semaphore.run(`key ${pair++ % KEYS}`, () => {});
  });
  await Promise.all(lanes);

  const found: string[] = [];
  for await (const some of redis.scanStream({ match: `*${prefix}*`, count: 1_000 })) found.push(...some);
  expect(new Set(found)).toEqual(
    new Set(Array.from({ length: KEYS }, (_, i) => `${prefix}:semaphore:key%20${i}`)),
  );
  for (const key of found) {
    const ttl = await redis.pttl(key);
    expect(ttl, key).toBeGreaterThan(0);
    expect(ttl, key).toBeLessThanOrEqual(LEASE_MS + GRACE_MS);
    expect(await redis.zrange(key, "0", "-1"), "nothing but the counts").toEqual(["inUse", "token"]);
  }
  redis.disconnect();
}, 60_000);
