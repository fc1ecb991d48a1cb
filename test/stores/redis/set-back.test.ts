import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, expect, inject, test } from "vitest";
import { Limiter, MemoryStore } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS } from "../../support/algorithms.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** Those that pace nobody: there is room as long as there are units. */
const UNPACED = ALGORITHMS.filter((using) => using !== "leaky-bucket");

test.each(UNPACED)(
  "%s: who would wait for less than a clock was set back passes all the same where there is room",
  async (using) => {
    const clock = new ManualClock();
    const limiter = new Limiter(using, "100/m");
    const stores = [
      new MemoryStore({ clock }),
      new RedisStore(redis, { clock, prefix: randomUUID(), deadline: "20s" }),
    ];
    for (const store of stores) await store.decide(limiter, "key", 1, 0);
    clock.set(clock.now() - 2_000);
    for (const store of stores) {
      expect(await store.decide(limiter, "key", 1, 1_000)).toMatchObject({ limited: false });
    }
    const [memory, onRedis] = await Promise.all(stores.map((store) => store.decide(limiter, "key", 0, 0)));
    expect(onRedis).toEqual(memory);
  },
);
